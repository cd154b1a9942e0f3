"""Shipping providers, their connectors, and facilities: what an admin sets up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec
import structlog

from bilty.shipment import Facility
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store.database import DUE_CHANNEL, Connection, Pool
from bilty.store.secrets import Vault

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Standing:
    """A provider and how it is: for pages, the API and doctor. The key is not in it."""

    id: int
    provider: ShippingProvider
    connector: Connector | None
    revision: int
    paused_at: datetime | None
    paused_why: str
    alarmed_at: datetime | None
    alarmed_why: str
    silent_since: datetime | None
    quiet_until: datetime | None


async def put_provider(connection: Connection, provider: ShippingProvider) -> bool:
    """True when it is new."""
    return bool(
        await connection.fetchval(
            """INSERT INTO shipping_providers (code, kind, name, enabled) VALUES ($1, $2, $3, $4)
               ON CONFLICT (code) DO UPDATE SET kind = $2, name = $3, enabled = $4 RETURNING xmax = 0""",
            provider.code,
            provider.kind,
            provider.name,
            provider.enabled,
        )
    )


async def put_connector(connection: Connection, vault: Vault, code: str, connector: Connector) -> bool:
    """Update Connector: a paused provider goes on by itself, and what was told of it is told anew if it still holds.

    False when there is no such provider.
    """
    keyless = msgspec.structs.replace(connector, key="")
    found = await connection.fetchval(
        """UPDATE shipping_providers
              SET connector = $2, sealed_key = $3, revision = revision + 1, paused_at = NULL, paused_why = '',
                  alarmed_at = NULL, alarmed_why = '', quiet_until = NULL, paced_until = NULL
            WHERE code = $1 RETURNING id""",
        code,
        msgspec.json.encode(keyless).decode(),
        vault.seal(connector.key),
    )
    await connection.execute("DELETE FROM notices WHERE provider_id = $1", found)
    await connection.execute("SELECT pg_notify($1, '')", DUE_CHANNEL)
    return found is not None


async def connector_of(connection: Connection, vault: Vault, code: str) -> Connector | None:
    """With its key. Raises ValueError where that was sealed with another secret."""
    row = await connection.fetchrow("SELECT connector, sealed_key FROM shipping_providers WHERE code = $1", code)
    return open_connector(row, vault) if row and row["connector"] else None


def open_connector(row: asyncpg.Record, vault: Vault) -> Connector:
    connector = msgspec.json.decode(row["connector"], type=Connector)
    return msgspec.structs.replace(connector, key=vault.open(row["sealed_key"]))


@dataclass(frozen=True, slots=True)
class Opened:
    """A connector with its key, and the revision it is."""

    revision: int
    connector: Connector


class Keyring:
    """The connectors that this process can open, by provider; each is opened once a revision.

    One that was sealed with another secret is left to processes that have it, and said in the log: on a machine that
    lacks the secret nothing must stop for the others.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._tried: dict[tuple[int, int], Opened | None] = {}

    async def open(self, connection: "Connection | Pool") -> dict[int, Opened]:
        rows = await connection.fetch(
            "SELECT id, revision, connector, sealed_key FROM shipping_providers WHERE connector IS NOT NULL LIMIT 1000"
        )
        for row in rows:
            if (row["id"], row["revision"]) not in self._tried:
                self._tried[row["id"], row["revision"]] = self._try(row)
        tried = {row["id"]: self._tried[row["id"], row["revision"]] for row in rows}
        return {provider_id: opened for provider_id, opened in tried.items() if opened}

    def _try(self, row: asyncpg.Record) -> Opened | None:
        try:
            return Opened(row["revision"], open_connector(row, self._vault))
        except ValueError as trouble:
            log.exception("connector.sealed", provider=row["id"], why=str(trouble))
            return None


async def standings(connection: Connection) -> Sequence[Standing]:
    rows = await connection.fetch(
        """SELECT id, code, kind, name, enabled, connector, revision, paused_at, paused_why, alarmed_at, alarmed_why,
                  silent_since, CASE WHEN quiet_until > clock_timestamp() THEN quiet_until END AS quiet_until
             FROM shipping_providers ORDER BY id LIMIT 1000"""  # an installation has a handful
    )
    return [
        Standing(
            id=row["id"],
            provider=ShippingProvider(row["code"], Kind(row["kind"]), row["name"], row["enabled"]),
            connector=msgspec.json.decode(row["connector"], type=Connector) if row["connector"] else None,
            revision=row["revision"],
            paused_at=row["paused_at"],
            paused_why=row["paused_why"],
            alarmed_at=row["alarmed_at"],
            alarmed_why=row["alarmed_why"],
            silent_since=row["silent_since"],
            quiet_until=row["quiet_until"],
        )
        for row in rows
    ]


COUNTED_MAX = 10_000
"""Counting stops here, so that a page about three providers costs the same with a million shipments."""


@dataclass(frozen=True, slots=True)
class Load:
    """Shipments of a provider: those that wait for an answer now, and all. At most COUNTED_MAX + 1."""

    waiting: int
    total: int


async def loads(
    connection: Connection, provider_ids: Collection[int], facilities: frozenset[int] | None
) -> dict[int, Load]:
    """By provider, whose couriers say it, as `shipments_by_courier` has them. `facilities`: only what leaves there."""
    rows = await connection.fetch(
        """SELECT p.id, w.count AS waiting, a.count AS total FROM unnest($3::int[]) AS p(id)
            CROSS JOIN LATERAL (SELECT count(*) FROM (
                SELECT FROM couriers c JOIN shipments s ON s.courier_id = c.id
                 WHERE c.provider_id = p.id AND s.standing IN ('scheduling', 'label_requested')
                   AND ($1::int[] IS NULL OR s.facility_id = ANY($1)) LIMIT $2) AS waiting) AS w
            CROSS JOIN LATERAL (SELECT count(*) FROM (
                SELECT FROM couriers c JOIN shipments s ON s.courier_id = c.id WHERE c.provider_id = p.id
                   AND ($1::int[] IS NULL OR s.facility_id = ANY($1)) LIMIT $2) AS counted) AS a""",
        None if facilities is None else list(facilities),
        COUNTED_MAX + 1,
        list(provider_ids),
    )
    return {row["id"]: Load(row["waiting"], row["total"]) for row in rows}


async def used(connection: Connection, facility_ids: frozenset[int] | None) -> dict[str, int]:
    """How many shipments leave from each facility, at most COUNTED_MAX + 1."""
    rows = await connection.fetch(
        """SELECT f.code, c.count FROM facilities f
            CROSS JOIN LATERAL (SELECT count(*) FROM (
                SELECT FROM shipments s WHERE s.facility_id = f.id LIMIT $2) AS counted) AS c
            WHERE $1::int[] IS NULL OR f.id = ANY($1) LIMIT 1000""",
        None if facility_ids is None else list(facility_ids),
        COUNTED_MAX + 1,
    )
    return {row["code"]: row["count"] for row in rows}


async def put_facility(connection: Connection, facility: Facility) -> bool:
    """True when it is new."""
    return bool(
        await connection.fetchval(
            """INSERT INTO facilities (code, content) VALUES ($1, $2)
               ON CONFLICT (code) DO UPDATE SET content = $2 RETURNING xmax = 0""",
            facility.code,
            msgspec.json.encode(facility).decode(),
        )
    )


async def facility_of(connection: Connection, code: str) -> Facility | None:
    content = await connection.fetchval("SELECT content FROM facilities WHERE code = $1", code)
    return msgspec.json.decode(content, type=Facility) if content else None
