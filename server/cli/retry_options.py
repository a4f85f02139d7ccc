"""Read retry settings from options; `plan` and `campaign` share the syntax."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from callhopper.v1 import types_pb2
from callhopper.v1.campaign_service_pb2 import RetryRule, RetrySettings
from server.cli.failures import bad_value
from server.cli.values import duration, failed_status, pair, whole

Max = Annotated[
    list[str] | None,
    typer.Option(
        "--max",
        metavar="STATUS=N",
        help="Most calls to one number that fail with a status, the first included (default 3).",
    ),
]
Retry = Annotated[
    list[str] | None,
    typer.Option(
        "--retry",
        metavar="STATUS=DURATION",
        help="Time from the last call of a cycle, failed with a status, to the next (150m).",
    ),
]
OnFailure = Annotated[
    list[str] | None,
    typer.Option(
        "--on-failure",
        metavar="STATUS=WHERE",
        help="Where the next call goes: NEXT_NUMBER (default) or SAME_NUMBER.",
    ),
]
AdditionalDelay = Annotated[
    str | None,
    typer.Option(
        "--additional-delay",
        metavar="DURATION",
        help="Time from a failed call to the next number of the contact (default 1m).",
    ),
]
GlobalMax = Annotated[
    str | None,
    typer.Option(
        "--global-max",
        metavar="N",
        help="Most failed calls to one number, whatever their status (default 4).",
    ),
]


@dataclass(frozen=True, slots=True)
class RetryOptions:
    """Hold the retry options of one command line, checked.

    Attributes:
        rules: For each status in the order given, the fields of its rule.
        additional_delay: As a message field, or None.
        global_max: Likewise.
        options: The option that each field of the settings comes from, by its path.
    """

    rules: dict[str, dict[str, Any]]
    additional_delay: Any
    global_max: int | None

    @classmethod
    def read(
        cls,
        maxima: Sequence[str] | None,
        retries: Sequence[str] | None,
        on_failures: Sequence[str] | None,
        additional_delay: str | None,
        global_max: str | None,
    ) -> "RetryOptions":
        """Check what the options say.

        Raises:
            Failure: An option cannot be read.
        """
        rules: dict[str, dict[str, Any]] = {}
        given = (
            ("--max", "max_attempts", maxima, whole, "STATUS=N"),
            ("--retry", "retry_interval", retries, duration, "STATUS=DURATION"),
            ("--on-failure", "on_failure", on_failures, _on_failure, "STATUS=WHERE"),
        )
        for option, field, texts, read, form in given:
            for text in texts or ():
                left, right = pair(option, text, "=", form)
                rule = rules.setdefault(failed_status(option, left), {})
                if field in rule:
                    raise bad_value(option, text, "this status was given already")
                rule[field] = read(option, right)
        return cls(
            rules,
            None if additional_delay is None else duration("--additional-delay", additional_delay),
            None if global_max is None else whole("--global-max", global_max),
        )

    def __bool__(self) -> bool:
        """Tell whether any was given."""
        return bool(self.rules) or not (self.additional_delay is None and self.global_max is None)

    def over(self, base: RetrySettings | None = None) -> RetrySettings:
        """Return settings with the options over those of `base` (None: the defaults)."""
        settings = RetrySettings()
        if base is not None:
            settings.CopyFrom(base)
        if self.global_max is not None:
            settings.global_max_attempts = self.global_max
        if self.additional_delay is not None:
            settings.additional_phone_delay.FromTimedelta(self.additional_delay)
        for status, fields in self.rules.items():
            rule = _rule_for(settings, status)
            if "max_attempts" in fields:
                rule.max_attempts = fields["max_attempts"]
            if "retry_interval" in fields:
                rule.retry_interval.FromTimedelta(fields["retry_interval"])
            if "on_failure" in fields:
                rule.on_failure = fields["on_failure"]
        return settings

    def fields(self, settings: RetrySettings, path: str) -> dict[str, str]:
        """Return which option each field of the settings at `path` came from."""
        fields = {
            f"{path}.global_max_attempts": "--global-max",
            f"{path}.additional_phone_delay": "--additional-delay",
        }
        for place, rule in enumerate(settings.rules):
            status = types_pb2.CallStatus.Name(rule.status).removeprefix("CALL_STATUS_")
            fields |= {
                f"{path}.rules[{place}].max_attempts": f"--max {status}",
                f"{path}.rules[{place}].retry_interval": f"--retry {status}",
                f"{path}.rules[{place}].on_failure": f"--on-failure {status}",
            }
        return fields


def _rule_for(settings: RetrySettings, status: str) -> RetryRule:
    number = types_pb2.CallStatus.Value(f"CALL_STATUS_{status}")
    for rule in settings.rules:
        if rule.status == number:
            return rule
    return settings.rules.add(status=number)


def _on_failure(option: str, text: str) -> int:
    name = f"ON_FAILURE_{text.upper()}"
    if name not in ("ON_FAILURE_NEXT_NUMBER", "ON_FAILURE_SAME_NUMBER"):
        raise bad_value(option, text, "must be NEXT_NUMBER or SAME_NUMBER")
    return RetryRule.OnFailure.Value(name)
