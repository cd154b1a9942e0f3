"""How often signing in by password may be tried, in any quarter of an hour.

By e-mail address and network together first: so a stranger who tries somebody's address shuts out only himself. By
network whatever the address, and by address whatever the network, there are higher limits.

A try is counted before the password is looked at, and taken back when it was right. Links are not counted: there is
nothing in them to guess. What was typed is kept as a hash, because people type their password into the wrong field.
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType

from bilty.store.database import Connection


class Whose(Enum):
    """For what tries are counted. EMAIL_HERE: one address, from one network."""

    EMAIL_HERE = "email here"
    NETWORK = "network"
    EMAIL = "email"


WITHIN = timedelta(minutes=15)
MOST = MappingProxyType({Whose.EMAIL_HERE: 10, Whose.NETWORK: 100, Whose.EMAIL: 50})
"""A network may be a whole office. Of an address as many as five networks may try before it is shut to all."""
SWEPT_AT_ONCE_MAX = 1000


@dataclass(frozen=True, slots=True)
class Try:
    """One that was counted; `of_…` say the how-manieth it is."""

    ids: tuple[int, ...]
    of_email_here: int
    of_network: int
    of_email: int


@dataclass(frozen=True, slots=True)
class TooMany:
    """Not counted, and not to be looked at before `until`."""

    whose: Whose
    until: datetime


async def begin(connection: Connection, email: str, peer: str, now: datetime) -> Try | TooMany:
    """In a transaction of its own, which ends before the password is looked at."""
    await _sweep(connection, now)
    subjects = {whose: _subject(whose, email, peer) for whose in Whose}
    for subject in sorted(subjects.values()):  # two that come at once are counted one after the other
        await connection.execute("SELECT pg_advisory_xact_lock($1)", int.from_bytes(subject[:8], "big", signed=True))
    counted = {whose: await _counted(connection, subjects[whose], MOST[whose], now) for whose in Whose}
    full = [TooMany(whose, tries[-1] + WITHIN) for whose, tries in counted.items() if len(tries) >= MOST[whose]]
    if full:
        return max(full, key=lambda each: each.until)
    rows = await connection.fetch(
        "INSERT INTO sign_in_tries (subject, at) SELECT unnest($1::bytea[]), $2 RETURNING id",
        list(subjects.values()),
        now,
    )
    here, of_network, of_email = (len(counted[whose]) + 1 for whose in Whose)
    return Try(tuple(row["id"] for row in rows), here, of_network, of_email)


async def _counted(connection: Connection, subject: bytes, most: int, now: datetime) -> list[datetime]:
    """Newest first, no more than matter."""
    sql = "SELECT at FROM sign_in_tries WHERE subject = $1 AND at > $2 ORDER BY at DESC LIMIT $3"
    return [row["at"] for row in await connection.fetch(sql, subject, now - WITHIN, most)]


async def forgive(connection: Connection, right: Try, email: str, peer: str) -> None:
    """After a right password: neither that try counts nor those before it for this address from here."""
    await connection.execute(
        """DELETE FROM sign_in_tries
            WHERE id = ANY($1) OR subject = $2
               OR (subject = $3 AND at IN (SELECT at FROM sign_in_tries WHERE subject = $2))""",
        right.ids,
        _subject(Whose.EMAIL_HERE, email, peer),
        _subject(Whose.EMAIL, email, peer),
    )


def network(peer: str) -> str:
    """An IPv4 address; of IPv6 the 64 bits that one customer has to himself."""
    address = address_of(peer)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address), 64), strict=False))
    return str(address) if address else peer


def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """None for what is no address, as a Unix socket's peer."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _subject(whose: Whose, email: str, peer: str) -> bytes:
    parts = {Whose.EMAIL_HERE: f"{network(peer)} {email}", Whose.NETWORK: network(peer), Whose.EMAIL: email}
    return hashlib.sha256(f"{whose.value} {parts[whose]}".encode()).digest()


async def _sweep(connection: Connection, now: datetime) -> None:
    await connection.execute(
        """DELETE FROM sign_in_tries WHERE id IN (
               SELECT id FROM sign_in_tries WHERE at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)""",
        now - WITHIN,
        SWEPT_AT_ONCE_MAX,
    )
