import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ContactList(_message.Message):
    __slots__ = ("name", "display_name", "default_region", "extensions_allowed", "contact_count", "create_time", "update_time", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_REGION_FIELD_NUMBER: _ClassVar[int]
    EXTENSIONS_ALLOWED_FIELD_NUMBER: _ClassVar[int]
    CONTACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    default_region: str
    extensions_allowed: bool
    contact_count: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., default_region: _Optional[str] = ..., extensions_allowed: bool = ..., contact_count: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class CreateContactListRequest(_message.Message):
    __slots__ = ("contact_list", "request_id")
    CONTACT_LIST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    contact_list: ContactList
    request_id: str
    def __init__(self, contact_list: _Optional[_Union[ContactList, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateContactListResponse(_message.Message):
    __slots__ = ("contact_list",)
    CONTACT_LIST_FIELD_NUMBER: _ClassVar[int]
    contact_list: ContactList
    def __init__(self, contact_list: _Optional[_Union[ContactList, _Mapping]] = ...) -> None: ...

class GetContactListRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetContactListResponse(_message.Message):
    __slots__ = ("contact_list",)
    CONTACT_LIST_FIELD_NUMBER: _ClassVar[int]
    contact_list: ContactList
    def __init__(self, contact_list: _Optional[_Union[ContactList, _Mapping]] = ...) -> None: ...

class ListContactListsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "display_name")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    display_name: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class ListContactListsResponse(_message.Message):
    __slots__ = ("contact_lists", "next_page_token")
    CONTACT_LISTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    contact_lists: _containers.RepeatedCompositeFieldContainer[ContactList]
    next_page_token: str
    def __init__(self, contact_lists: _Optional[_Iterable[_Union[ContactList, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateContactListRequest(_message.Message):
    __slots__ = ("contact_list", "update_mask")
    CONTACT_LIST_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    contact_list: ContactList
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, contact_list: _Optional[_Union[ContactList, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class UpdateContactListResponse(_message.Message):
    __slots__ = ("contact_list",)
    CONTACT_LIST_FIELD_NUMBER: _ClassVar[int]
    contact_list: ContactList
    def __init__(self, contact_list: _Optional[_Union[ContactList, _Mapping]] = ...) -> None: ...

class DeleteContactListRequest(_message.Message):
    __slots__ = ("name", "force", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    force: bool
    etag: str
    def __init__(self, name: _Optional[str] = ..., force: bool = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteContactListResponse(_message.Message):
    __slots__ = ("deleted_contact_count",)
    DELETED_CONTACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    deleted_contact_count: int
    def __init__(self, deleted_contact_count: _Optional[int] = ...) -> None: ...
