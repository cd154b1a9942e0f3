"""What came of something that was said to ClickPost after the AWB: recorded under the fence of its claim."""

from collections.abc import Sequence
from datetime import datetime

from bilty.reply import Exchange
from bilty.store.afterwards import STEPS, Owed, State
from bilty.store.database import Connection


async def may_settle(connection: Connection, owed: Owed, fence: int) -> bool:
    """Whether the answer to this claim still counts; locks the row, and its shipment before it.

    It does after the lease as well, unless somebody has said it anew: an answer is better than not to know.
    """
    await connection.execute("SELECT FROM shipments WHERE id = $1 FOR UPDATE", owed.shipment_id)
    counts: bool | None = await connection.fetchval(
        "SELECT fence = $2 AND state IN ('saying', 'unknown', 'void') FROM afterwards WHERE id = $1 FOR UPDATE",
        owed.id,
        fence,
    )
    return bool(counts)


async def end(connection: Connection, owed: Owed, state: State, *, warning: str = "", confirmation: str = "") -> None:
    """Nothing more is said of itself."""
    await connection.execute(
        "UPDATE afterwards SET state = $2, due_at = NULL, warning = $3, confirmation = $4 WHERE id = $1",
        owed.id,
        state,
        warning,
        confirmation,
    )


async def note_told(connection: Connection, owed: Owed) -> None:
    """That this turn's courier has the e-way bill that was claimed."""
    await connection.execute(
        """UPDATE turns t
              SET told_ewaybills = coalesce(t.told_ewaybills, '{}') || jsonb_build_object(a.invoice, a.ewaybill)
             FROM afterwards a WHERE a.id = $1 AND t.id = a.turn_id""",
        owed.id,
    )


async def write_line(connection: Connection, owed: Owed, state: State, sentence: str, at: datetime) -> None:
    """Of the timeline."""
    await connection.execute(
        "INSERT INTO timeline (shipment_id, at, state, message) VALUES ($1, $2, $3, $4)",
        owed.shipment_id,
        at,
        f"{owed.kind}_{state}",
        sentence,
    )


async def write_exchanges(connection: Connection, owed: Owed, exchanges: Sequence[Exchange]) -> None:
    await connection.executemany(
        """INSERT INTO exchanges (turn_id, at, step, request, status, answer, duration_ms)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        [
            (owed.turn_id, e.at, STEPS[owed.kind], _text(e.request), e.status, _text(e.answer), e.duration_ms)
            for e in exchanges
        ],
    )


def _text(said: str) -> str:
    return said.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL's text has no NUL, a broken proxy's may
