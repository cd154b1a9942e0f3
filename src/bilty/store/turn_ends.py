"""How turns ended: with the label, with a definite no, or with nothing in their time. Today is drawn from it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from bilty.store.database import Connection
from bilty.turn import State, Turn
from bilty.workflow import Progress


class End(StrEnum):
    LABEL = "label"
    REFUSED = "refused"
    LAPSED = "lapsed"


_ENDS = {State.WON: End.LABEL, State.REFUSED: End.REFUSED, State.STOPPED: End.REFUSED, State.LAPSED: End.LAPSED}


def end_of(progress: Progress, was: Turn | None, turn: Turn) -> End | None:
    """What this step ended the turn with, if it did.

    A turn that had to step aside, for another's label or because the shipment was cancelled, says nothing about its
    courier. One that lapsed and is refused afterwards ended when it lapsed.
    """
    end = _ENDS.get(turn.state) if turn.courier and (was is None or was.state is not turn.state) else None
    if end is End.LABEL or end is None:
        return end
    over_before = was is not None and was.state in _ENDS
    stepped_aside = progress.cancel_asked or progress.holder is not None
    return None if over_before or stepped_aside else end


async def write_ends(connection: Connection, ends: Sequence[tuple[int, End]], now: datetime) -> None:
    """Of turns by their id. A label that comes late is what the turn ended with after all."""
    await connection.execute(
        """INSERT INTO turn_ends (turn_id, at, facility_id, cp_id, account_code, courier_name, ended, took_ms)
           SELECT t.id, $3, s.facility_id, t.cp_id, t.account_code, t.courier_name, e.ended,
                  (extract(epoch FROM $3 - s.scheduled_at) * 1000)::bigint
             FROM unnest($1::bigint[], $2::text[]) AS e(id, ended)
             JOIN turns t ON t.id = e.id JOIN shipments s ON s.id = t.shipment_id
           ON CONFLICT (turn_id) DO UPDATE SET at = excluded.at, ended = excluded.ended, took_ms = excluded.took_ms
            WHERE excluded.ended = 'label'""",
        [turn_id for turn_id, _ in ends],
        [end for _, end in ends],
        now,
    )
