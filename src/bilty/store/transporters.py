"""E-way bills that name one courier while another has the boxes: the portal knows, and only a person can change it.

Whose an e-way bill is nobody tells Bilty: it is taken to be that of the courier that was told its number first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from bilty.shipment import Ewaybill, decode, ewaybills_of
from bilty.store import awbs
from bilty.store.audit import BILTY, Actor, note
from bilty.store.database import Connection

TRANSPORTER, TRANSPORTER_CHANGED = "transporter", "transporter_changed"
"""The states of their lines in the timeline."""


@dataclass(frozen=True, slots=True)
class Change:
    """One to be made at the portal."""

    shipment_id: int
    shipment: str
    invoice: str
    number: str
    told_to: str
    holder: str

    @property
    def told(self) -> str:
        return (
            f"E-way bill {self.number} of invoice {self.invoice} was given for {self.told_to}: "
            f"its transporter must change to {self.holder}."
        )


@dataclass(frozen=True, slots=True)
class _Turn:
    """`told` is the number of each invoice's e-way bill as its courier was told it."""

    id: int
    cp_id: int
    courier: str
    told: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Billed:
    """A shipment that has an e-way bill. `bills` by the number of the invoice; `turns` in order."""

    id: int
    number: str
    bills: Mapping[str, Ewaybill]
    turns: Sequence[_Turn]


async def follow(connection: Connection, moved: Sequence[tuple[int, int | None, int | None]], now: datetime) -> None:
    """Of each (shipment, the turn that had it, the turn that has it): what a person must now change at the portal.

    What was to be changed to a courier that no longer has it is nobody's matter any more.
    """
    left = {was: shipment_id for shipment_id, was, _ in moved if was is not None}
    if left:
        await _settle(connection, await _open(connection, list(left.values())), now, turns=left)
    taken = {has: shipment_id for shipment_id, _, has in moved if has is not None}
    if not taken:
        return
    for shipment in await _billed(connection, list(taken.values())):
        holder = next((turn for turn in shipment.turns if taken.get(turn.id) == shipment.id), None)
        if holder is not None:
            await _remind(connection, shipment, holder, now)


async def _billed(connection: Connection, shipment_ids: Sequence[int]) -> list[_Billed]:
    """Those of the shipments that have an e-way bill."""
    rows = await connection.fetch(
        """SELECT s.id, s.number, v.content, t.id AS turn_id, t.cp_id, t.courier_name, t.told_ewaybills, t.asks
             FROM shipments s JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version
             JOIN turns t ON t.shipment_id = s.id AND t.cp_id IS NOT NULL
            WHERE s.id = ANY($1) AND v.content @? '$.invoices[*].ewaybill_number' ORDER BY t.id""",
        shipment_ids,
    )
    found: dict[int, list[asyncpg.Record]] = {}
    for row in rows:
        found.setdefault(row["id"], []).append(row)
    return [_billed_of(each) for each in found.values()]


def _billed_of(rows: Sequence[asyncpg.Record]) -> _Billed:
    """Of one shipment, a row for each of its turns."""
    bills = ewaybills_of(decode(rows[0]["content"]))
    return _Billed(rows[0]["id"], rows[0]["number"], bills, [_turn(row, bills) for row in rows])


def _turn(row: asyncpg.Record, bills: Mapping[str, Ewaybill]) -> _Turn:
    told: Mapping[str, str] = {}
    if row["asks"] and row["told_ewaybills"] is None:
        told = {invoice: bill.number for invoice, bill in bills.items()}
    elif row["asks"]:
        told = msgspec.json.decode(row["told_ewaybills"], type=dict[str, str])
    return _Turn(row["turn_id"], row["cp_id"], row["courier_name"], told)


async def _remind(connection: Connection, shipment: _Billed, holder: _Turn, now: datetime) -> None:
    """Once for each e-way bill and holder."""
    for invoice, bill in shipment.bills.items():
        first = next((turn for turn in shipment.turns if turn.told.get(invoice) == bill.number), holder)
        if first.cp_id == holder.cp_id:
            continue
        new = await connection.fetchval(
            """INSERT INTO transporters (shipment_id, turn_id, invoice, number, told_to, at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true""",
            shipment.id,
            holder.id,
            invoice,
            bill.number,
            first.courier,
            now,
        )
        if new:
            change = Change(shipment.id, shipment.number, invoice, bill.number, first.courier, holder.courier)
            await awbs.warn(connection, change.shipment_id, change.told)
            await _line(connection, change.shipment_id, TRANSPORTER, change.told, BILTY, now)


