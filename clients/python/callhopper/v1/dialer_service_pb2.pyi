import datetime

from callhopper.v1 import types_pb2 as _types_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClaimAttemptsRequest(_message.Message):
    __slots__ = ("worker_id", "request_id", "campaigns", "max_attempts", "lease_duration", "begin", "wait_duration")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGNS_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    WAIT_DURATION_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    request_id: str
    campaigns: _containers.RepeatedScalarFieldContainer[str]
    max_attempts: int
    lease_duration: _duration_pb2.Duration
    begin: bool
    wait_duration: _duration_pb2.Duration
    def __init__(self, worker_id: _Optional[str] = ..., request_id: _Optional[str] = ..., campaigns: _Optional[_Iterable[str]] = ..., max_attempts: _Optional[int] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., begin: bool = ..., wait_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ClaimAttemptsResponse(_message.Message):
    __slots__ = ("attempts", "next_due_in", "poll_interval", "draining")
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_DUE_IN_FIELD_NUMBER: _ClassVar[int]
    POLL_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    attempts: _containers.RepeatedCompositeFieldContainer[ClaimedAttempt]
    next_due_in: _duration_pb2.Duration
    poll_interval: _duration_pb2.Duration
    draining: bool
    def __init__(self, attempts: _Optional[_Iterable[_Union[ClaimedAttempt, _Mapping]]] = ..., next_due_in: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., poll_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., draining: bool = ...) -> None: ...

class ClaimedAttempt(_message.Message):
    __slots__ = ("attempt_id", "lease_token", "lease_duration", "campaign", "entry", "contact", "number", "contact_item_type", "contact_item_type_display_name", "position", "cycle", "attempt_number", "ring_timeout", "caller_id", "rule", "scheduled_time", "begun", "first_name", "last_name")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ITEM_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ITEM_TYPE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    CYCLE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    RING_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    CALLER_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_TIME_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    FIRST_NAME_FIELD_NUMBER: _ClassVar[int]
    LAST_NAME_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    lease_token: str
    lease_duration: _duration_pb2.Duration
    campaign: str
    entry: str
    contact: str
    number: str
    contact_item_type: str
    contact_item_type_display_name: str
    position: int
    cycle: int
    attempt_number: int
    ring_timeout: _duration_pb2.Duration
    caller_id: str
    rule: _types_pb2.DialRule
    scheduled_time: _timestamp_pb2.Timestamp
    begun: bool
    first_name: str
    last_name: str
    def __init__(self, attempt_id: _Optional[str] = ..., lease_token: _Optional[str] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., campaign: _Optional[str] = ..., entry: _Optional[str] = ..., contact: _Optional[str] = ..., number: _Optional[str] = ..., contact_item_type: _Optional[str] = ..., contact_item_type_display_name: _Optional[str] = ..., position: _Optional[int] = ..., cycle: _Optional[int] = ..., attempt_number: _Optional[int] = ..., ring_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., caller_id: _Optional[str] = ..., rule: _Optional[_Union[_types_pb2.DialRule, str]] = ..., scheduled_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., begun: bool = ..., first_name: _Optional[str] = ..., last_name: _Optional[str] = ...) -> None: ...

class Lease(_message.Message):
    __slots__ = ("attempt_id", "lease_token")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    lease_token: str
    def __init__(self, attempt_id: _Optional[str] = ..., lease_token: _Optional[str] = ...) -> None: ...

class BeginAttemptsRequest(_message.Message):
    __slots__ = ("leases", "lease_duration")
    LEASES_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    leases: _containers.RepeatedCompositeFieldContainer[Lease]
    lease_duration: _duration_pb2.Duration
    def __init__(self, leases: _Optional[_Iterable[_Union[Lease, _Mapping]]] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class BeginAttemptsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BeginResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BeginResult, _Mapping]]] = ...) -> None: ...

