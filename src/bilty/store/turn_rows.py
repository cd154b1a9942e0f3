"""A turn as its row, and back."""

from collections import Counter
from collections.abc import Iterator, Sequence

import asyncpg
import msgspec

from bilty.reply import Courier
from bilty.store.database import Connection
from bilty.turn import TRAITS, Kind, State, Turn

COLUMNS = """id, shipment_id, version, run, priority, cp_id, account_code, courier_name, reference, state, due_at,
    fence, asks, unknowns, polls_done, tries, planned_due, asked_at, lapsed_at, awb, label_url, label_sha256,
    label_pages, code, message, couriers, settled, entered, miscount"""
HOLDING = sorted(state for state, (kind, _) in TRAITS.items() if kind is Kind.HOLDS)
"""The states of a turn that has the shipment."""
GOOD_LABEL = sorted(set(HOLDING) - {State.RETURNED})
"""Those of a turn whose label is good: boxes that are brought back keep theirs until they are here."""


def turn_of(row: asyncpg.Record, digest: str) -> Turn:
    courier = row["cp_id"] is not None
    return Turn(
        run=row["run"],
        priority=row["priority"],
        courier=Courier(row["cp_id"], row["account_code"], row["courier_name"]) if courier else None,
        reference=row["reference"],
        digest=digest,
        state=State(row["state"]),
        due_at=row["due_at"],
        asks=row["asks"],
        unknowns=row["unknowns"],
        polls_done=row["polls_done"],
        tries=row["tries"],
        planned_due=row["planned_due"],
        asked_at=row["asked_at"],
        lapsed_at=row["lapsed_at"],
        awb=row["awb"],
        label_url=row["label_url"],
        label_sha256=row["label_sha256"],
        label_pages=row["label_pages"],
        code=row["code"],
        message=row["message"],
        couriers=msgspec.json.decode(row["couriers"], type=tuple[Courier, ...]),
        settled=row["settled"],
        entered=row["entered"],
        version=row["version"],
        miscount=row["miscount"],
    )


def row_of(turn: Turn) -> dict[str, object]:
    courier = turn.courier
    return {
        "run": turn.run,
        "priority": turn.priority,
        "cp_id": courier and courier.cp_id,
        "account_code": courier and courier.account_code,
        "courier_name": courier and courier.name,
        "reference": turn.reference,
        "state": turn.state,
        "due_at": turn.due_at,
        "asks": turn.asks,
        "unknowns": turn.unknowns,
        "polls_done": turn.polls_done,
        "tries": turn.tries,
        "planned_due": turn.planned_due,
        "asked_at": turn.asked_at,
        "lapsed_at": turn.lapsed_at,
        "awb": turn.awb,
        "label_url": turn.label_url,
        "label_sha256": turn.label_sha256,
        "label_pages": turn.label_pages,
        "code": turn.code,
        "message": turn.message,
        "couriers": turn.couriers,
        "settled": turn.settled,
        "entered": turn.entered,
        "version": turn.version,
        "miscount": turn.miscount,
    }


async def update_turns(connection: Connection, rows: Sequence[dict[str, object]], answered: Sequence[int]) -> None:
    """Each row is written once, for every write is one to all of its indexes: those that answered are among them."""
    for part in _leaving_first(rows):
        await _update_turns(connection, part, answered)


def _leaving_first(rows: Sequence[dict[str, object]]) -> Iterator[Sequence[dict[str, object]]]:
    """Where one turn gives up what another of its shipment takes: the indexes do not let two have it, even at once."""
    counts = Counter(row["shipment_id"] for row in rows)
    leaving = [row for row in rows if counts[row["shipment_id"]] > 1 and not _has_one_place(row)]
    others = [row for row in rows if row not in leaving] if leaving else rows
    yield from (part for part in (leaving, others) if part)


def _has_one_place(row: dict[str, object]) -> bool:
    return TRAITS[State(str(row["state"]))][0] in (Kind.OPEN, Kind.HOLDS)


async def _update_turns(connection: Connection, rows: Sequence[dict[str, object]], answered: Sequence[int]) -> None:
    await connection.execute(
        """UPDATE turns t SET state = r.state, due_at = r.due_at, asks = r.asks, unknowns = r.unknowns,
                  polls_done = r.polls_done, tries = r.tries, planned_due = r.planned_due, asked_at = r.asked_at,
                  lapsed_at = r.lapsed_at, awb = r.awb, label_url = r.label_url, label_sha256 = r.label_sha256,
                  label_pages = r.label_pages, code = r.code, message = r.message, couriers = r.couriers,
                  settled = r.settled, entered = r.entered, miscount = r.miscount,
                  claimed_at = CASE WHEN t.id = ANY($2) THEN NULL ELSE t.claimed_at END
             FROM jsonb_populate_recordset(NULL::turns, $1) r WHERE t.id = r.id""",
        msgspec.json.encode(rows).decode(),
        answered,
    )
