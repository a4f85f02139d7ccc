from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_ANSWERED: _ClassVar[Outcome]
    OUTCOME_NO_ANSWER: _ClassVar[Outcome]
    OUTCOME_BUSY: _ClassVar[Outcome]
    OUTCOME_CONGESTION: _ClassVar[Outcome]
    OUTCOME_NO_SUCH_NUMBER: _ClassVar[Outcome]
    OUTCOME_DROP: _ClassVar[Outcome]
    OUTCOME_ABANDONED: _ClassVar[Outcome]
    OUTCOME_MACHINE: _ClassVar[Outcome]
    OUTCOME_AGENT_REJECT: _ClassVar[Outcome]
    OUTCOME_NOT_DIALED: _ClassVar[Outcome]

class CallStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALL_STATUS_UNSPECIFIED: _ClassVar[CallStatus]
    CALL_STATUS_ANSWERED: _ClassVar[CallStatus]
    CALL_STATUS_NO_ANSWER: _ClassVar[CallStatus]
    CALL_STATUS_BUSY: _ClassVar[CallStatus]
    CALL_STATUS_CONGESTION: _ClassVar[CallStatus]
    CALL_STATUS_NO_SUCH_NUMBER: _ClassVar[CallStatus]
    CALL_STATUS_DROP: _ClassVar[CallStatus]
    CALL_STATUS_ABANDONED: _ClassVar[CallStatus]
    CALL_STATUS_MACHINE: _ClassVar[CallStatus]
    CALL_STATUS_AGENT_REJECT: _ClassVar[CallStatus]
    CALL_STATUS_UNKNOWN: _ClassVar[CallStatus]

class CloseReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLOSE_REASON_UNSPECIFIED: _ClassVar[CloseReason]
    CLOSE_REASON_REACHED: _ClassVar[CloseReason]
    CLOSE_REASON_RETRY_LIMIT: _ClassVar[CloseReason]
    CLOSE_REASON_BLACKLISTED: _ClassVar[CloseReason]
    CLOSE_REASON_NO_DIALABLE_NUMBER: _ClassVar[CloseReason]
    CLOSE_REASON_EXPIRED: _ClassVar[CloseReason]
    CLOSE_REASON_DELETED: _ClassVar[CloseReason]
    CLOSE_REASON_MERGED: _ClassVar[CloseReason]
    CLOSE_REASON_REMOVED: _ClassVar[CloseReason]
    CLOSE_REASON_STOPPED: _ClassVar[CloseReason]

class DialRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIAL_RULE_UNSPECIFIED: _ClassVar[DialRule]
    DIAL_RULE_FIRST_CALL: _ClassVar[DialRule]
    DIAL_RULE_NEXT_NUMBER: _ClassVar[DialRule]
    DIAL_RULE_NEXT_CYCLE: _ClassVar[DialRule]
    DIAL_RULE_SAME_NUMBER: _ClassVar[DialRule]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_ANSWERED: Outcome
OUTCOME_NO_ANSWER: Outcome
OUTCOME_BUSY: Outcome
OUTCOME_CONGESTION: Outcome
OUTCOME_NO_SUCH_NUMBER: Outcome
OUTCOME_DROP: Outcome
OUTCOME_ABANDONED: Outcome
OUTCOME_MACHINE: Outcome
OUTCOME_AGENT_REJECT: Outcome
OUTCOME_NOT_DIALED: Outcome
CALL_STATUS_UNSPECIFIED: CallStatus
CALL_STATUS_ANSWERED: CallStatus
CALL_STATUS_NO_ANSWER: CallStatus
CALL_STATUS_BUSY: CallStatus
CALL_STATUS_CONGESTION: CallStatus
CALL_STATUS_NO_SUCH_NUMBER: CallStatus
CALL_STATUS_DROP: CallStatus
CALL_STATUS_ABANDONED: CallStatus
CALL_STATUS_MACHINE: CallStatus
CALL_STATUS_AGENT_REJECT: CallStatus
CALL_STATUS_UNKNOWN: CallStatus
CLOSE_REASON_UNSPECIFIED: CloseReason
CLOSE_REASON_REACHED: CloseReason
CLOSE_REASON_RETRY_LIMIT: CloseReason
CLOSE_REASON_BLACKLISTED: CloseReason
CLOSE_REASON_NO_DIALABLE_NUMBER: CloseReason
CLOSE_REASON_EXPIRED: CloseReason
CLOSE_REASON_DELETED: CloseReason
CLOSE_REASON_MERGED: CloseReason
CLOSE_REASON_REMOVED: CloseReason
CLOSE_REASON_STOPPED: CloseReason
DIAL_RULE_UNSPECIFIED: DialRule
DIAL_RULE_FIRST_CALL: DialRule
DIAL_RULE_NEXT_NUMBER: DialRule
DIAL_RULE_NEXT_CYCLE: DialRule
DIAL_RULE_SAME_NUMBER: DialRule