class BeginResult(_message.Message):
    __slots__ = ("attempt_id", "answer", "lease_duration")
    class Answer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ANSWER_UNSPECIFIED: _ClassVar[BeginResult.Answer]
        ANSWER_BEGUN: _ClassVar[BeginResult.Answer]
        ANSWER_LEASE_LOST: _ClassVar[BeginResult.Answer]
        ANSWER_REFUSED: _ClassVar[BeginResult.Answer]
        ANSWER_NOT_FOUND: _ClassVar[BeginResult.Answer]
    ANSWER_UNSPECIFIED: BeginResult.Answer
    ANSWER_BEGUN: BeginResult.Answer
    ANSWER_LEASE_LOST: BeginResult.Answer
    ANSWER_REFUSED: BeginResult.Answer
    ANSWER_NOT_FOUND: BeginResult.Answer
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    answer: BeginResult.Answer
    lease_duration: _duration_pb2.Duration
    def __init__(self, attempt_id: _Optional[str] = ..., answer: _Optional[_Union[BeginResult.Answer, str]] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class RenewLeasesRequest(_message.Message):
    __slots__ = ("renewals", "lease_duration")
    RENEWALS_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    renewals: _containers.RepeatedCompositeFieldContainer[Renewal]
    lease_duration: _duration_pb2.Duration
    def __init__(self, renewals: _Optional[_Iterable[_Union[Renewal, _Mapping]]] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Renewal(_message.Message):
    __slots__ = ("lease", "answered")
    LEASE_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    lease: Lease
    answered: bool
    def __init__(self, lease: _Optional[_Union[Lease, _Mapping]] = ..., answered: bool = ...) -> None: ...

class RenewLeasesResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[RenewResult]
    def __init__(self, results: _Optional[_Iterable[_Union[RenewResult, _Mapping]]] = ...) -> None: ...

class RenewResult(_message.Message):
    __slots__ = ("attempt_id", "answer", "lease_duration")
    class Answer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ANSWER_UNSPECIFIED: _ClassVar[RenewResult.Answer]
        ANSWER_RENEWED: _ClassVar[RenewResult.Answer]
        ANSWER_LEASE_LOST: _ClassVar[RenewResult.Answer]
        ANSWER_NOT_FOUND: _ClassVar[RenewResult.Answer]
    ANSWER_UNSPECIFIED: RenewResult.Answer
    ANSWER_RENEWED: RenewResult.Answer
    ANSWER_LEASE_LOST: RenewResult.Answer
    ANSWER_NOT_FOUND: RenewResult.Answer
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    answer: RenewResult.Answer
    lease_duration: _duration_pb2.Duration
    def __init__(self, attempt_id: _Optional[str] = ..., answer: _Optional[_Union[RenewResult.Answer, str]] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ReportOutcomesRequest(_message.Message):
    __slots__ = ("reports",)
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[OutcomeReport]
    def __init__(self, reports: _Optional[_Iterable[_Union[OutcomeReport, _Mapping]]] = ...) -> None: ...

class OutcomeReport(_message.Message):
    __slots__ = ("lease", "outcome", "ring_duration", "talk_duration", "ended_ago", "telephony_cause", "channel_id")
    LEASE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RING_DURATION_FIELD_NUMBER: _ClassVar[int]
    TALK_DURATION_FIELD_NUMBER: _ClassVar[int]
    ENDED_AGO_FIELD_NUMBER: _ClassVar[int]
    TELEPHONY_CAUSE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    lease: Lease
    outcome: _types_pb2.Outcome
    ring_duration: _duration_pb2.Duration
    talk_duration: _duration_pb2.Duration
    ended_ago: _duration_pb2.Duration
    telephony_cause: str
    channel_id: str
    def __init__(self, lease: _Optional[_Union[Lease, _Mapping]] = ..., outcome: _Optional[_Union[_types_pb2.Outcome, str]] = ..., ring_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., talk_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., ended_ago: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., telephony_cause: _Optional[str] = ..., channel_id: _Optional[str] = ...) -> None: ...

class ReportOutcomesResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ReportResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ReportResult, _Mapping]]] = ...) -> None: ...

