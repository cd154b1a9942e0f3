"""A turn as its row, and back."""

import asyncpg
import msgspec

from bilty.reply import Courier
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
