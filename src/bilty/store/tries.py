"""How often signing in by password may be tried: by e-mail address and by network, in any quarter of an hour.

A try is counted before the password is looked at, and taken back when it was right. Links are not counted: there is
nothing in them to guess. What was typed is kept as a hash, because people type their password into the wrong field.
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from bilty.store.database import Connection

WITHIN = timedelta(minutes=15)
OF_EMAIL_MAX = 10
OF_NETWORK_MAX = 100
"""A whole office, or everybody behind a reverse proxy, is one network: only the socket's own peer is believed."""
SWEPT_AT_ONCE_MAX = 1000


@dataclass(frozen=True, slots=True)
class Try:
    """One that was counted; `of_email` and `of_network` say the how-manieth it is."""

    ids: tuple[int, ...]
    of_email: int
    of_network: int


@dataclass(frozen=True, slots=True)
class TooMany:
    """Not counted, and not to be looked at before `until`. `of_email`: tries for this address, else of the network."""

    of_email: bool
    until: datetime


async def begin(connection: Connection, email: str, peer: str, now: datetime) -> Try | TooMany:
    """In a transaction of its own, which ends before the password is looked at."""
    await _sweep(connection, now)
    subjects = [(_subject("email", email), OF_EMAIL_MAX), (_subject("network", network(peer)), OF_NETWORK_MAX)]
    for subject in sorted(subject for subject, _ in subjects):  # two that come at once are counted one after the other
        await connection.execute("SELECT pg_advisory_xact_lock($1)", int.from_bytes(subject[:8], "big", signed=True))
    counted = [await _counted(connection, subject, most, now) for subject, most in subjects]
    full = [
        TooMany(of_email=nth == 0, until=tries[-1] + WITHIN)
        for nth, (tries, (_, most)) in enumerate(zip(counted, subjects, strict=True))
        if len(tries) >= most
    ]
    if full:
        return max(full, key=lambda each: each.until)
    rows = await connection.fetch(
        "INSERT INTO sign_in_tries (subject, at) SELECT unnest($1::bytea[]), $2 RETURNING id",
        [subject for subject, _ in subjects],
        now,
    )
    of_email, of_network = (len(tries) + 1 for tries in counted)
    return Try(tuple(row["id"] for row in rows), of_email, of_network)


async def _counted(connection: Connection, subject: bytes, most: int, now: datetime) -> list[datetime]:
    """Newest first, no more than matter."""
    sql = "SELECT at FROM sign_in_tries WHERE subject = $1 AND at > $2 ORDER BY at DESC LIMIT $3"
    return [row["at"] for row in await connection.fetch(sql, subject, now - WITHIN, most)]


async def forgive(connection: Connection, right: Try, email: str) -> None:
    """After a right password: neither that try counts nor those before it for this address."""
    await connection.execute(
        "DELETE FROM sign_in_tries WHERE id = ANY($1) OR subject = $2", right.ids, _subject("email", email)
    )


def network(peer: str) -> str:
    """An IPv4 address; of IPv6 the 64 bits that one customer has to himself."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer  # a Unix socket's
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))


def _subject(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind} {text}".encode()).digest()


async def _sweep(connection: Connection, now: datetime) -> None:
    await connection.execute(
        """DELETE FROM sign_in_tries WHERE id IN (
               SELECT id FROM sign_in_tries WHERE at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)""",
        now - WITHIN,
        SWEPT_AT_ONCE_MAX,
    )
