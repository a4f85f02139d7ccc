"""Short names for what tests of RPCs about contacts use."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from server.db import PlainConnection
from tests.factories import Factory, table_contents


@pytest.fixture
def make(conn: PlainConnection) -> Factory:
    """Give a factory of rows."""
    return Factory(conn)


@pytest.fixture
def unchanged(conn: PlainConnection) -> Callable[[], AbstractContextManager[None]]:
    """Give `with unchanged():`, which fails when the block changes any row of any table."""

    @contextmanager
    def compare() -> Iterator[None]:
        before = table_contents(conn)
        yield
        assert table_contents(conn) == before

    return compare


@pytest.fixture
def item_types(stubs: Any) -> Any:
    """Give the stub of ContactItemTypeService."""
    return stubs.contact_item_types


@pytest.fixture
def lists(stubs: Any) -> Any:
    """Give the stub of ContactListService."""
    return stubs.contact_lists


@pytest.fixture
def contacts(stubs: Any) -> Any:
    """Give the stub of ContactService."""
    return stubs.contacts
