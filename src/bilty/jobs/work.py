"""One job, whatever its kind."""

import asyncio
import contextlib
from typing import assert_never

import structlog

from bilty.jobs import asking, bulk, exporting, importing, printing, sample_event
from bilty.jobs.tools import CannotFinish, StoppedEarly, Stopping, Tools, stop_here
from bilty.store import import_steps, job_steps, prints
from bilty.store.database import UNAVAILABLE
from bilty.store.jobs import Job, JobKind

UNFORESEEN = (
    "Something that Bilty did not foresee was in the way. What it was stands in the log under job {id}; "
    "what is done stays done, and the rest may be tried again."
)

STARTS_MAX = 3
TOO_OFTEN = (
    f"Bilty itself ended {STARTS_MAX} times while it did this, so it is not begun again. "
    "What is done stays done; try the rest in smaller parts, and look into the log for what was in the way."
)

log = structlog.get_logger()


async def work(tools: Tools, job_id: int, stopping: Stopping) -> None:
    """Goes on with a job until it has ended. Once it has, does nothing.

    Raises StoppedEarly, and what the database raises while it is away: then the job is to be taken up again.
    """
    stop_here(stopping)
    async with job_steps.take(tools.pool, job_id) as taken:
        if taken is None:
            return
        connection, job = taken
        starts = await job_steps.count_start(connection, job_id)
    if starts > STARTS_MAX:
        log.error("job.given_up", job=job_id, kind=job.kind)
        await _give_up(tools, job_id, TOO_OFTEN)
        return
    try:
        await _do(tools, job, stopping)
    except (StoppedEarly, asyncio.CancelledError, *UNAVAILABLE):
        with contextlib.suppress(*UNAVAILABLE):
            async with tools.pool.acquire() as connection:
                await job_steps.take_back_start(connection, job_id)
        raise
    except CannotFinish as trouble:
        await _give_up(tools, job_id, str(trouble))
    except Exception:
        log.exception("job.failed", job=job_id, kind=job.kind)
        await _give_up(tools, job_id, UNFORESEEN.format(id=job_id))


async def _do(tools: Tools, job: Job, stopping: Stopping) -> None:
    match job.kind:
        case JobKind.SCHEDULE | JobKind.SCHEDULE_AGAIN | JobKind.CANCEL | JobKind.DISPATCH:
            await bulk.act_on_all(tools, job, stopping)
        case JobKind.PRINT | JobKind.PRINT_NEW:
            await printing.print_all(tools, job, stopping)
        case JobKind.EXPORT:
            await exporting.export(tools, job, stopping)
        case JobKind.TEST_CONNECTION:
            await asking.test_connection(tools, job)
        case JobKind.PRIORITIES:
            await asking.ask_priorities(tools, job)
        case JobKind.TEST_EVENT:
            await sample_event.send_sample(tools, job)
        case JobKind.IMPORT_CHECK:
            await importing.check(tools, job, stopping)
        case JobKind.IMPORT_TAKE:
            await importing.take_in(tools, job, stopping)
        case _:
            assert_never(job.kind)


async def _give_up(tools: Tools, job_id: int, problem: str) -> None:
    async with job_steps.take(tools.pool, job_id) as taken:
        if taken is not None:
            connection, job = taken
            await prints.drop(connection, job.id)
            await import_steps.fail(connection, job.id, problem)
            await job_steps.end(connection, job.id, problem=problem)
