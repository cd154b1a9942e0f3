"""An act upon each of many shipments, a batch a transaction."""

from collections.abc import Container, Mapping, Sequence

import structlog

from bilty.deciding import Act, Cancel, Dispatch, Schedule
from bilty.jobs.tools import Stopping, Tools, stop_here
from bilty.store import acting, job_steps, prints
from bilty.store.acting import act
from bilty.store.database import UNAVAILABLE, Connection
from bilty.store.job_steps import Open, Settled
from bilty.store.jobs import Job, JobKind, Outcome
from bilty.store.showing import clock
from bilty.turn import Rules

BATCH = 100
TRIED_BEFORE = "It was scheduled before. To begin anew, choose Schedule again."
NEVER_TRIED = "It was never scheduled: choose Schedule."
LABEL_VOID = "Its label was printed: destroy every copy, it is void."
NOT_THERE = acting.NOT_THERE.reason
WISHES: Mapping[JobKind, Act] = {
    JobKind.SCHEDULE: Schedule(),
    JobKind.SCHEDULE_AGAIN: Schedule(),
    JobKind.CANCEL: Cancel(),
    JobKind.DISPATCH: Dispatch(),
}
UNFORESEEN = "Something that Bilty did not foresee was in the way; it stands in the log."

log = structlog.get_logger()


async def act_on_all(tools: Tools, job: Job, stopping: Stopping) -> None:
    """Should a batch fail, its shipments are tried one by one: a single one that cannot be done stops nobody else."""
    alone = 0
    more = True
    while more:
        stop_here(stopping)
        try:
            more = await _step(tools, job.id, 1 if alone else BATCH)
        except UNAVAILABLE:
            raise
        except Exception:
            log.exception("job.item_failed" if alone else "job.batch_failed", job=job.id)
            if alone:
                await _refuse_next(tools, job.id)
            else:
                alone = BATCH + 1
        alone = max(0, alone - 1)


async def _step(tools: Tools, job_id: int, size: int) -> bool:
    """Whether there may be more to do."""
    async with job_steps.take(tools.pool, job_id) as taken:
        if taken is None:
            return False
        connection, job = taken
        items = await job_steps.open_items(connection, job, size)
        if not items:
            await job_steps.end(connection, job.id, result={})
            return False
        there = [each.shipment_id for each in items if each.there]
        void = await prints.printed_of(connection, there) if job.kind is JobKind.CANCEL else set()
        refused = await _act(connection, job, there, tools.rules)
        await job_steps.settle(connection, job.id, [_settled(each, refused, void) for each in items])
        return True


def _settled(item: Open, refused: Mapping[int, str], void: Container[int]) -> Settled:
    """`void`: those whose label may be on paper, and is good for nothing once they are cancelled."""
    reason = refused.get(item.shipment_id, "") if item.there else NOT_THERE
    if reason:
        return Settled(item.position, Outcome.REFUSED, reason)
    return Settled(item.position, Outcome.DONE, LABEL_VOID if item.shipment_id in void else "")


async def _refuse_next(tools: Tools, job_id: int) -> None:
    async with job_steps.take(tools.pool, job_id) as taken:
        if taken is not None:
            connection, job = taken
            items = await job_steps.open_items(connection, job, 1)
            settled = [Settled(each.position, Outcome.REFUSED, UNFORESEEN) for each in items]
            await job_steps.settle(connection, job.id, settled)


async def _act(connection: Connection, job: Job, shipment_ids: Sequence[int], rules: Rules) -> dict[int, str]:
    """Those that would not, each with the reason."""
    refused = await _unmeant(connection, job.kind, shipment_ids)
    wish = WISHES[job.kind]
    acts = {each: wish for each in shipment_ids if each not in refused}
    answers = await act(connection, acts, job.actor, await clock(connection), rules)
    return refused | {shipment_id: no.reason for shipment_id, no in answers.items() if no}


async def _unmeant(connection: Connection, kind: JobKind, shipment_ids: Sequence[int]) -> dict[int, str]:
    """Whoever schedules a list does not mean to book anew what was tried before: that is an act of its own.

    Locks them all, in the order of their ids as everybody does: those that are refused, too.
    """
    rows = await connection.fetch(
        "SELECT id, run FROM shipments WHERE id = ANY($1) ORDER BY id FOR UPDATE", shipment_ids
    )
    match kind:
        case JobKind.SCHEDULE:
            return {row["id"]: TRIED_BEFORE for row in rows if row["run"]}
        case JobKind.SCHEDULE_AGAIN:
            return {row["id"]: NEVER_TRIED for row in rows if not row["run"]}
        case _:
            return {}
