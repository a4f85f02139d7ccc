"""Page through lists by key: a page token says after which row the next page starts.

A token carries that row's key and a MAC over the key and the query, so that a token which is
damaged, made up, or from another query is refused. All servers share the secret: it is in the
database.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import Message

from server.errors import InvalidPageToken

if TYPE_CHECKING:
    from server.db import Transaction

_MAC_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Page:
    """Say where a page starts and how long it may be.

    Attributes:
        size: Most rows on the page.
        after: Key of the last row of the page before, one element a key column; for the first page
            a key that sorts before all rows.
    """

    size: int
    after: tuple[Any, ...]
    _secret: bytes
    _query: bytes

    @property
    def limit(self) -> int:
        """Return how many rows to ask for: one more than fit tells whether there is a next page."""
        return self.size + 1

    def rows(self, found: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Return the rows that fit on the page."""
        return found[: self.size]

    def next_token(self, found: Sequence[Mapping[str, Any]], *columns: str) -> str:
        """Return the token of the next page; "" when this is the last.

        Args:
            found: Up to `limit` rows, in the order of the key.
            columns: The key columns, the same as in `after`; integers or text.
        """
        if len(found) <= self.size:
            return ""
        return self._token([found[self.size - 1][column] for column in columns])

    def resume_token(self, found: Sequence[Mapping[str, Any]], *columns: str) -> str:
        """Return a token that goes on after the last row found, or from where this page began."""
        return self._token([found[-1][column] for column in columns] if found else self.after)

    def _token(self, values: Sequence[Any]) -> str:
        key = json.dumps(values, separators=(",", ":")).encode()
        return _text(_mac(self._secret, self._query, key) + key)


async def open_page(tx: "Transaction", request: Message, size: int, first: tuple[Any, ...]) -> Page:
    """Read the page token of a List request.

    Args:
        tx: The transaction that reads the page.
        request: A message with `page_size` and `page_token`; all its other fields are the query.
        size: The checked page size.
        first: A key that sorts before all rows; its shape is the key's shape.

    Raises:
        InvalidPageToken: The token is damaged or of another query.
    """
    [key] = await tx.many("get_server_key")
    secret, query = bytes(key["secret"]), _query_digest(request)
    token: str = getattr(request, "page_token")  # noqa: B009 - Message has no such attribute for mypy
    after = _read(token, secret, query, len(first)) if token else first
    return Page(size, after, secret, query)


def _query_digest(request: Message) -> bytes:
    query = type(request)()
    query.CopyFrom(request)
    query.ClearField("page_size")
    query.ClearField("page_token")
    text = query.SerializeToString(deterministic=True)
    return hashlib.sha256(request.DESCRIPTOR.full_name.encode() + b"\0" + text).digest()


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _mac(secret: bytes, query: bytes, key: bytes) -> bytes:
    return hmac.digest(secret, query + key, "sha256")[:_MAC_BYTES]


def _read(token: str, secret: bytes, query: bytes, key_length: int) -> tuple[Any, ...]:
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise InvalidPageToken from None
    if _text(sealed) != token:
        raise InvalidPageToken
    mac, key = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(secret, query, key)):
        raise InvalidPageToken
    after = tuple(json.loads(key))
    if len(after) != key_length:  # a token of another version of the server
        raise InvalidPageToken
    return after
