"""What README.md and docs/ say is true: commands run, links lead somewhere, tables match the code.

In README a fenced block is run when an HTML comment stands above it: `run` needs exit code 0, and
`run: output` the very output as well; `run: served` may change the server that all of them talk to.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import callhopper
from server.queries import load_queries
from server.settings import Settings

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCUMENTS = [README, *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"(?:^<!-- (run.*?) -->\n)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    mark: str
    language: str
    text: str


class Command(NamedTuple):
    line: str
    output: str


def blocks(document: Path) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(document.read_text("utf-8"))]


def commands(block: Block) -> list[Command]:
    """Divide a block into commands; in a console block their output follows."""
    if block.language == "sh":
        return [Command(line, "") for line in block.text.splitlines()]
    found = re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE)
    return [Command(*one) for one in found]


def marked(mark: str) -> list[Command]:
    return [
        command for block in blocks(README) if block.mark == mark for command in commands(block)
    ]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Serve from a new data folder, as a newcomer would; give the environment of the commands."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CALLHOPPER_") and name not in {"DATABASE_URL", "COLUMNS"}
    }
    environment = kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONUTF8": "1",
        "CALLHOPPER_DATA": str(tmp_path_factory.mktemp("readme") / "data"),
        "CALLHOPPER_DRAIN_DELAY": "0",
    }
    command = ["callhopper", "serve", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        address = said.strip().removeprefix("callhopper serves at ")
        try:
            assert address != said.strip(), f"the server did not start: {said!r}"
            yield environment | {"CALLHOPPER_ADDRESS": address}
        finally:
            server.terminate()


def run(line: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "-c", line],
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", marked("run"), ids=lambda command: command.line)
def test_a_command_of_the_readme_succeeds(command, environment):
    done = run(command.line, environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", marked("run: output"), ids=lambda command: command.line[:15])
def test_a_command_of_the_readme_writes_what_the_readme_shows(command, environment):
    done = run(command.line, environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == command.output


@pytest.mark.slow
def test_the_tour_of_the_readme_works_from_beginning_to_end(environment):
    tour = marked("run: served")
    assert tour
    for command in tour:
        done = run(command.line, environment)
        assert done.returncode == 0, f"{command.line}: {done.stderr}"


def test_every_make_target_that_the_documents_name_exists():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(
            r"(?:`|^)make ([a-z-]+)", document.read_text("utf-8"), re.MULTILINE
        )
    }
    assert {"demo", "test"} <= named
    assert named <= targets


def test_the_worker_of_the_readme_compiles_and_imports_what_there_is():
    [worker] = [block.text for block in blocks(README) if block.language == "python"]
    imported = {
        name.name
        for node in ast.walk(ast.parse(worker))
        if isinstance(node, ast.ImportFrom) and node.module == "callhopper"
        for name in node.names
    }
    assert "Worker" in imported
    assert imported <= set(callhopper.__all__)


def test_the_error_decoding_of_the_api_page_shows_each_refused_field(environment, tmp_path):
    made = run('callhopper list create "For the example" --json', environment)
    list_name = json.loads(made.stdout)["name"]
    [example] = [block.text for block in blocks(ROOT / "docs/api.md") if block.language == "python"]
    program = tmp_path / "example.py"
    address = environment["CALLHOPPER_ADDRESS"]
    program.write_text(
        example.replace("localhost:50051", address).replace("contactLists/1", list_name), "utf-8"
    )
    done = run(f"{sys.executable} {program}", environment)
    assert done.returncode == 0, done.stderr
    reason, fields = ast.literal_eval(done.stdout)
    assert reason == "INVALID_FIELD"
    assert list(fields) == ["contact.phone", "contact.additional_phones[0].number"]
    for field, description in fields.items():
        assert f"'{field}': \"{description}\"" in (ROOT / "docs/api.md").read_text("utf-8")


def test_every_link_between_the_documents_leads_to_a_file():
    broken = [
        f"{document.name}: {link}"
        for document in DOCUMENTS
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
        if not (document.parent / link).exists()
    ]
    assert broken == []


def test_the_settings_of_the_operations_page_are_those_of_the_server():
    table = re.findall(
        r"^\| `(DATABASE_URL|CALLHOPPER_\w+)` \| (?:`([^`]+)`)? ?\| (.+) \|$",
        (ROOT / "docs/operations.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert table == [
        (
            row.variable,
            {"True": "true", "False": "false"}.get(row.value, row.value),
            row.explanation,
        )
        for row in Settings().describe({})
    ]


def test_every_block_that_the_state_page_names_exists():
    schema = "".join(file.read_text("utf-8") for file in (ROOT / "server/sql/schema").glob("*.sql"))
    tables = set(re.findall(r"create (?:table|view) (\w+)", schema))
    functions = set(re.findall(r"create function (\w+)", schema))
    fields = set(re.findall(r"^  (\w+) ", schema, re.MULTILINE))
    named = re.findall(
        r"`([a-z]+(?:_[a-z]+)+)(?:\(\))?`", (ROOT / "docs/state_machine.md").read_text("utf-8")
    )
    assert set(named) <= load_queries().keys() | functions | tables | fields


def test_the_list_of_decisions_is_complete():
    folder = ROOT / "docs/decisions"
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert listed == sorted(file.name for file in folder.glob("0*.md"))
