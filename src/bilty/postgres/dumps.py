"""A database into a file and out of it again, by PostgreSQL's own programs: ours or another's server alike.

The programs are the carrier's, 18: they read every server from 15 up to that version. A newer one is backed up
with its own pg_dump.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit, urlunsplit

from bilty.postgres.programs import ENVIRONMENT, Account, PostgresUnavailable, find_programs

HEADER_LINES_MAX = 60
NEWER_SETTING = b"SET transaction_timeout"
"""In the head of what pg_restore 18 writes: servers before 17 do not know it, and stop there."""
REPLACED = "replaced_"
"""What the schemas begin with that a restore has put aside: no backup has them."""


def write(dsn: str, file: Path) -> None:
    """The whole database as it is at one moment, while everybody goes on. Raises PostgresUnavailable.

    Nobody but us may read it. It is whole or not there: it is written under another name and then renamed.
    """
    partial = file.with_name(f"{file.name}.partial")
    address, secret = _without_password(dsn)
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600))
        without = (f"--exclude-schema={REPLACED}*", "--exclude-table=public.being_restored")
        how = ("--format=custom", "--no-owner", "--no-privileges", *without, "--file", partial)
        _run("pg_dump", *how, f"--dbname={address}", secret=secret)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.rename(file)
    except OSError as trouble:
        raise PostgresUnavailable(f"The backup cannot be written to {file}: {trouble.strerror}.") from trouble
    finally:
        partial.unlink(missing_ok=True)


def load(dsn: str, file: Path) -> None:
    """What `write` wrote, into a schema that is empty: all of it, or nothing. Raises PostgresUnavailable."""
    address, secret = _without_password(dsn)
    folder = _folder()
    into = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={address}")
    with (
        _started([folder / "pg_restore", "--no-owner", "--no-privileges", "--file=-", file], {}) as reading,
        _started([folder / "psql", *into, "--output=/dev/null"], secret, given=True) as loading,
    ):
        assert reading.stdout
        assert loading.stdin
        try:
            # Not --single-transaction: it commits at the end of its input, and our own death is such an end.
            loading.stdin.write(b"BEGIN;\n")
            _pass_on(reading.stdout, loading.stdin)
            if reading.wait() == 0:
                loading.stdin.write(b"COMMIT;\n")
            loading.stdin.close()
        except BrokenPipeError:
            reading.kill()
        said = [_end_of(loading), _end_of(reading)]
    if loading.returncode != 0 or reading.returncode != 0:
        raise PostgresUnavailable(
            f"{file} was not restored, and nothing was changed; PostgreSQL said “{' / '.join(filter(None, said))}”."
        )


def _pass_on(source: IO[bytes], into: IO[bytes]) -> None:
    for number, line in enumerate(source):
        if number >= HEADER_LINES_MAX or not line.startswith(NEWER_SETTING):
            into.write(line)


def _run(program: str, *arguments: str | Path, secret: Mapping[str, str]) -> None:
    with _started([_folder() / program, *arguments], secret) as process:
        said = _end_of(process)
        process.wait()
    if process.returncode != 0:
        raise PostgresUnavailable(f"PostgreSQL's {program} ended with {process.returncode}, saying “{said}”.")


def _started(command: list[str | Path], secret: Mapping[str, str], *, given: bool = False) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603, the program and its arguments are ours
        command,
        env={**ENVIRONMENT, **secret},
        stdin=subprocess.PIPE if given else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _end_of(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr
    return " / ".join(process.stderr.read().decode(errors="replace").strip().splitlines()[-4:])


def _folder() -> Path:
    return find_programs(Account(os.geteuid(), os.getegid())).folder


def _without_password(dsn: str) -> tuple[str, dict[str, str]]:
    """The address as all may see it in the list of processes, and what only the program may."""
    parts = urlsplit(dsn)
    if parts.password is None:
        return dsn, {}
    whom, _, where = parts.netloc.rpartition("@")
    netloc = f"{whom.partition(':')[0]}@{where}"
    return urlunsplit(parts._replace(netloc=netloc)), {"PGPASSWORD": unquote(parts.password)}
