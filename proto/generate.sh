#!/usr/bin/env bash
# Generate the committed stubs, or with --check only compare them with the contract.
#
#   proto/generate.sh [--check] LANGUAGE...        LANGUAGE is python, go or typescript
#
# Every run generates into an empty folder first, so that a stub whose proto is gone counts as drift too.
set -euo pipefail
cd "$(dirname "$0")/.."

check=false
if [[ ${1:-} == --check ]]; then
  check=true
  shift
fi
if [[ $# -eq 0 ]]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi

mapfile -t protos < <(cd proto && find callhopper -name '*.proto' | LC_ALL=C sort)
if [[ ${#protos[@]} -eq 0 ]]; then
  echo "proto/callhopper holds no .proto file" >&2
  exit 1
fi

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
drifted=false

for language in "$@"; do
  case $language in
    python)
      folder=clients/python/callhopper/v1
      out=$fresh/clients/python
      mkdir -p "$out"
      .venv-codegen/bin/python -m grpc_tools.protoc -Iproto \
        --plugin=protoc-gen-mypy_grpc=.venv-codegen/bin/protoc-gen-mypy_grpc \
        --python_out="$out" --pyi_out="$out" --grpc_python_out="$out" \
        --mypy_grpc_out="quiet:$out" \
        "${protos[@]}"
      echo '"""Messages and stubs generated from proto/callhopper/v1: never edited."""' \
        > "$fresh/$folder/__init__.py"
      ;;
    go)
      folder=clients/go/callhopper/v1
      .venv/bin/buf generate proto --template proto/buf.gen.go.yaml -o "$fresh"
      ;;
    typescript)
      folder=clients/typescript/src/gen
      .venv/bin/buf generate proto --template proto/buf.gen.typescript.yaml -o "$fresh"
      ;;
    *)
      echo "unknown language: $language" >&2
      exit 2
      ;;
  esac
  if $check; then
    diff -r --exclude=__pycache__ "$folder" "$fresh/$folder" || drifted=true
  else
    rm -rf "$folder"
    mkdir -p "$(dirname "$folder")"
    cp -R "$fresh/$folder" "$folder"
    echo "generated $folder"
  fi
done

if $drifted; then
  echo "The committed stubs differ from the contract: run make proto and commit the result." >&2
  exit 1
fi
