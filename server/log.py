"""Write the log: one event a line, without passwords, phone numbers or quoted values.

Our own events carry only fields chosen for them. Texts of other libraries and of exceptions can
hold anything, so they are masked, and an exception is logged as its types, its masked text and its
frames.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import IO, Any, Final

import structlog

from server.settings import Settings, mask_secrets

_DSN: Final = re.compile(r"\b[a-z][a-z0-9+]*://\S+", re.IGNORECASE)
_KEYWORD: Final = re.compile(r"\b(host|hostaddr|user|password|passfile|dbname)=\S+")
_DIGITS: Final = re.compile(r"\+?\d(?:[ ()./-]*\d){4,}")
_QUOTED: Final = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|\([^()\n]*\)=\([^\n]*\)")
_ADDRESS: Final = re.compile(r"\S+@\S+")


def mask(text: str) -> str:
    """Hide what a text may quote: addresses, passwords, five or more digits, anything in quotes.

    `no user "anna" at postgresql://me:geheim@db/x for +49 30 12345` ->
    `no user … at … for …`
    """
    for pattern in (_DSN, _KEYWORD, _QUOTED, _ADDRESS, _DIGITS):
        text = pattern.sub("…", text)
    return text


def masked_traceback(error: BaseException) -> str:
    """Return the frames and causes of an exception, its texts masked.

    The source lines of frames are our code, which holds no data of callers.
    """
    parts: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        frames = "".join(traceback.format_tb(cause.__traceback__))
        # Only the first line: the driver puts DETAIL and CONTEXT, with values of rows, below it.
        first_line = str(cause).partition("\n")[0]
        state = getattr(cause, "sqlstate", None)
        shown = f"{type(cause).__qualname__}{f' [{state}]' if state else ''}: {mask(first_line)}"
        parts.append(f"{frames}{shown}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\ncaused by\n".join(parts)


def configure(settings: Settings, stream: IO[str] | None = None) -> None:
    """Send our events and those of all libraries to one stream.

    Args:
        settings: Level and format.
        stream: Standard error when None: standard output belongs to the commands.
    """
    output = stream or sys.stderr
    is_text = settings.log_format == "text" or (settings.log_format == "auto" and output.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _mask_exception,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=output.isatty())
        if is_text
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _mask_foreign],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    # The pool tells of every connection it lends.
    logging.getLogger("psycopg.pool").setLevel(logging.WARNING)


def _mask_exception(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["traceback"] = masked_traceback(error)
    return event


def _mask_foreign(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    event["event"] = mask(mask_secrets(str(event["event"])))
    return event