async def forget(connection: Connection, shipment_id: int, numbers: Collection[str], now: datetime) -> None:
    """These e-way bills are no longer the shipment's: another was made, and names who it should."""
    found = [each for each in await _open(connection, [shipment_id]) if each[1].number in numbers]
    await _settle(connection, found, now)


async def changed_at_the_portal(connection: Connection, shipment_id: int, actor: Actor, now: datetime) -> int:
    """A person's word for all of a shipment's. Returns how many there were. The caller holds a transaction."""
    await connection.execute("SELECT FROM shipments WHERE id = $1 FOR UPDATE", shipment_id)
    found = await _open(connection, [shipment_id])
    await _settle(connection, found, now)
    if found:
        first = found[0][1]
        numbers = ", ".join(each.number for _, each in found)
        await _line(connection, shipment_id, TRANSPORTER_CHANGED, numbers, actor, now)
        facility_id = await connection.fetchval("SELECT facility_id FROM shipments WHERE id = $1", shipment_id)
        await note(
            connection,
            actor,
            "transporter changed",
            first.shipment,
            shipment_id=shipment_id,
            facility_id=facility_id,
            before={"e-way bills": numbers, "given for": first.told_to},
            after={"transporter": first.holder},
        )
    return len(found)


async def open_changes(connection: Connection, facilities: Collection[int] | None, limit: int) -> list[Change]:
    """What a person has yet to change, of shipments of `facilities`, None for all; the newest first."""
    rows = await connection.fetch(
        f"""{_OPEN} WHERE r.settled_at IS NULL AND ($1::int[] IS NULL OR s.facility_id = ANY($1))
             ORDER BY r.at DESC, r.invoice LIMIT $2""",
        None if facilities is None else list(facilities),
        limit,
    )
    return [_change(row) for row in rows]


async def of_shipment(connection: Connection, shipment_id: int) -> dict[str, Change]:
    """By the number of the invoice."""
    return {each.invoice: each for _, each in await _open(connection, [shipment_id])}


_OPEN = """SELECT r.turn_id, r.shipment_id, s.number AS shipment, r.invoice, r.number, r.told_to, t.courier_name
  FROM transporters r JOIN shipments s ON s.id = r.shipment_id JOIN turns t ON t.id = r.turn_id"""


def _change(row: asyncpg.Record) -> Change:
    return Change(
        row["shipment_id"], row["shipment"], row["invoice"], row["number"], row["told_to"], row["courier_name"]
    )


async def _open(connection: Connection, shipment_ids: Sequence[int]) -> list[tuple[int, Change]]:
    """Each with its turn."""
    rows = await connection.fetch(
        f"{_OPEN} WHERE r.settled_at IS NULL AND r.shipment_id = ANY($1) ORDER BY r.at, r.invoice", shipment_ids
    )
    return [(row["turn_id"], _change(row)) for row in rows]


async def _settle(
    connection: Connection, found: Sequence[tuple[int, Change]], now: datetime, *, turns: Collection[int] | None = None
) -> None:
    """Of `turns` alone, if they are given. The warning goes with it."""
    ended = [(turn_id, each) for turn_id, each in found if turns is None or turn_id in turns]
    await connection.executemany(
        "UPDATE transporters SET settled_at = $4 WHERE turn_id = $1 AND invoice = $2 AND number = $3",
        [(turn_id, each.invoice, each.number, now) for turn_id, each in ended],
    )
    await connection.executemany(
        "UPDATE shipments SET warnings = array_remove(warnings, $2) WHERE id = $1",
        [(each.shipment_id, each.told) for _, each in ended],
    )


async def _line(
    connection: Connection, shipment_id: int, state: str, message: str, actor: Actor, now: datetime
) -> None:
    await connection.execute(
        "INSERT INTO timeline (shipment_id, at, state, message, actor) VALUES ($1, $2, $3, $4, $5)",
        shipment_id,
        now,
        state,
        message,
        actor.name,
    )
