"""What Today shows: what is under way now, and how the turns that ended since midnight did.

Each query reads today's rows or those in flight, by an index, and nothing older. Measured with 1,000,000 shipments and
1,245,000 ended turns, 32,500 of them today, and 60,000 in flight, as after hours of ClickPost's silence; p95 of 15 warm
calls on 2 cores that did little else: `in_flight` 29 ms (5,000 in flight: 4 ms), `records` 23 ms, `labels_by_hour`
14 ms, `labels_by_wait` 6 ms, the rest below 4 ms. That is processor time: where cores are short, it waits for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from bilty.reply import Courier
from bilty.store.database import Connection
from bilty.store.turn_ends import End
from bilty.turn import Rules

IN_FLIGHT_MAX = 10_000
OLDEST = 10

# Both as the index `shipments_in_flight` has them.
_IN_FLIGHT = """FROM shipments WHERE status IN ('scheduling', 'label_requested')
    AND ($1::int[] IS NULL OR facility_id = ANY($1)) ORDER BY scheduled_at"""
# The states of the index `turns_one_open`.
_IS_OPEN = "state IN ('ranking', 'asking', 'unclear', 'waiting', 'undecided')"
_TODAY = "FROM turn_ends WHERE at >= $1 AND ($2::int[] IS NULL OR facility_id = ANY($2))"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one courier has been asked and has not answered; without a courier: what ClickPost is asked to rank."""

    courier: Courier | None
    asking: int
    requested: int
    deadline: datetime | None


async def in_flight(connection: Connection, facility_ids: Sequence[int] | None, rules: Rules) -> list[Waiting]:
    """By courier, the nearest deadline first. The oldest IN_FLIGHT_MAX shipments are counted, and no more."""
    rows = await connection.fetch(
        f"""SELECT cp_id, account_code, max(courier_name) AS name,
                   count(*) FILTER (WHERE state <> 'waiting') AS asking,
                   count(*) FILTER (WHERE state = 'waiting') AS requested,
                   min(coalesce(planned_due, due_at) - polls_done * $2::interval)
                       FILTER (WHERE state = 'waiting') AS first
              FROM (SELECT id {_IN_FLIGHT} LIMIT {IN_FLIGHT_MAX}) AS s
              JOIN turns t ON t.shipment_id = s.id AND {_IS_OPEN}
             GROUP BY cp_id, account_code ORDER BY first NULLS LAST, name""",  # noqa: S608 - constants
        facility_ids,
        rules.poll_interval,
    )
    whole = (rules.polls_max - 1) * rules.poll_interval
    return [
        Waiting(_courier(row), row["asking"], row["requested"], row["first"] + whole if row["first"] else None)
        for row in rows
    ]


