import datetime

from callhopper.v1 import types_pb2 as _types_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RetrySettings(_message.Message):
    __slots__ = ("global_max_attempts", "additional_phone_delay", "rules")
    GLOBAL_MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    ADDITIONAL_PHONE_DELAY_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    global_max_attempts: int
    additional_phone_delay: _duration_pb2.Duration
    rules: _containers.RepeatedCompositeFieldContainer[RetryRule]
    def __init__(self, global_max_attempts: _Optional[int] = ..., additional_phone_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., rules: _Optional[_Iterable[_Union[RetryRule, _Mapping]]] = ...) -> None: ...

class RetryRule(_message.Message):
    __slots__ = ("status", "max_attempts", "retry_interval", "on_failure")
    class OnFailure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ON_FAILURE_UNSPECIFIED: _ClassVar[RetryRule.OnFailure]
        ON_FAILURE_NEXT_NUMBER: _ClassVar[RetryRule.OnFailure]
        ON_FAILURE_SAME_NUMBER: _ClassVar[RetryRule.OnFailure]
    ON_FAILURE_UNSPECIFIED: RetryRule.OnFailure
    ON_FAILURE_NEXT_NUMBER: RetryRule.OnFailure
    ON_FAILURE_SAME_NUMBER: RetryRule.OnFailure
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    RETRY_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    status: _types_pb2.CallStatus
    max_attempts: int
    retry_interval: _duration_pb2.Duration
    on_failure: RetryRule.OnFailure
    def __init__(self, status: _Optional[_Union[_types_pb2.CallStatus, str]] = ..., max_attempts: _Optional[int] = ..., retry_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., on_failure: _Optional[_Union[RetryRule.OnFailure, str]] = ...) -> None: ...

