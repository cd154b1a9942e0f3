"""The embedded PostgreSQL: a real server, started by the first program that needs it, stopped by the last one out.

What is in a data folder, and who holds what:

    postgres/                the cluster; made as `postgres.new` and then renamed
    postgres.log             what the server says; emptied at a start when it has grown past 10 MB
    postgres.decision.lock   exclusive, briefly: whoever starts or stops the server
    postgres.users.lock      shared: each program that uses the server; exclusive: the last one out
    postgres.server.lock     exclusive: the server itself, inherited by all its processes, gone with the last of them

The kernel gives all of these back when a holder dies, so nothing has to be cleaned up after `kill -9`: of a program
(the next one finds the server running), of the server (its lock falls free with its last process), of both.
The server listens on a socket in a folder closed to others, and on no network.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from bilty.postgres import locks
from bilty.postgres.cluster import RECOVERY_SECONDS, START_SECONDS, STOP_SECONDS, Cluster
from bilty.postgres.programs import COMMAND_SECONDS, PostgresUnavailable, choose_account, find_programs

__all__ = ["PostgresUnavailable", "running"]

# Another program may be making the cluster, replaying a log, or stopping the server.
DECISION_SECONDS = COMMAND_SECONDS + START_SECONDS + RECOVERY_SECONDS + STOP_SECONDS


@contextmanager
def running(data_dir: Path, *, run_as: str | None = None, durable: bool = True) -> Iterator[str]:
    """Yields the address of the data folder's PostgreSQL, which runs for as long as any program is in here.

    Raises PostgresUnavailable. `run_as` is for root, which PostgreSQL refuses to run as. `durable=False` is for tests.
    Should the server die meanwhile, entering once more, inside, starts it again.
    """
    with ExitStack() as held:
        with _plainly(data_dir):
            # The same folder by another name is the same server.
            data_dir = data_dir.resolve()
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            programs = find_programs(choose_account(run_as, data_dir / "postgres"))
            cluster = Cluster(data_dir, programs, durable)
            users = held.enter_context(locks.opened(data_dir / "postgres.users.lock"))
            address = _enter(cluster, users)
        try:
            yield address
        finally:
            with _plainly(data_dir), _deciding(data_dir):
                _leave(cluster, users)


def _enter(cluster: Cluster, users: int) -> str:
    with _deciding(cluster.data_dir):
        locks.share(users)
        try:
            socket_folder = cluster.ensure_running()
        except BaseException:
            _leave(cluster, users)
            raise
    return f"postgresql://bilty@/bilty?host={quote(str(socket_folder), safe='/')}&port=5432"


def _leave(cluster: Cluster, users: int) -> None:
    if locks.taken(users):
        cluster.stop()


@contextmanager
def _deciding(data_dir: Path) -> Iterator[None]:
    path = data_dir / "postgres.decision.lock"
    with locks.opened(path) as lock:
        if not locks.taken(lock, DECISION_SECONDS):
            raise PostgresUnavailable(
                f"PostgreSQL in {data_dir} can be neither started nor stopped, because another program has held {path} "
                f"for {DECISION_SECONDS} s: end that program and start again."
            )
        yield


@contextmanager
def _plainly(data_dir: Path) -> Iterator[None]:
    """Says in one sentence what the system refused."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise PostgresUnavailable(
            f"PostgreSQL cannot be run in {data_dir}: {error.strerror or error}{where}; let BILTY_DATA_DIR name a "
            "folder that this user may write to, or name a server of your own with BILTY_DATABASE_URL."
        ) from error