async def oldest(connection: Connection, facility_ids: Sequence[int] | None) -> list[tuple[int, datetime]]:
    """The shipments in flight that were scheduled first, with when."""
    rows = await connection.fetch(
        f"SELECT id, scheduled_at {_IN_FLIGHT} LIMIT {OLDEST}",
        facility_ids,
    )
    return [(row["id"], row["scheduled_at"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Took:
    """From schedule to label: of so many, half were there in `median`, nine of ten in `ninetieth`."""

    labels: int
    median: timedelta | None
    ninetieth: timedelta | None


@dataclass(frozen=True, slots=True)
class Record:
    """What a courier made of the turns that ended today."""

    courier: Courier
    refused: int
    lapsed: int
    took: Took

    @property
    def ended(self) -> int:
        return self.took.labels + self.refused + self.lapsed


async def records(
    connection: Connection, since: datetime, facility_ids: Sequence[int] | None
) -> tuple[list[Record], Took]:
    """Of each courier, the busiest first, and the time of all labels together."""
    rows = await connection.fetch(
        f"""SELECT cp_id, account_code, max(courier_name) AS name,
                   count(*) FILTER (WHERE ended = 'label') AS labels,
                   count(*) FILTER (WHERE ended = 'refused') AS refused,
                   count(*) FILTER (WHERE ended = 'lapsed') AS lapsed,
                   percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY took_ms) FILTER (WHERE ended = 'label') AS ms
              {_TODAY} GROUP BY GROUPING SETS ((cp_id, account_code), ()) ORDER BY count(*) DESC, name""",
        since,
        facility_ids,
    )
    couriers = [row for row in rows if row["cp_id"] is not None]
    everyone = next(_took(row) for row in rows if row["cp_id"] is None)
    return [Record(_named(row), row["refused"], row["lapsed"], _took(row)) for row in couriers], everyone


async def labels_by_hour(
    connection: Connection, since: datetime, facility_ids: Sequence[int] | None, zone: str
) -> dict[int, int]:
    """How many labels came in each hour of the day, by the clock of `zone`."""
    rows = await connection.fetch(
        f"""SELECT extract(hour FROM at AT TIME ZONE $3)::int AS hour, count(*) {_TODAY}
               AND ended = 'label' GROUP BY 1""",  # noqa: S608 - constants
        since,
        facility_ids,
        zone,
    )
    return {row["hour"]: row["count"] for row in rows}


async def labels_by_wait(
    connection: Connection, since: datetime, facility_ids: Sequence[int] | None, step: timedelta, steps: int
) -> list[int]:
    """How many labels took less than one step, less than two, and so on; the last is of all that took longer."""
    rows = await connection.fetch(
        f"""SELECT least(took_ms / $3, $4)::int AS step, count(*) {_TODAY}
               AND ended = 'label' AND took_ms >= 0 GROUP BY 1""",
        since,
        facility_ids,
        _ms(step),
        steps,
    )
    found = {row["step"]: row["count"] for row in rows}
    return [found.get(each, 0) for each in range(steps + 1)]


@dataclass(frozen=True, slots=True)
class Behind:
    """Which of today's ends are meant: those behind one figure. None: whichever."""

    ended: End | None = None
    courier: tuple[int, str] | None = None
    hour: int | None = None
    took_from: timedelta | None = None
    took_to: timedelta | None = None


async def behind(
    connection: Connection, since: datetime, facility_ids: Sequence[int] | None, zone: str, which: Behind, limit: int
) -> list[int]:
    """The shipments behind a figure, the latest first."""
    cp_id, account_code = which.courier or (None, None)
    rows = await connection.fetch(
        f"""SELECT t.shipment_id FROM (SELECT turn_id, at {_TODAY}
               AND ($3::text IS NULL OR ended = $3)
               AND ($4::int IS NULL OR (cp_id = $4 AND account_code = $5))
               AND ($6::int IS NULL OR extract(hour FROM at AT TIME ZONE $7) = $6)
               AND ($8::bigint IS NULL OR took_ms >= $8) AND ($9::bigint IS NULL OR took_ms < $9)
             ORDER BY at DESC LIMIT $10) AS e JOIN turns t ON t.id = e.turn_id
             GROUP BY t.shipment_id ORDER BY max(e.at) DESC""",  # noqa: S608 - constants
        since,
        facility_ids,
        which.ended,
        cp_id,
        account_code,
        which.hour,
        zone,
        None if which.took_from is None else _ms(which.took_from),
        None if which.took_to is None else _ms(which.took_to),
        limit,
    )
    return [row["shipment_id"] for row in rows]


async def anything(connection: Connection, facility_ids: Sequence[int] | None) -> bool:
    """Whether there is any shipment yet that Today could ever tell of."""
    sql = "SELECT EXISTS (SELECT FROM shipments WHERE $1::int[] IS NULL OR facility_id = ANY($1))"
    return bool(await connection.fetchval(sql, facility_ids))


def _ms(length: timedelta) -> int:
    return round(length.total_seconds() * 1000)


def _took(row: asyncpg.Record) -> Took:
    median, ninetieth = (None if ms is None else timedelta(milliseconds=ms) for ms in row["ms"] or (None, None))
    return Took(row["labels"], median, ninetieth)


def _courier(row: asyncpg.Record) -> Courier | None:
    return None if row["cp_id"] is None else _named(row)


def _named(row: asyncpg.Record) -> Courier:
    return Courier(row["cp_id"], row["account_code"], row["name"])
