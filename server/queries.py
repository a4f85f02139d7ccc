"""Read the named SQL blocks of server/sql/queries."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

QUERIES: Final = Path(__file__).parent / "sql" / "queries"


class QueryFileError(Exception):
    """Refuse to start: a file of named SQL blocks is malformed."""


@dataclass(frozen=True, slots=True)
class Query:
    """Hold one named block.

    Attributes:
        name: The stem that the RPC, the method and the test share.
        kind: What to expect: `many` rows, `one` row or none, or `exec`: a count of rows.
        sql: One statement with `%(name)s` parameters; a literal percent sign is `%%`.
        documentation: The comment below the name.
        parameters: The names of the parameters.
    """

    name: str
    kind: str
    sql: str
    documentation: str
    parameters: frozenset[str]


def load_queries(folder: Path = QUERIES) -> dict[str, Query]:
    """Read the named blocks of all `*.sql` files of a folder.

    A block is `-- name: claim_attempts :many`, comment lines, then one statement.

    Raises:
        QueryFileError: A name is missing, malformed or used twice, a kind is unknown, or a
            block holds no statement or several.
    """
    queries: dict[str, Query] = {}
    for file in sorted(folder.glob("*.sql")):
        head, *blocks = re.split(r"^-- name:", file.read_text("utf-8"), flags=re.MULTILINE)
        if any(line and not line.startswith("--") for line in head.splitlines()):
            raise QueryFileError(f"{file.name}: SQL before the first `-- name:`")
        for block in blocks:
            title, _, rest = block.partition("\n")
            match = re.fullmatch(r" ([a-z][a-z0-9_]*) :(one|many|exec)", title.rstrip())
            if not match:
                raise QueryFileError(
                    f"{file.name}: `-- name:{title}` is not `-- name: a_name :one|:many|:exec`"
                )
            name, kind = match.groups()
            if name in queries:
                raise QueryFileError(f"{file.name}: {name} is defined twice")
            lines = rest.splitlines()
            start = next((n for n, line in enumerate(lines) if not line.startswith("--")), None)
            statement = "\n".join(lines[start:]).strip() if start is not None else ""
            bare = re.sub(r"--[^\n]*|'[^']*'", "", statement).strip()
            if not bare.removesuffix(";") or ";" in bare.removesuffix(";"):
                raise QueryFileError(f"{file.name}: {name} must hold exactly one statement")
            queries[name] = Query(
                name=name,
                kind=kind,
                sql=statement,
                documentation="\n".join(line.lstrip("- ") for line in lines[:start]),
                parameters=frozenset(re.findall(r"%\((\w+)\)", statement)),
            )
    return queries