class ReportResult(_message.Message):
    __slots__ = ("attempt_id", "answer", "decision")
    class Answer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ANSWER_UNSPECIFIED: _ClassVar[ReportResult.Answer]
        ANSWER_ACCEPTED: _ClassVar[ReportResult.Answer]
        ANSWER_REPLAYED: _ClassVar[ReportResult.Answer]
        ANSWER_LATE: _ClassVar[ReportResult.Answer]
        ANSWER_CONFLICT: _ClassVar[ReportResult.Answer]
        ANSWER_LEASE_LOST: _ClassVar[ReportResult.Answer]
        ANSWER_NOT_FOUND: _ClassVar[ReportResult.Answer]
    ANSWER_UNSPECIFIED: ReportResult.Answer
    ANSWER_ACCEPTED: ReportResult.Answer
    ANSWER_REPLAYED: ReportResult.Answer
    ANSWER_LATE: ReportResult.Answer
    ANSWER_CONFLICT: ReportResult.Answer
    ANSWER_LEASE_LOST: ReportResult.Answer
    ANSWER_NOT_FOUND: ReportResult.Answer
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    answer: ReportResult.Answer
    decision: Decision
    def __init__(self, attempt_id: _Optional[str] = ..., answer: _Optional[_Union[ReportResult.Answer, str]] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("closed_reason", "next_call_time", "next_call_in", "next_number", "next_contact_item_type_display_name", "rule")
    CLOSED_REASON_FIELD_NUMBER: _ClassVar[int]
    NEXT_CALL_TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_CALL_IN_FIELD_NUMBER: _ClassVar[int]
    NEXT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    NEXT_CONTACT_ITEM_TYPE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    closed_reason: _types_pb2.CloseReason
    next_call_time: _timestamp_pb2.Timestamp
    next_call_in: _duration_pb2.Duration
    next_number: str
    next_contact_item_type_display_name: str
    rule: _types_pb2.DialRule
    def __init__(self, closed_reason: _Optional[_Union[_types_pb2.CloseReason, str]] = ..., next_call_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_call_in: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., next_number: _Optional[str] = ..., next_contact_item_type_display_name: _Optional[str] = ..., rule: _Optional[_Union[_types_pb2.DialRule, str]] = ...) -> None: ...

class ReleaseAttemptsRequest(_message.Message):
    __slots__ = ("leases",)
    LEASES_FIELD_NUMBER: _ClassVar[int]
    leases: _containers.RepeatedCompositeFieldContainer[Lease]
    def __init__(self, leases: _Optional[_Iterable[_Union[Lease, _Mapping]]] = ...) -> None: ...

class ReleaseAttemptsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ReleaseResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ReleaseResult, _Mapping]]] = ...) -> None: ...

class ReleaseResult(_message.Message):
    __slots__ = ("attempt_id", "answer")
    class Answer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ANSWER_UNSPECIFIED: _ClassVar[ReleaseResult.Answer]
        ANSWER_RELEASED: _ClassVar[ReleaseResult.Answer]
        ANSWER_BEGUN: _ClassVar[ReleaseResult.Answer]
        ANSWER_NOT_FOUND: _ClassVar[ReleaseResult.Answer]
    ANSWER_UNSPECIFIED: ReleaseResult.Answer
    ANSWER_RELEASED: ReleaseResult.Answer
    ANSWER_BEGUN: ReleaseResult.Answer
    ANSWER_NOT_FOUND: ReleaseResult.Answer
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    answer: ReleaseResult.Answer
    def __init__(self, attempt_id: _Optional[str] = ..., answer: _Optional[_Union[ReleaseResult.Answer, str]] = ...) -> None: ...

class StopWorkerRequest(_message.Message):
    __slots__ = ("worker_id",)
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    def __init__(self, worker_id: _Optional[str] = ...) -> None: ...

class StopWorkerResponse(_message.Message):
    __slots__ = ("released_attempt_count", "begun_attempt_count")
    RELEASED_ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    BEGUN_ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    released_attempt_count: int
    begun_attempt_count: int
    def __init__(self, released_attempt_count: _Optional[int] = ..., begun_attempt_count: _Optional[int] = ...) -> None: ...