class Campaign(_message.Message):
    __slots__ = ("name", "display_name", "state", "priority", "start_time", "end_time", "originate_timeout", "caller_id", "retry_settings", "settings_version", "check_duplicate", "duplicate_scope", "quarantine", "max_talk", "contact_lists", "create_time", "update_time", "etag")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Campaign.State]
        STATE_DRAFT: _ClassVar[Campaign.State]
        STATE_RUNNING: _ClassVar[Campaign.State]
        STATE_PAUSED: _ClassVar[Campaign.State]
        STATE_STOPPED: _ClassVar[Campaign.State]
    STATE_UNSPECIFIED: Campaign.State
    STATE_DRAFT: Campaign.State
    STATE_RUNNING: Campaign.State
    STATE_PAUSED: Campaign.State
    STATE_STOPPED: Campaign.State
    class CheckDuplicate(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CHECK_DUPLICATE_UNSPECIFIED: _ClassVar[Campaign.CheckDuplicate]
        CHECK_DUPLICATE_NEVER: _ClassVar[Campaign.CheckDuplicate]
        CHECK_DUPLICATE_ALWAYS: _ClassVar[Campaign.CheckDuplicate]
        CHECK_DUPLICATE_ONLY_IF_OPEN: _ClassVar[Campaign.CheckDuplicate]
    CHECK_DUPLICATE_UNSPECIFIED: Campaign.CheckDuplicate
    CHECK_DUPLICATE_NEVER: Campaign.CheckDuplicate
    CHECK_DUPLICATE_ALWAYS: Campaign.CheckDuplicate
    CHECK_DUPLICATE_ONLY_IF_OPEN: Campaign.CheckDuplicate
    class DuplicateScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DUPLICATE_SCOPE_UNSPECIFIED: _ClassVar[Campaign.DuplicateScope]
        DUPLICATE_SCOPE_ANY_NUMBER: _ClassVar[Campaign.DuplicateScope]
        DUPLICATE_SCOPE_PRIMARY: _ClassVar[Campaign.DuplicateScope]
    DUPLICATE_SCOPE_UNSPECIFIED: Campaign.DuplicateScope
    DUPLICATE_SCOPE_ANY_NUMBER: Campaign.DuplicateScope
    DUPLICATE_SCOPE_PRIMARY: Campaign.DuplicateScope
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ORIGINATE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    CALLER_ID_FIELD_NUMBER: _ClassVar[int]
    RETRY_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHECK_DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_SCOPE_FIELD_NUMBER: _ClassVar[int]
    QUARANTINE_FIELD_NUMBER: _ClassVar[int]
    MAX_TALK_FIELD_NUMBER: _ClassVar[int]
    CONTACT_LISTS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    state: Campaign.State
    priority: int
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    originate_timeout: _duration_pb2.Duration
    caller_id: str
    retry_settings: RetrySettings
    settings_version: int
    check_duplicate: Campaign.CheckDuplicate
    duplicate_scope: Campaign.DuplicateScope
    quarantine: _duration_pb2.Duration
    max_talk: _duration_pb2.Duration
    contact_lists: _containers.RepeatedScalarFieldContainer[str]
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., state: _Optional[_Union[Campaign.State, str]] = ..., priority: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., originate_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., caller_id: _Optional[str] = ..., retry_settings: _Optional[_Union[RetrySettings, _Mapping]] = ..., settings_version: _Optional[int] = ..., check_duplicate: _Optional[_Union[Campaign.CheckDuplicate, str]] = ..., duplicate_scope: _Optional[_Union[Campaign.DuplicateScope, str]] = ..., quarantine: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_talk: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., contact_lists: _Optional[_Iterable[str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class CreateCampaignRequest(_message.Message):
    __slots__ = ("campaign", "request_id")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    campaign: Campaign
    request_id: str
    def __init__(self, campaign: _Optional[_Union[Campaign, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateCampaignResponse(_message.Message):
    __slots__ = ("campaign",)
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    campaign: Campaign
    def __init__(self, campaign: _Optional[_Union[Campaign, _Mapping]] = ...) -> None: ...

class GetCampaignRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetCampaignResponse(_message.Message):
    __slots__ = ("campaign",)
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    campaign: Campaign
    def __init__(self, campaign: _Optional[_Union[Campaign, _Mapping]] = ...) -> None: ...

class ListCampaignsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "states", "display_name")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    states: _containers.RepeatedScalarFieldContainer[Campaign.State]
    display_name: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., states: _Optional[_Iterable[_Union[Campaign.State, str]]] = ..., display_name: _Optional[str] = ...) -> None: ...

class ListCampaignsResponse(_message.Message):
    __slots__ = ("campaigns", "next_page_token")
    CAMPAIGNS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    campaigns: _containers.RepeatedCompositeFieldContainer[Campaign]
    next_page_token: str
    def __init__(self, campaigns: _Optional[_Iterable[_Union[Campaign, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateCampaignRequest(_message.Message):
    __slots__ = ("campaign", "update_mask")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    campaign: Campaign
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, campaign: _Optional[_Union[Campaign, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class UpdateCampaignResponse(_message.Message):
    __slots__ = ("campaign",)
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    campaign: Campaign
    def __init__(self, campaign: _Optional[_Union[Campaign, _Mapping]] = ...) -> None: ...

class DeleteCampaignRequest(_message.Message):
    __slots__ = ("name", "force", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    force: bool
    etag: str
    def __init__(self, name: _Optional[str] = ..., force: bool = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteCampaignResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StartCampaignRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class StartCampaignResponse(_message.Message):
    __slots__ = ("campaign",)
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    campaign: Campaign
    def __init__(self, campaign: _Optional[_Union[Campaign, _Mapping]] = ...) -> None: ...

class PauseCampaignRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class PauseCampaignResponse(_message.Message):
    __slots__ = ("campaign",)
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    campaign: Campaign
    def __init__(self, campaign: _Optional[_Union[Campaign, _Mapping]] = ...) -> None: ...

class StopCampaignRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class StopCampaignResponse(_message.Message):
    __slots__ = ("campaign", "closed_entry_count", "live_entry_count")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    CLOSED_ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    LIVE_ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    campaign: Campaign
    closed_entry_count: int
    live_entry_count: int
    def __init__(self, campaign: _Optional[_Union[Campaign, _Mapping]] = ..., closed_entry_count: _Optional[int] = ..., live_entry_count: _Optional[int] = ...) -> None: ...

class AddCampaignListRequest(_message.Message):
    __slots__ = ("name", "contact_list")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTACT_LIST_FIELD_NUMBER: _ClassVar[int]
    name: str
    contact_list: str
    def __init__(self, name: _Optional[str] = ..., contact_list: _Optional[str] = ...) -> None: ...

class AddCampaignListResponse(_message.Message):
    __slots__ = ("loaded_entry_count", "duplicate_contact_count")
    LOADED_ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_CONTACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    loaded_entry_count: int
    duplicate_contact_count: int
    def __init__(self, loaded_entry_count: _Optional[int] = ..., duplicate_contact_count: _Optional[int] = ...) -> None: ...

class RemoveCampaignListRequest(_message.Message):
    __slots__ = ("name", "contact_list")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTACT_LIST_FIELD_NUMBER: _ClassVar[int]
    name: str
    contact_list: str
    def __init__(self, name: _Optional[str] = ..., contact_list: _Optional[str] = ...) -> None: ...

class RemoveCampaignListResponse(_message.Message):
    __slots__ = ("closed_entry_count", "live_entry_count")
    CLOSED_ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    LIVE_ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    closed_entry_count: int
    live_entry_count: int
    def __init__(self, closed_entry_count: _Optional[int] = ..., live_entry_count: _Optional[int] = ...) -> None: ...

class GetCampaignStatsRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetCampaignStatsResponse(_message.Message):
    __slots__ = ("stats",)
    STATS_FIELD_NUMBER: _ClassVar[int]
    stats: CampaignStats
    def __init__(self, stats: _Optional[_Union[CampaignStats, _Mapping]] = ...) -> None: ...

class CampaignStats(_message.Message):
    __slots__ = ("loaded_count", "ready_count", "due_count", "live_count", "held_count", "final_count", "close_reasons", "call_count", "call_statuses", "next_due_in")
    LOADED_COUNT_FIELD_NUMBER: _ClassVar[int]
    READY_COUNT_FIELD_NUMBER: _ClassVar[int]
    DUE_COUNT_FIELD_NUMBER: _ClassVar[int]
    LIVE_COUNT_FIELD_NUMBER: _ClassVar[int]
    HELD_COUNT_FIELD_NUMBER: _ClassVar[int]
    FINAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    CLOSE_REASONS_FIELD_NUMBER: _ClassVar[int]
    CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    CALL_STATUSES_FIELD_NUMBER: _ClassVar[int]
    NEXT_DUE_IN_FIELD_NUMBER: _ClassVar[int]
    loaded_count: int
    ready_count: int
    due_count: int
    live_count: int
    held_count: int
    final_count: int
    close_reasons: _containers.RepeatedCompositeFieldContainer[CloseReasonCount]
    call_count: int
    call_statuses: _containers.RepeatedCompositeFieldContainer[CallStatusCount]
    next_due_in: _duration_pb2.Duration
    def __init__(self, loaded_count: _Optional[int] = ..., ready_count: _Optional[int] = ..., due_count: _Optional[int] = ..., live_count: _Optional[int] = ..., held_count: _Optional[int] = ..., final_count: _Optional[int] = ..., close_reasons: _Optional[_Iterable[_Union[CloseReasonCount, _Mapping]]] = ..., call_count: _Optional[int] = ..., call_statuses: _Optional[_Iterable[_Union[CallStatusCount, _Mapping]]] = ..., next_due_in: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class CloseReasonCount(_message.Message):
    __slots__ = ("reason", "count")
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    reason: _types_pb2.CloseReason
    count: int
    def __init__(self, reason: _Optional[_Union[_types_pb2.CloseReason, str]] = ..., count: _Optional[int] = ...) -> None: ...

class CallStatusCount(_message.Message):
    __slots__ = ("status", "count")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    status: _types_pb2.CallStatus
    count: int
    def __init__(self, status: _Optional[_Union[_types_pb2.CallStatus, str]] = ..., count: _Optional[int] = ...) -> None: ...

class PlanCallsRequest(_message.Message):
    __slots__ = ("campaign", "contact", "draft_contact", "retry_settings", "assumed_outcomes", "start_time", "max_calls")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    DRAFT_CONTACT_FIELD_NUMBER: _ClassVar[int]
    RETRY_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    ASSUMED_OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    MAX_CALLS_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    contact: str
    draft_contact: DraftContact
    retry_settings: RetrySettings
    assumed_outcomes: _containers.RepeatedCompositeFieldContainer[AssumedOutcomes]
    start_time: _timestamp_pb2.Timestamp
    max_calls: int
    def __init__(self, campaign: _Optional[str] = ..., contact: _Optional[str] = ..., draft_contact: _Optional[_Union[DraftContact, _Mapping]] = ..., retry_settings: _Optional[_Union[RetrySettings, _Mapping]] = ..., assumed_outcomes: _Optional[_Iterable[_Union[AssumedOutcomes, _Mapping]]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., max_calls: _Optional[int] = ...) -> None: ...

class DraftContact(_message.Message):
    __slots__ = ("phone", "additional_phones", "contact_item_types", "default_region")
    PHONE_FIELD_NUMBER: _ClassVar[int]
    ADDITIONAL_PHONES_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ITEM_TYPES_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_REGION_FIELD_NUMBER: _ClassVar[int]
    phone: str
    additional_phones: _containers.RepeatedCompositeFieldContainer[DraftPhone]
    contact_item_types: _containers.RepeatedCompositeFieldContainer[DraftItemType]
    default_region: str
    def __init__(self, phone: _Optional[str] = ..., additional_phones: _Optional[_Iterable[_Union[DraftPhone, _Mapping]]] = ..., contact_item_types: _Optional[_Iterable[_Union[DraftItemType, _Mapping]]] = ..., default_region: _Optional[str] = ...) -> None: ...

class DraftPhone(_message.Message):
    __slots__ = ("number", "contact_item_type_display_name")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ITEM_TYPE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    number: str
    contact_item_type_display_name: str
    def __init__(self, number: _Optional[str] = ..., contact_item_type_display_name: _Optional[str] = ...) -> None: ...

class DraftItemType(_message.Message):
    __slots__ = ("display_name", "order_by")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    order_by: int
    def __init__(self, display_name: _Optional[str] = ..., order_by: _Optional[int] = ...) -> None: ...

class AssumedOutcomes(_message.Message):
    __slots__ = ("number", "outcomes")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    number: str
    outcomes: _containers.RepeatedScalarFieldContainer[_types_pb2.Outcome]
    def __init__(self, number: _Optional[str] = ..., outcomes: _Optional[_Iterable[_Union[_types_pb2.Outcome, str]]] = ...) -> None: ...

class PlanCallsResponse(_message.Message):
    __slots__ = ("calls", "closed")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[PlannedCall]
    closed: PlannedClose
    def __init__(self, calls: _Optional[_Iterable[_Union[PlannedCall, _Mapping]]] = ..., closed: _Optional[_Union[PlannedClose, _Mapping]] = ...) -> None: ...

class PlannedCall(_message.Message):
    __slots__ = ("call_time", "number", "contact_item_type_display_name", "cycle", "position", "attempt_number", "status", "rule")
    CALL_TIME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ITEM_TYPE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CYCLE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    call_time: _timestamp_pb2.Timestamp
    number: str
    contact_item_type_display_name: str
    cycle: int
    position: int
    attempt_number: int
    status: _types_pb2.CallStatus
    rule: _types_pb2.DialRule
    def __init__(self, call_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., number: _Optional[str] = ..., contact_item_type_display_name: _Optional[str] = ..., cycle: _Optional[int] = ..., position: _Optional[int] = ..., attempt_number: _Optional[int] = ..., status: _Optional[_Union[_types_pb2.CallStatus, str]] = ..., rule: _Optional[_Union[_types_pb2.DialRule, str]] = ...) -> None: ...

class PlannedClose(_message.Message):
    __slots__ = ("close_time", "reason", "last_number", "last_contact_item_type_display_name", "attempt_count", "cycle_count")
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LAST_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LAST_CONTACT_ITEM_TYPE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CYCLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    close_time: _timestamp_pb2.Timestamp
    reason: _types_pb2.CloseReason
    last_number: str
    last_contact_item_type_display_name: str
    attempt_count: int
    cycle_count: int
    def __init__(self, close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[_Union[_types_pb2.CloseReason, str]] = ..., last_number: _Optional[str] = ..., last_contact_item_type_display_name: _Optional[str] = ..., attempt_count: _Optional[int] = ..., cycle_count: _Optional[int] = ...) -> None: ...
