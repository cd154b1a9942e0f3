"""One cluster's server: made, started, found running, stopped.

Everything here happens while the caller holds the lock under which starting and stopping are decided. Whether a server
is there is told by the lock that it holds, never by postmaster.pid.
"""

import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bilty.postgres import locks
from bilty.postgres.programs import (
    HERE,
    MAJOR_VERSION,
    NO_ANSWER,
    NOT_YET,
    READY,
    PostgresUnavailable,
    Programs,
)

START_SECONDS = 30
# After a crash the server first replays its log, and stopping it then would only make it begin again.
RECOVERY_SECONDS = 300
STOP_SECONDS = 30
LOG_BYTES_MAX = 10_000_000
SOCKET_BASE = re.compile(r"[A-Za-z0-9._/-]{1,60}")  # a socket's path ends at 107 bytes
SETTINGS = (
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=128MB",
    "timezone=UTC",
    "log_timezone=UTC",
    "cluster_name=bilty",
)
# For tests alone: data written like this does not survive a power cut.
HASTY_SETTINGS = ("fsync=off", "full_page_writes=off")


@dataclass(slots=True)
class Cluster:
    data_dir: Path
    programs: Programs
    durable: bool
    reaper: threading.Thread | None = None

    @property
    def folder(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def log(self) -> Path:
        return self.data_dir / "postgres.log"

    @property
    def server_lock(self) -> Path:
        return self.data_dir / "postgres.server.lock"

    def ensure_running(self) -> Path:
        """Starts the server unless one runs already, and returns the folder of its socket."""
        with locks.opened(self.server_lock) as lock:
            began = time.monotonic()
            # Held: by a server that answers, or by what a killed one left behind and which ends within seconds.
            while not locks.taken(lock):
                running = self._postmaster()
                answer = self.programs.answers(running.socket_folder) if running else NO_ANSWER
                if running and answer == READY:
                    return running.socket_folder
                if time.monotonic() > began + _patience(answer):
                    raise self._silent(running)
                time.sleep(locks.POLL_SECONDS)
            self._make_if_missing(lock)
            return self._start(lock)

    def stop(self) -> None:
        """Stops the server, at first as `pg_ctl stop -m fast` does; no error if there is none or it takes too long."""
        with locks.opened(self.server_lock) as lock:
            running = self._postmaster()
            for request in (signal.SIGINT, signal.SIGQUIT):
                if locks.taken(lock) or running is None or not running.is_postgres():
                    break
                with suppress(ProcessLookupError):
                    os.kill(running.pid, request)
                locks.taken(lock, STOP_SECONDS)
        if self.reaper is not None:
            self.reaper.join(STOP_SECONDS)
        if running is not None:
            with suppress(OSError):
                running.socket_folder.rmdir()

    def _make_if_missing(self, lock: int) -> None:
        """Makes the cluster under another name: one killed half-way is never taken for a cluster."""
        version = self.folder / "PG_VERSION"
        if version.exists():
            if (found := version.read_text().strip()) != MAJOR_VERSION:
                raise PostgresUnavailable(
                    f"PostgreSQL {MAJOR_VERSION} cannot open {self.folder}, which was written by PostgreSQL {found}: "
                    "bring its data over with that version's pg_dump, or go back to the Bilty that wrote it."
                )
            if self.folder.stat().st_uid != self.programs.account.uid:
                self.programs.account.own(self.folder)
            return
        fresh = self.data_dir / "postgres.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        self.programs.account.own(fresh)
        self._initialise(fresh, lock)
        fresh.rename(self.folder)
        _sync(self.data_dir)

    def _initialise(self, fresh: Path, lock: int) -> None:
        haste = () if self.durable else ("--no-sync",)
        language = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        # Trust is for whoever can reach the socket, and its folder is closed to everyone else.
        access = ("--username=bilty", "--auth-local=trust", "--auth-host=reject")
        self.programs.run("initdb", "-D", HERE, *language, *access, *haste, folder=fresh, lock=lock)
        settings = _options((*(() if self.durable else HASTY_SETTINGS), "exit_on_error=on"))
        statement = b"CREATE DATABASE bilty;\n"
        self.programs.run(
            "postgres", "--single", "-D", HERE, *settings, "postgres", folder=fresh, lock=lock, given=statement
        )

    def _start(self, lock: int) -> Path:
        socket_folder = self._socket_folder()
        # No process of a server of ours is left, or the lock were not ours. A process number in these files may by now
        # be a zombie's or another program's, and PostgreSQL would refuse to start for as long as that lives. Should
        # somebody have started a server by hand: PostgreSQL finds its shared memory by the folder's inode, and refuses.
        for stale in (self.folder / "postmaster.pid", socket_folder / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)
        settings = _options(
            (*SETTINGS, f"unix_socket_directories={socket_folder}", *(() if self.durable else HASTY_SETTINGS))
        )
        log = locks.open_own(self.log, os.O_WRONLY | os.O_APPEND)
        try:
            if os.fstat(log).st_size > LOG_BYTES_MAX:
                os.ftruncate(log, 0)
            log_before = os.fstat(log).st_size
            process = self.programs.start("postgres", "-D", HERE, *settings, folder=self.folder, lock=lock, output=log)
        finally:
            os.close(log)
        try:
            self._wait_until_ready(process, socket_folder, log_before)
        except BaseException:
            _end(process)
            with suppress(OSError):
                socket_folder.rmdir()
            raise
        # We are its parent until we end, and a parent has to fetch its dead child whenever that dies.
        self.reaper = threading.Thread(target=process.wait, name="postgres-reaper", daemon=True)
        self.reaper.start()
        return socket_folder

    def _wait_until_ready(self, process: subprocess.Popen[bytes], socket_folder: Path, log_before: int) -> None:
        began = time.monotonic()
        while (answer := self.programs.answers(socket_folder)) != READY:
            if process.poll() is not None or time.monotonic() > began + _patience(answer):
                ended = "did not answer in time" if process.returncode is None else "ended at once"
                raise PostgresUnavailable(
                    f"PostgreSQL was started in {self.folder} but {ended}; its log {self.log} ends with "
                    f"“{_last_lines(self.log, log_before)}”: mend what it names and start again."
                )
            time.sleep(locks.POLL_SECONDS)

    def _socket_folder(self) -> Path:
        """A short folder closed to others, its name told by the data folder's, and nobody else's making."""
        account = self.programs.account
        base = tempfile.gettempdir()
        # Root's TMPDIR may be closed to the server's user; and clients would take a comma for the end of a name.
        if not account.is_us or not SOCKET_BASE.fullmatch(base):
            base = "/tmp"  # noqa: S108, what is there is verified
        told_by = os.fsencode(f"{account.uid}:{self.data_dir}")
        folder = Path(base) / f"bilty-{hashlib.sha256(told_by).hexdigest()[:16]}"
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        ours = found.st_uid in {account.uid, os.geteuid()}
        if not stat.S_ISDIR(found.st_mode) or not ours or found.st_mode & 0o077:
            raise PostgresUnavailable(
                f"PostgreSQL's socket cannot be put in {folder}, which must be a folder of user {account.uid}, closed "
                "to all others, and is not: somebody else made it; remove it and start again."
            )
        account.own(folder)
        return folder

    def _postmaster(self) -> "Postmaster | None":
        """The server that postmaster.pid tells of, if it tells of one that is far enough to have a socket."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
            return Postmaster(int(lines[0]), Path(lines[4]))
        except (FileNotFoundError, IndexError, ValueError):
            return None

    def _silent(self, running: "Postmaster | None") -> PostgresUnavailable:
        who = f"process {running.pid}" if running else f"whatever holds {self.server_lock}"
        return PostgresUnavailable(
            f"PostgreSQL is running in {self.folder} but has not answered for {START_SECONDS} s (if Bilty runs in "
            f"several containers, they cannot share this folder): end {who} and start again."
        )


@dataclass(frozen=True, slots=True)
class Postmaster:
    pid: int
    socket_folder: Path

    def is_postgres(self) -> bool:
        try:
            return Path(f"/proc/{self.pid}/comm").read_text().strip() == "postgres"
        except (FileNotFoundError, ProcessLookupError):
            return False


def _patience(answer: int) -> int:
    return RECOVERY_SECONDS if answer == NOT_YET else START_SECONDS


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _options(settings: tuple[str, ...]) -> list[str]:
    return [argument for setting in settings for argument in ("-c", setting)]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_lines(log: Path, since: int, lines: int = 6) -> str:
    with log.open("rb") as file:
        file.seek(max(since, file.seek(0, os.SEEK_END) - 4096))
        said = file.read().decode(errors="replace").splitlines()
    return " / ".join(said[-lines:])
