import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ContactItemType(_message.Message):
    __slots__ = ("name", "display_name", "order_by", "colour", "create_time", "update_time", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    COLOUR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    order_by: int
    colour: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., order_by: _Optional[int] = ..., colour: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class CreateContactItemTypeRequest(_message.Message):
    __slots__ = ("contact_item_type", "request_id", "validate_only")
    CONTACT_ITEM_TYPE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    contact_item_type: ContactItemType
    request_id: str
    validate_only: bool
    def __init__(self, contact_item_type: _Optional[_Union[ContactItemType, _Mapping]] = ..., request_id: _Optional[str] = ..., validate_only: bool = ...) -> None: ...

class CreateContactItemTypeResponse(_message.Message):
    __slots__ = ("contact_item_type",)
    CONTACT_ITEM_TYPE_FIELD_NUMBER: _ClassVar[int]
    contact_item_type: ContactItemType
    def __init__(self, contact_item_type: _Optional[_Union[ContactItemType, _Mapping]] = ...) -> None: ...

class GetContactItemTypeRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetContactItemTypeResponse(_message.Message):
    __slots__ = ("contact_item_type",)
    CONTACT_ITEM_TYPE_FIELD_NUMBER: _ClassVar[int]
    contact_item_type: ContactItemType
    def __init__(self, contact_item_type: _Optional[_Union[ContactItemType, _Mapping]] = ...) -> None: ...

class ListContactItemTypesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListContactItemTypesResponse(_message.Message):
    __slots__ = ("contact_item_types", "next_page_token")
    CONTACT_ITEM_TYPES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    contact_item_types: _containers.RepeatedCompositeFieldContainer[ContactItemType]
    next_page_token: str
    def __init__(self, contact_item_types: _Optional[_Iterable[_Union[ContactItemType, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateContactItemTypeRequest(_message.Message):
    __slots__ = ("contact_item_type", "update_mask", "validate_only")
    CONTACT_ITEM_TYPE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    contact_item_type: ContactItemType
    update_mask: _field_mask_pb2.FieldMask
    validate_only: bool
    def __init__(self, contact_item_type: _Optional[_Union[ContactItemType, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., validate_only: bool = ...) -> None: ...

class UpdateContactItemTypeResponse(_message.Message):
    __slots__ = ("contact_item_type", "affected_entry_count", "changed_next_call_count")
    CONTACT_ITEM_TYPE_FIELD_NUMBER: _ClassVar[int]
    AFFECTED_ENTRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_NEXT_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    contact_item_type: ContactItemType
    affected_entry_count: int
    changed_next_call_count: int
    def __init__(self, contact_item_type: _Optional[_Union[ContactItemType, _Mapping]] = ..., affected_entry_count: _Optional[int] = ..., changed_next_call_count: _Optional[int] = ...) -> None: ...

class DeleteContactItemTypeRequest(_message.Message):
    __slots__ = ("name", "force", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    force: bool
    etag: str
    def __init__(self, name: _Optional[str] = ..., force: bool = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteContactItemTypeResponse(_message.Message):
    __slots__ = ("untyped_phone_count",)
    UNTYPED_PHONE_COUNT_FIELD_NUMBER: _ClassVar[int]
    untyped_phone_count: int
    def __init__(self, untyped_phone_count: _Optional[int] = ...) -> None: ...
