"""A proxy that loses answers: it cuts connections after so many bytes, or at a COMMIT."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_CHUNK: Final = 1 << 16
_COMMIT: Final = b"COMMIT\x00"

Address = tuple[str, int] | Path
"""A TCP address, or the path of a unix socket."""


class Proxy:
    """Pass bytes between clients and one server, until told otherwise.

    Args:
        upstream: The server.
        listen: Where clients connect; a free port of 127.0.0.1 when None.
    """

    def __init__(self, upstream: Address, listen: Path | None = None) -> None:
        self._upstream = upstream
        self._listener = _listener(listen)
        self._links: set[_Link] = set()
        self._lock = threading.Lock()
        self._passes = threading.Event()
        self._passes.set()
        self._plan: CommitCut | None = None
        self._left: int | None = None  # bytes of answers until everything is cut
        self.cuts = 0
        self.answered = 0
        """Bytes that were passed from the server to clients."""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._passes.set()
        self.cut()

    def cut(self) -> None:
        """Cut every connection now."""
        with self._lock:
            links, self._links = self._links, set()
            self.cuts += len(links)
        for link in links:
            link.close()

    def cut_after(self, answer_bytes: int) -> None:
        """Cut every connection once so many further bytes of answers were passed."""
        with self._lock:
            self._left = answer_bytes

    @contextmanager
    def holding_answers(self) -> Iterator[None]:
        """Keep answers back; what was kept is passed at the end, if its connection still is."""
        self._passes.clear()
        try:
            yield
        finally:
            self._passes.set()

    @contextmanager
    def cutting_commit(self, of: bytes, answer_bytes: int | None) -> Iterator[None]:
        """Cut the first connection that commits a transaction in which a text was sent.

        Args:
            of: Part of a statement of the transaction.
            answer_bytes: How much of the answer to COMMIT is passed; None: COMMIT itself is lost.
        """
        cuts = self.cuts
        self._plan = CommitCut(of, answer_bytes)
        yield
        self._plan = None
        assert self.cuts > cuts, "there was no such commit"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = _connected(self._upstream)
                except OSError:
                    client.close()
                    continue
                link = _Link(client, server)
                with self._lock:
                    self._links.add(link)
                threading.Thread(target=self._pass_questions, args=[link], daemon=True).start()
                threading.Thread(target=self._pass_answers, args=[link], daemon=True).start()

    def _pass_questions(self, link: "_Link") -> None:
        with suppress(OSError):
            while question := link.client.recv(_CHUNK):
                if not self._may_ask(link, question):
                    break
                link.server.sendall(question)
        self._close(link)

    def _pass_answers(self, link: "_Link") -> None:
        with suppress(OSError):
            while answer := link.server.recv(_CHUNK):
                self._passes.wait()
                kept = self._kept_of(link, answer)
                link.client.sendall(kept)
                self.answered += len(kept)
                if len(kept) < len(answer):
                    self.cuts += 1
                    break
        self._close(link)

    def _may_ask(self, link: "_Link", question: bytes) -> bool:
        """Look for the COMMIT to cut: the driver sends it alone, after all other answers."""
        plan = self._plan
        if plan is None:
            return True
        link.asked += question
        if _COMMIT in question:
            if plan.of in link.asked:
                self._plan = None
                if plan.answer_bytes is None:
                    self.cuts += 1
                    return False
                link.cut = plan
            link.asked = b""
        return True

    def _kept_of(self, link: "_Link", answer: bytes) -> bytes:
        if link.cut:
            return answer[: link.cut.answer_bytes]
        with self._lock:
            if self._left is None:
                return answer
            kept = answer[: self._left]
            self._left = None if len(kept) < len(answer) else self._left - len(kept)
            return kept

    def _close(self, link: "_Link") -> None:
        with self._lock:
            self._links.discard(link)
        link.close()


@dataclass(frozen=True)
class CommitCut:
    """One COMMIT that is to be lost, or its answer."""

    of: bytes
    answer_bytes: int | None


class _Link:
    """Both ends of one connection."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.asked = b""
        self.cut: CommitCut | None = None

    def close(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _listener(path: Path | None) -> socket.socket:
    if path is None:
        return socket.create_server(("127.0.0.1", 0))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def _connected(address: Address) -> socket.socket:
    if isinstance(address, Path):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(address))
        return connection
    return socket.create_connection(address)
