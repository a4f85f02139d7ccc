"""Say what went wrong in one line, and end with a documented exit code."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NoReturn

import grpc
import typer
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from server.embedded import EmbeddedPostgresError
from server.settings import SettingError


class ExitCode(IntEnum):
    """What a command says to the shell; `callhopper --help` lists them too."""

    OK = 0
    """It is done."""
    REFUSED = 1
    """The server, or what was found, said no: a bad field, not found, a wrong state."""
    USAGE = 2
    """The command line or a setting cannot be understood; nothing was asked of a server."""
    UNREACHABLE = 3
    """No server, or no database, answered."""
    INTERRUPTED = 130
    """Control-C."""


class Failure(Exception):  # noqa: N818 - it is an outcome of a command, not a fault of the program
    """End the command with one line on standard error.

    Attributes:
        code: The exit code.
    """

    def __init__(self, text: str, code: ExitCode = ExitCode.REFUSED) -> None:
        super().__init__(text)
        self.code = code


def bad_value(option: str, value: str, reason: str) -> Failure:
    """Refuse the value of an option: `--retry is 'BUSY=2x': ...`."""
    return Failure(f"{option} is {value!r}: {reason}", ExitCode.USAGE)


def failure_of(
    error: grpc.RpcError, address: str, options: Mapping[str, str] | None = None
) -> Failure:
    """Turn a failed call into a line for people.

    Args:
        error: What a stub raised.
        address: The server that was asked.
        options: The option that each field of the request came from; the longest path that a
            violation's path begins with wins.
    """
    call: Any = error
    status = rpc_status.from_call(call)
    reason = ""
    violations: list[str] = []
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        fields = error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(fields):
            violations += [
                f"{_option(one.field, options or {})} {one.description}"
                for one in fields.field_violations
            ]
    if violations:
        return Failure(f"{'; '.join(violations)} ({reason})")
    if reason:
        return Failure(
            f"{call.details()} ({reason})",
            ExitCode.UNREACHABLE if reason == "DATABASE_UNAVAILABLE" else ExitCode.REFUSED,
        )
    if call.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
        return Failure(
            f"no server answers at {address}: start one with `callhopper serve`, "
            "or name another in CALLHOPPER_ADDRESS",
            ExitCode.UNREACHABLE,
        )
    return Failure(f"{call.details()} ({call.code().name} from {address})")


def _option(path: str, options: Mapping[str, str]) -> str:
    best = max((one for one in options if path.startswith(one)), key=len, default=None)
    return path if best is None else options[best]


class Commands(typer.core.TyperGroup):
    """Run a command, and turn its failures into lines and exit codes."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the context names."""
        try:
            return super().invoke(ctx)
        except Failure as failure:
            _end(failure)
        except grpc.RpcError as error:
            _end(failure_of(error, ctx.obj.address))
        except EmbeddedPostgresError as error:
            _end(Failure(str(error)))
        except SettingError as error:
            _end(Failure(str(error), ExitCode.USAGE))
        except KeyboardInterrupt:
            _end(Failure("interrupted", ExitCode.INTERRUPTED))


def _end(failure: Failure) -> NoReturn:
    typer.echo(f"error: {failure}", err=True)
    raise typer.Exit(failure.code)
