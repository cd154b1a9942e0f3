"""A label that was here and is not any more: the shipment has an AWB without its label again. Pure."""

from dataclasses import replace
from datetime import datetime

from bilty.turn import State
from bilty.workflow import Progress, put

LOST = "The label store no longer has the label as it was put there ({sha256}….pdf): it is fetched again."


def label_lost(progress: Progress, sha256: str, now: datetime) -> Progress:
    """Fetched at once, then as every label that does not come: in growing pauses, until a person is told what to do.

    Of boxes that are on their way nobody needs it: there nothing changes.
    """
    holder = progress.holder
    if holder is None or holder.state is not State.WON or holder.label_sha256 != sha256 or progress.dispatched:
        return progress
    told = LOST.format(sha256=sha256[:12])
    blank = replace(holder, state=State.FETCHING, label_sha256="", label_pages=0, message=told)
    return put(progress, replace(blank, due_at=now, polls_done=0, tries=0))
