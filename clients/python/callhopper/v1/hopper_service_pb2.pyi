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

class HopperEntry(_message.Message):
    __slots__ = ("name", "contact", "state", "scheduled_time", "due_in", "priority", "cycle", "attempt_count", "last_number", "last_status", "last_end_time", "next_number", "next_rule")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[HopperEntry.State]
        STATE_READY: _ClassVar[HopperEntry.State]
        STATE_LIVE: _ClassVar[HopperEntry.State]
        STATE_HELD: _ClassVar[HopperEntry.State]
    STATE_UNSPECIFIED: HopperEntry.State
    STATE_READY: HopperEntry.State
    STATE_LIVE: HopperEntry.State
    STATE_HELD: HopperEntry.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_IN_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    CYCLE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LAST_STATUS_FIELD_NUMBER: _ClassVar[int]
    LAST_END_TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    NEXT_RULE_FIELD_NUMBER: _ClassVar[int]
    name: str
    contact: str
    state: HopperEntry.State
    scheduled_time: _timestamp_pb2.Timestamp
    due_in: _duration_pb2.Duration
    priority: int
    cycle: int
    attempt_count: int
    last_number: str
    last_status: _types_pb2.CallStatus
    last_end_time: _timestamp_pb2.Timestamp
    next_number: str
    next_rule: _types_pb2.DialRule
    def __init__(self, name: _Optional[str] = ..., contact: _Optional[str] = ..., state: _Optional[_Union[HopperEntry.State, str]] = ..., scheduled_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_in: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., priority: _Optional[int] = ..., cycle: _Optional[int] = ..., attempt_count: _Optional[int] = ..., last_number: _Optional[str] = ..., last_status: _Optional[_Union[_types_pb2.CallStatus, str]] = ..., last_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_number: _Optional[str] = ..., next_rule: _Optional[_Union[_types_pb2.DialRule, str]] = ...) -> None: ...

class ListHopperEntriesRequest(_message.Message):
    __slots__ = ("campaign", "page_size", "page_token", "states", "contact")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    page_size: int
    page_token: str
    states: _containers.RepeatedScalarFieldContainer[HopperEntry.State]
    contact: str
    def __init__(self, campaign: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., states: _Optional[_Iterable[_Union[HopperEntry.State, str]]] = ..., contact: _Optional[str] = ...) -> None: ...

class ListHopperEntriesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[HopperEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[HopperEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class HopperAdditionalPhone(_message.Message):
    __slots__ = ("entry", "contact", "number", "contact_item_type", "contact_item_type_display_name", "order_by", "colour", "dial_position", "total", "tallies", "state", "cycle")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[HopperAdditionalPhone.State]
        STATE_PENDING: _ClassVar[HopperAdditionalPhone.State]
        STATE_DIALING: _ClassVar[HopperAdditionalPhone.State]
        STATE_DIALED: _ClassVar[HopperAdditionalPhone.State]
        STATE_EXHAUSTED: _ClassVar[HopperAdditionalPhone.State]
    STATE_UNSPECIFIED: HopperAdditionalPhone.State
    STATE_PENDING: HopperAdditionalPhone.State
    STATE_DIALING: HopperAdditionalPhone.State
    STATE_DIALED: HopperAdditionalPhone.State
    STATE_EXHAUSTED: HopperAdditionalPhone.State
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ITEM_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ITEM_TYPE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    COLOUR_FIELD_NUMBER: _ClassVar[int]
    DIAL_POSITION_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    TALLIES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CYCLE_FIELD_NUMBER: _ClassVar[int]
    entry: str
    contact: str
    number: str
    contact_item_type: str
    contact_item_type_display_name: str
    order_by: int
    colour: str
    dial_position: int
    total: int
    tallies: _containers.RepeatedCompositeFieldContainer[CallStatusCountOfPhone]
    state: HopperAdditionalPhone.State
    cycle: int
    def __init__(self, entry: _Optional[str] = ..., contact: _Optional[str] = ..., number: _Optional[str] = ..., contact_item_type: _Optional[str] = ..., contact_item_type_display_name: _Optional[str] = ..., order_by: _Optional[int] = ..., colour: _Optional[str] = ..., dial_position: _Optional[int] = ..., total: _Optional[int] = ..., tallies: _Optional[_Iterable[_Union[CallStatusCountOfPhone, _Mapping]]] = ..., state: _Optional[_Union[HopperAdditionalPhone.State, str]] = ..., cycle: _Optional[int] = ...) -> None: ...

class CallStatusCountOfPhone(_message.Message):
    __slots__ = ("status", "count")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    status: _types_pb2.CallStatus
    count: int
    def __init__(self, status: _Optional[_Union[_types_pb2.CallStatus, str]] = ..., count: _Optional[int] = ...) -> None: ...

class ListAdditionalPhonesRequest(_message.Message):
    __slots__ = ("campaign", "page_size", "page_token", "contact")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    page_size: int
    page_token: str
    contact: str
    def __init__(self, campaign: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., contact: _Optional[str] = ...) -> None: ...

class ListAdditionalPhonesResponse(_message.Message):
    __slots__ = ("additional_phones", "next_page_token")
    ADDITIONAL_PHONES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    additional_phones: _containers.RepeatedCompositeFieldContainer[HopperAdditionalPhone]
    next_page_token: str
    def __init__(self, additional_phones: _Optional[_Iterable[_Union[HopperAdditionalPhone, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class HistoryCall(_message.Message):
    __slots__ = ("attempt_id", "entry", "contact", "number", "contact_item_type_display_name", "status", "cycle", "position", "attempt_number", "rule", "worker_id", "scheduled_time", "begin_time", "answer_time", "end_time", "ring_duration", "talk_duration", "telephony_cause", "channel_id", "settings_version", "corrected")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ITEM_TYPE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CYCLE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_TIME_FIELD_NUMBER: _ClassVar[int]
    BEGIN_TIME_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    RING_DURATION_FIELD_NUMBER: _ClassVar[int]
    TALK_DURATION_FIELD_NUMBER: _ClassVar[int]
    TELEPHONY_CAUSE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_VERSION_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    entry: str
    contact: str
    number: str
    contact_item_type_display_name: str
    status: _types_pb2.CallStatus
    cycle: int
    position: int
    attempt_number: int
    rule: _types_pb2.DialRule
    worker_id: str
    scheduled_time: _timestamp_pb2.Timestamp
    begin_time: _timestamp_pb2.Timestamp
    answer_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    ring_duration: _duration_pb2.Duration
    talk_duration: _duration_pb2.Duration
    telephony_cause: str
    channel_id: str
    settings_version: int
    corrected: bool
    def __init__(self, attempt_id: _Optional[str] = ..., entry: _Optional[str] = ..., contact: _Optional[str] = ..., number: _Optional[str] = ..., contact_item_type_display_name: _Optional[str] = ..., status: _Optional[_Union[_types_pb2.CallStatus, str]] = ..., cycle: _Optional[int] = ..., position: _Optional[int] = ..., attempt_number: _Optional[int] = ..., rule: _Optional[_Union[_types_pb2.DialRule, str]] = ..., worker_id: _Optional[str] = ..., scheduled_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., begin_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ring_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., talk_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., telephony_cause: _Optional[str] = ..., channel_id: _Optional[str] = ..., settings_version: _Optional[int] = ..., corrected: bool = ...) -> None: ...

class ListHistoryRequest(_message.Message):
    __slots__ = ("campaign", "page_size", "page_token", "contact", "feed")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    FEED_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    page_size: int
    page_token: str
    contact: str
    feed: bool
    def __init__(self, campaign: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., contact: _Optional[str] = ..., feed: bool = ...) -> None: ...

class ListHistoryResponse(_message.Message):
    __slots__ = ("calls", "next_page_token")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[HistoryCall]
    next_page_token: str
    def __init__(self, calls: _Optional[_Iterable[_Union[HistoryCall, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class FinalEntry(_message.Message):
    __slots__ = ("name", "contact", "reason", "last_number", "last_contact_item_type_display_name", "last_status", "attempt_count", "cycle_count", "tallies", "load_time", "first_begin_time", "last_end_time", "close_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LAST_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LAST_CONTACT_ITEM_TYPE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LAST_STATUS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CYCLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    TALLIES_FIELD_NUMBER: _ClassVar[int]
    LOAD_TIME_FIELD_NUMBER: _ClassVar[int]
    FIRST_BEGIN_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_END_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    contact: str
    reason: _types_pb2.CloseReason
    last_number: str
    last_contact_item_type_display_name: str
    last_status: _types_pb2.CallStatus
    attempt_count: int
    cycle_count: int
    tallies: _containers.RepeatedCompositeFieldContainer[NumberTally]
    load_time: _timestamp_pb2.Timestamp
    first_begin_time: _timestamp_pb2.Timestamp
    last_end_time: _timestamp_pb2.Timestamp
    close_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., contact: _Optional[str] = ..., reason: _Optional[_Union[_types_pb2.CloseReason, str]] = ..., last_number: _Optional[str] = ..., last_contact_item_type_display_name: _Optional[str] = ..., last_status: _Optional[_Union[_types_pb2.CallStatus, str]] = ..., attempt_count: _Optional[int] = ..., cycle_count: _Optional[int] = ..., tallies: _Optional[_Iterable[_Union[NumberTally, _Mapping]]] = ..., load_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., first_begin_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class NumberTally(_message.Message):
    __slots__ = ("number", "total", "statuses")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    number: str
    total: int
    statuses: _containers.RepeatedCompositeFieldContainer[CallStatusCountOfPhone]
    def __init__(self, number: _Optional[str] = ..., total: _Optional[int] = ..., statuses: _Optional[_Iterable[_Union[CallStatusCountOfPhone, _Mapping]]] = ...) -> None: ...

class ListFinalRequest(_message.Message):
    __slots__ = ("campaign", "page_size", "page_token", "reasons", "contact")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    page_size: int
    page_token: str
    reasons: _containers.RepeatedScalarFieldContainer[_types_pb2.CloseReason]
    contact: str
    def __init__(self, campaign: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., reasons: _Optional[_Iterable[_Union[_types_pb2.CloseReason, str]]] = ..., contact: _Optional[str] = ...) -> None: ...

class ListFinalResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[FinalEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[FinalEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RemoveEntryRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RemoveEntryResponse(_message.Message):
    __slots__ = ("closed",)
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    closed: bool
    def __init__(self, closed: bool = ...) -> None: ...
