"""Read every setting of the server, once; no other module reads the environment."""

# ruff: noqa: RUF009 - _setting makes a dataclass field, which the rule cannot see

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

# Up to the last @ of a URL: people forget to quote those in their passwords.
_SECRET: Final = re.compile(
    r"((?<=://)[^:/\s]*:)\S*(?=@)|(password=)(?:'(?:\\.|[^'])*'|[^\s&]+)", re.IGNORECASE
)


class SettingError(Exception):
    """Refuse to start: a setting has a value that cannot be used."""


class Row(NamedTuple):
    """Describe one setting to a person; secrets in `value` are masked."""

    variable: str
    value: str
    source: str
    explanation: str


def _text(text: str) -> str:
    return text


def _identifier(text: str) -> str:
    # Lower case only: the name is then the same with and without quotes, in psql and in code.
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", text) or text.startswith("pg_"):
        raise ValueError("must be a lower-case SQL name of at most 63 characters, not pg_...")
    return text


def _listen(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdecimal() or int(port) not in range(2**16):
        raise ValueError("must be HOST:PORT with a port from 0 to 65535")
    try:
        is_loopback = ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback:
        raise ValueError(
            "must be a loopback address (127.0.0.1, [::1] or localhost), "
            "because callers cannot prove yet who they are"
        )
    return text


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        number = r"[0-9]{1,9}(\.[0-9]{1,9})?"
        if not re.fullmatch(number, text) or not low <= float(text) <= high:
            raise ValueError(f"must be a number of seconds from {low:g} to {high:g}")
        return float(text)

    return parse


def _choice(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError("must be one of " + ", ".join(choices))
        return text

    return parse


def _setting(variable: str, parse: Callable[[str], Any], default: Any, explanation: str) -> Any:
    """Make a field; it takes its value from the environment and describes itself."""
    facts = {"variable": variable, "parse": parse, "explanation": explanation}
    return field(default=default, metadata=facts)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Hold every setting; the explanation beside each default is what `callhopper doctor` prints.

    Durations are seconds, sizes are what the name says.
    """

    database_url: str | None = _setting(
        "DATABASE_URL", _text, None,
        "PostgreSQL 15 or newer as postgresql://...; none: an embedded one under CALLHOPPER_DATA",
    )  # fmt: skip
    data_dir: Path = _setting(
        "CALLHOPPER_DATA", Path, Path(".callhopper"),
        "folder of the embedded PostgreSQL; not used with DATABASE_URL",
    )  # fmt: skip
    schema: str = _setting(
        "CALLHOPPER_SCHEMA", _identifier, "callhopper",
        "SQL schema that holds everything of one organisation",
    )  # fmt: skip
    listen: str = _setting(
        "CALLHOPPER_LISTEN", _listen, "127.0.0.1:50051",
        "HOST:PORT of the gRPC server, loopback only; port 0 takes a free one",
    )  # fmt: skip
    pool_size: int = _setting(
        "CALLHOPPER_POOL_SIZE", _whole(1, 1000), 8,
        "database connections of one server process",
    )  # fmt: skip
    report_pool_size: int = _setting(
        "CALLHOPPER_REPORT_POOL_SIZE", _whole(1, 100), 2,
        "further database connections, reserved for reports of outcomes",
    )  # fmt: skip
    pool_timeout: float = _setting(
        "CALLHOPPER_POOL_TIMEOUT", _seconds(0.01, 60), 2.0,
        "seconds a call waits for a free database connection before it is refused",
    )  # fmt: skip
    pool_waiting: int = _setting(
        "CALLHOPPER_POOL_WAITING", _whole(1, 100_000), 500,
        "calls that may wait for a database connection; the rest are refused at once",
    )  # fmt: skip
    default_deadline: float = _setting(
        "CALLHOPPER_DEFAULT_DEADLINE", _seconds(0.1, 3600), 30.0,
        "seconds a unary call may take when the client sets no deadline",
    )  # fmt: skip
    stream_deadline: float = _setting(
        "CALLHOPPER_STREAM_DEADLINE", _seconds(1, 86_400), 3600.0,
        "seconds a streaming call may take when the client sets no deadline",
    )  # fmt: skip
    statement_timeout: float = _setting(
        "CALLHOPPER_STATEMENT_TIMEOUT", _seconds(0.1, 3600), 30.0,
        "seconds one SQL statement may take, however long the deadline of the call is",
    )  # fmt: skip
    lock_timeout: float = _setting(
        "CALLHOPPER_LOCK_TIMEOUT", _seconds(0.01, 600), 5.0,
        "seconds one SQL statement waits for a lock",
    )  # fmt: skip
    plan_cache_mode: str = _setting(
        "CALLHOPPER_PLAN_CACHE_MODE",
        _choice("auto", "force_custom_plan", "force_generic_plan"), "auto",
        "how PostgreSQL plans prepared statements",
    )  # fmt: skip
    prepare_threshold: int = _setting(
        "CALLHOPPER_PREPARE_THRESHOLD", _whole(0, 1_000_000), 5,
        "uses of a statement on a connection before it is prepared; 0: never (older PgBouncer)",
    )  # fmt: skip
    drain_delay: float = _setting(
        "CALLHOPPER_DRAIN_DELAY", _seconds(0, 600), 5.0,
        "seconds between NOT_SERVING and the closing of the port at shutdown",
    )  # fmt: skip
    drain_grace: float = _setting(
        "CALLHOPPER_DRAIN_GRACE", _seconds(0, 3600), 25.0,
        "seconds that calls under way may still take once the port is closed",
    )  # fmt: skip
    poll_interval: float = _setting(
        "CALLHOPPER_POLL_INTERVAL", _seconds(0.01, 3600), 0.25,
        "longest time in seconds between two looks for due entries while claims are waiting",
    )  # fmt: skip
    longest_poll: float = _setting(
        "CALLHOPPER_LONGEST_POLL", _seconds(0.1, 3600), 60.0,
        "longest time in seconds that a claim may wait for work",
    )  # fmt: skip
    rescue_interval: float = _setting(
        "CALLHOPPER_RESCUE_INTERVAL", _seconds(0.05, 3600), 2.0,
        "seconds between two looks for leases that are over",
    )  # fmt: skip
    waiting_claims: int = _setting(
        "CALLHOPPER_WAITING_CLAIMS", _whole(1, 1_000_000), 2000,
        "claims that may wait for work in one server process; the rest are refused",
    )  # fmt: skip
    concurrent_calls: int = _setting(
        "CALLHOPPER_CONCURRENT_CALLS", _whole(2, 10_000_000), 4000,
        "calls under way in one server process, waiting claims included; the rest are refused",
    )  # fmt: skip
    message_bytes: int = _setting(
        "CALLHOPPER_MESSAGE_BYTES", _whole(64 * 1024, 1024**3), 4 * 1024 * 1024,
        "bytes of the largest message that is received or sent",
    )  # fmt: skip
    reuse_port: bool = _setting(
        "CALLHOPPER_REUSE_PORT", lambda text: _choice("true", "false")(text) == "true", False,
        "true: several server processes share one port (Linux); false: a used port is an error",
    )  # fmt: skip
    log_level: str = _setting(
        "CALLHOPPER_LOG_LEVEL", _choice("debug", "info", "warning", "error"), "info",
        "least severe log line to write: debug, info, warning or error",
    )  # fmt: skip
    log_format: str = _setting(
        "CALLHOPPER_LOG_FORMAT", _choice("auto", "json", "text"), "auto",
        "json, text, or auto: text in a terminal and JSON elsewhere",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        if self.waiting_claims >= self.concurrent_calls:
            # A waiting claim is a call under way: without room beside them no report gets in.
            raise SettingError(
                f"CALLHOPPER_WAITING_CLAIMS={self.waiting_claims}: must be below "
                f"CALLHOPPER_CONCURRENT_CALLS={self.concurrent_calls}"
            )

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, **overrides: Any
    ) -> Self:
        """Read the settings.

        Args:
            environment: Where to read, os.environ when None. An empty value counts as not set;
                unknown CALLHOPPER_ variables are left alone (clients use some).
            overrides: Text values by field name, as given on a command line; None is ignored.

        Raises:
            SettingError: One line that names the variable, its value and the reason.
        """
        given = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for one in fields(cls):
            text = overrides.pop(one.name, None) or given.get(one.metadata["variable"])
            if text:
                values[one.name] = _parse(one, str(text))
        if overrides:
            raise TypeError(f"no such settings: {sorted(overrides)}")
        return cls(**values)

    def describe(self, environment: Mapping[str, str] | None = None) -> list[Row]:
        """List all settings in the order of this file, with the source of each value.

        The source is `environment` where the variable is set, else `default`, or `command line`
        where the value is neither.
        """
        given = os.environ if environment is None else environment
        rows = []
        for one in fields(self):
            value = getattr(self, one.name)
            source = "default" if value == one.default else "command line"
            if given.get(one.metadata["variable"]):
                source = "environment"
            shown = "" if value is None else mask_secrets(str(value))
            rows.append(Row(one.metadata["variable"], shown, source, one.metadata["explanation"]))
        return rows


def mask_secrets(text: str) -> str:
    """Replace the passwords in connection strings by `***`.

    `postgresql://me:geheim@host/db` -> `postgresql://me:***@host/db`; `password=geheim` likewise.
    """
    return _SECRET.sub(r"\1\2***", text)


def _parse(one: "Field[Any]", text: str) -> Any:
    try:
        return one.metadata["parse"](text)
    except ValueError as error:
        variable = one.metadata["variable"]
        raise SettingError(f"{variable}={mask_secrets(text)}: {error}") from None
