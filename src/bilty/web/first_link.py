"""The link that makes the first admin, told on stderr while nobody can sign in."""

import contextlib
import sys

from bilty.store.access import first_link
from bilty.store.database import UNAVAILABLE, Pool
from bilty.store.showing import clock


async def tell_first_link(pool: Pool, address: str) -> None:
    """Should the database be away just now, the next start tells it."""
    with contextlib.suppress(*UNAVAILABLE):
        async with pool.acquire() as connection, connection.transaction():
            token = await first_link(connection, await clock(connection))
        if token:
            link = f"{address}/sign-in/{token}"
            sys.stderr.write(f"Nobody can sign in yet. This link, good once, makes you the first admin: {link}\n")
            sys.stderr.flush()
