"""The worker as it runs: begun with its cause, alive after the database was away, nothing done twice, nothing lost."""

import asyncio

import asyncpg
import pytest
from pgqueuer.domain.settings import db_settings

from bilty.jobs import Worker, work
from bilty.jobs.bulk import BATCH
from bilty.jobs.tools import StoppedEarly
from bilty.store import job_queue, jobs
from bilty.store.database import Pool, listening
from bilty.store.jobs import JobKind, JobState, Outcome, TooManyItemsError
from bilty.workflow import Status
from jobs.desk import ASHA, BEAT, WITHIN_S, Desk, never

MANY = 2 * BATCH + 30


async def runs_of(desk: Desk) -> set[int]:
    """How often shipments were scheduled: each should be 1."""
    return {row["run"] for row in await desk.bench.rows("SELECT run FROM shipments")}


async def queued(pool: Pool) -> list[str]:
    return [row["dedupe_key"] for row in await pool.fetch("SELECT dedupe_key FROM pgqueuer ORDER BY id")]


async def test_the_schema_is_what_the_installed_pgqueuer_wants(pool: Pool) -> None:
    async with pool.acquire() as connection:
        plan = await job_queue.queries(connection).plan_upgrade()
    assert (plan.statements, plan.notes) == ((), ())


async def test_nothing_of_it_is_taken_from_variables_that_are_meant_for_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    db_settings.cache_clear()
    for name in ("CHANNEL", "FUNCTION", "DURABILITY", "PGQUEUER_QUEUE_TABLE", "PGQUEUER_PREFIX"):
        monkeypatch.setenv(name, "of another program")
    ids = await desk.created("S1")
    async with desk.working():
        assert (await desk.ended(await desk.begin(JobKind.SCHEDULE, ids))).done == 1


async def test_a_job_is_there_exactly_if_its_cause_is(desk: Desk) -> None:
    async with desk.tools.pool.acquire() as connection:
        cause = connection.transaction()
        await cause.start()
        await jobs.begin(connection, JobKind.SCHEDULE, {}, ASHA, shipment_ids=[1])
        await cause.rollback()
    assert await queued(desk.tools.pool) == []
    job_id = await desk.begin(JobKind.SCHEDULE, [1])
    assert await queued(desk.tools.pool) == [str(job_id)]
    assert (await desk.job(job_id)).state is JobState.QUEUED


async def test_more_than_ten_thousand_are_too_many(desk: Desk) -> None:
    with pytest.raises(TooManyItemsError, match=r"^More than 10,000 shipments are chosen, and one job takes no more\."):
        await desk.begin(JobKind.SCHEDULE, range(1, 10_002))


async def test_a_worker_does_what_is_asked_and_tells(desk: Desk) -> None:
    ids = await desk.created("S1", "S2")
    async with desk.working():
        job = await desk.ended(await desk.begin(JobKind.SCHEDULE, [*ids, 4711]))
    assert (job.state, job.total, job.done, job.refused) == (JobState.DONE, 3, 2, 1)
    assert await desk.refused(job.id) == {4711: "There is no such shipment."}
    assert [each.number for each in await desk.items(job.id, Outcome.DONE)] == ["S1", "S2"]
    assert await desk.bench.status("S1") is Status.SCHEDULING


async def test_two_workers_share_and_nothing_is_done_twice(desk: Desk) -> None:
    ids = await desk.created(*(f"S{n}" for n in range(MANY)))
    async with desk.working(), desk.working():
        first = await desk.begin(JobKind.SCHEDULE, ids)
        second = await desk.begin(JobKind.SCHEDULE, ids)
        ended = [await desk.ended(first), await desk.ended(second)]
    assert sum(each.done for each in ended) == MANY
    assert sum(each.refused for each in ended) == MANY
    assert await runs_of(desk) == {1}


async def test_the_same_job_in_two_hands_is_done_once(desk: Desk) -> None:
    """A worker that was thought dead goes on beside the one that took its job over."""
    ids = await desk.created(*(f"S{n}" for n in range(MANY)))
    job_id = await desk.begin(JobKind.SCHEDULE, ids)
    await asyncio.gather(work(desk.tools, job_id, never), work(desk.tools, job_id, never))
    job = await desk.job(job_id)
    assert (job.done, job.refused) == (MANY, 0)
    assert await runs_of(desk) == {1}


async def test_one_that_is_broken_off_goes_on_with_what_is_left(desk: Desk) -> None:
    ids = await desk.created(*(f"S{n}" for n in range(MANY)))
    job_id = await desk.begin(JobKind.SCHEDULE, ids)
    asked = iter([False, False, True])
    with pytest.raises(StoppedEarly):
        await work(desk.tools, job_id, lambda: next(asked))
    job = await desk.job(job_id)
    assert (job.state, job.done) == (JobState.RUNNING, BATCH)
    async with desk.working():
        job = await desk.ended(job_id)
    assert (job.state, job.done, job.refused) == (JobState.DONE, MANY, 0)
    assert await runs_of(desk) == {1}


async def test_a_step_that_is_cancelled_leaves_nothing_half_done(desk: Desk) -> None:
    ids = await desk.created(*(f"S{n}" for n in range(MANY)))
    job_id = await desk.begin(JobKind.SCHEDULE, ids)
    async with desk.tools.pool.acquire() as held, held.transaction():
        await held.execute("SELECT FROM shipments WHERE id = $1 FOR UPDATE", ids[BATCH])
        task = asyncio.create_task(work(desk.tools, job_id, never))
        await desk.until_one_waits(held)
        task.cancel()
        await asyncio.wait({task})
    assert (await desk.job(job_id)).done == BATCH
    await work(desk.tools, job_id, never)
    assert (await desk.job(job_id)).done == MANY
    assert await runs_of(desk) == {1}


async def test_it_comes_back_when_all_its_connections_are_gone(desk: Desk) -> None:
    ids = await desk.created(*(f"S{n}" for n in range(MANY)))

    async with desk.working():
        before = await desk.ended(await desk.begin(JobKind.SCHEDULE, ids[:1]))
        assert before.done == 1
        async with desk.tools.pool.acquire() as connection:
            ended = await connection.fetchval(
                """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'bilty jobs'"""
            )
        assert ended == 1
        job = await desk.ended(await desk.begin(JobKind.SCHEDULE, ids[1:]))
    assert job.done == MANY - 1
    assert await runs_of(desk) == {1}


async def test_what_pgqueuer_has_struck_off_is_put_back(desk: Desk) -> None:
    """It does so with the jobs of a worker that is cancelled."""
    ids = await desk.created("S1")
    job_id = await desk.begin(JobKind.SCHEDULE, ids)
    await desk.tools.pool.execute("DELETE FROM pgqueuer")
    async with desk.working():
        assert (await desk.ended(job_id)).done == 1


async def test_one_that_nobody_foresaw_ends_with_a_sentence_and_the_others_go_on(desk: Desk) -> None:
    ids = await desk.labelled("S1")
    broken = await desk.begin(
        JobKind.PRIORITIES, given={"provider": "clickpost-b2b"}
    )  # no facility: nobody begins such a one
    async with desk.working():
        assert (await desk.ended(broken)).state is JobState.FAILED
        assert (await desk.ended(await desk.begin(JobKind.PRINT, ids))).state is JobState.DONE
    assert (await desk.job(broken)).problem.startswith("Something that Bilty did not foresee was in the way.")


async def test_a_shipment_that_cannot_be_worked_on_stops_nobody_else(desk: Desk) -> None:
    ids = await desk.created("S1", "S2", "S3")
    await desk.tools.pool.execute(
        f"""CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               IF NEW.shipment_id = {ids[1]} THEN RAISE EXCEPTION 'out of order'; END IF; RETURN NEW; END $$;
           CREATE TRIGGER no BEFORE INSERT ON turns FOR EACH ROW EXECUTE FUNCTION no()"""
    )
    job = await desk.do(JobKind.SCHEDULE, ids)
    assert (job.state, job.done, job.refused) == (JobState.DONE, 2, 1)
    assert set(await desk.refused(job.id)) == {ids[1]}


async def test_only_shipments_of_ones_own_facilities_are_touched(desk: Desk) -> None:
    ids = await desk.created("S1")
    job = await desk.do(JobKind.SCHEDULE, ids, facilities=frozenset({99}))
    assert await desk.refused(job.id) == {ids[0]: "There is no such shipment."}
    assert [each.number for each in await desk.items(job.id, Outcome.REFUSED)] == [""]
    assert await desk.bench.status("S1") is Status.CREATED


async def test_scheduling_a_list_books_nothing_anew_and_scheduling_again_does(desk: Desk) -> None:
    ids = await desk.created("S1")
    await desk.do(JobKind.SCHEDULE, ids)
    again = await desk.do(JobKind.SCHEDULE, ids)
    assert await desk.refused(again.id) == {ids[0]: "It was scheduled before. To begin anew, choose Schedule again."}


async def test_scheduling_again_is_for_what_was_scheduled_before(desk: Desk) -> None:
    ids = await desk.created("S1")
    job = await desk.do(JobKind.SCHEDULE_AGAIN, ids)
    assert await desk.refused(job.id) == {ids[0]: "It was never scheduled: choose Schedule."}
    assert await runs_of(desk) == {0}


async def test_shipments_are_locked_in_the_order_of_their_ids(desk: Desk) -> None:
    """Whoever waits for the first holds no later one, so that no two wait for each other."""
    never_scheduled, scheduled = await desk.created("S1", "S2")
    await desk.do(JobKind.SCHEDULE, [scheduled])
    job_id = await desk.begin(JobKind.SCHEDULE, [scheduled, never_scheduled])
    async with desk.tools.pool.acquire() as held, held.transaction():
        await held.execute("SELECT FROM shipments WHERE id = $1 FOR UPDATE", never_scheduled)
        working = asyncio.create_task(work(desk.tools, job_id, never))
        await desk.until_one_waits(held)
        await held.execute("SELECT FROM shipments WHERE id = $1 FOR UPDATE NOWAIT", scheduled)
    await working
    job = await desk.job(job_id)
    assert (job.done, job.refused) == (1, 1)


async def test_cancelling_many(desk: Desk) -> None:
    ids = await desk.created("S1", "S2")
    job = await desk.do(JobKind.CANCEL, ids)
    assert (job.done, job.refused) == (2, 0)
    assert await desk.bench.status("S2") is Status.CANCELLED


async def test_whose_label_is_on_paper_is_told_when_it_is_cancelled(desk: Desk) -> None:
    ids = await desk.labelled("S1", "S2")
    await desk.do(JobKind.PRINT, ids[:1])
    job = await desk.do(JobKind.CANCEL, ids)
    assert {each.shipment_id: each.reason for each in await desk.items(job.id, Outcome.DONE)} == {
        ids[0]: "Its label was printed: destroy every copy, it is void.",
        ids[1]: "",
    }


async def test_a_job_that_ends_the_process_it_runs_in_does_so_three_times_and_no_more(desk: Desk) -> None:
    job_id = await desk.begin(JobKind.SCHEDULE, await desk.created("S1"))
    await desk.tools.pool.execute("UPDATE jobs SET starts = 3")
    await work(desk.tools, job_id, never)
    job = await desk.job(job_id)
    assert job.problem.startswith("Bilty itself ended 3 times while it did this, so it is not begun again.")
    assert await runs_of(desk) == {0}


async def test_a_job_that_comes_forward_or_is_stopped_in_order_is_begun_as_often_as_it_takes(desk: Desk) -> None:
    ids = await desk.created(*(f"S{n}" for n in range(MANY)))
    job_id = await desk.begin(JobKind.SCHEDULE, ids)
    for stops in ([False, True], [False, True], [False, False, True]):
        answers = iter(stops)
        with pytest.raises(StoppedEarly):
            await work(desk.tools, job_id, answers.__next__)
    assert await desk.tools.pool.fetchval("SELECT starts FROM jobs") == 0


async def test_what_is_put_back_is_as_urgent_as_before(desk: Desk) -> None:
    await desk.begin(JobKind.SCHEDULE, [1])
    await desk.begin(JobKind.PRINT, [1])
    before = await desk.bench.rows("SELECT dedupe_key, priority FROM pgqueuer ORDER BY id")
    await desk.tools.pool.execute("DELETE FROM pgqueuer")
    async with desk.tools.pool.acquire() as connection:
        await job_queue.put_back(connection, jobs.URGENT)
    after = await desk.bench.rows("SELECT dedupe_key, priority FROM pgqueuer ORDER BY dedupe_key")
    assert after == before
    assert len({row["priority"] for row in after}) == 2


async def test_a_worker_that_stops_gives_its_job_back_at_once(desk: Desk) -> None:
    ids = await desk.created(*(f"S{n}" for n in range(MANY)))
    job_id = await desk.begin(JobKind.SCHEDULE, ids)
    async with desk.working() as worker, desk.tools.pool.acquire() as held, held.transaction():
        await held.execute("SELECT FROM shipments WHERE id = $1 FOR UPDATE", ids[BATCH])
        await desk.until(job_id, lambda job: job.done == BATCH)
        worker.stop()
    job = await desk.job(job_id)
    assert (job.state, job.done in (BATCH, 2 * BATCH)) == (JobState.RUNNING, True), "it ends behind a step"
    assert [row["status"] for row in await desk.bench.rows("SELECT status::text FROM pgqueuer")] == ["queued"]


async def test_every_connection_is_lost_in_the_middle_of_a_step(desk: Desk) -> None:
    ids = await desk.created(*(f"S{n}" for n in range(MANY)))
    job_id = await desk.begin(JobKind.SCHEDULE, ids)
    held = await asyncpg.connect(desk.dsn)
    async with desk.working():
        async with held.transaction():
            await held.execute("SELECT FROM shipments WHERE id = $1 FOR UPDATE", ids[BATCH])
            await desk.until(job_id, lambda job: job.done == BATCH)
            await held.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
            )
        await held.close()
        job = await desk.ended(job_id)
    assert (job.state, job.done, job.refused) == (JobState.DONE, MANY, 0)
    assert await runs_of(desk) == {1}


async def test_a_worker_that_is_cancelled_loses_nothing(desk: Desk) -> None:
    ids = await desk.created(*(f"S{n}" for n in range(MANY)))
    job_id = await desk.begin(JobKind.SCHEDULE, ids)
    worker = Worker(desk.tools, desk.dsn, beat=BEAT)
    async with listening(desk.dsn, desk.heard), desk.tools.pool.acquire() as held, held.transaction():
        await held.execute("SELECT FROM shipments WHERE id = $1 FOR UPDATE", ids[BATCH])
        running = asyncio.create_task(worker.run())
        await desk.until(job_id, lambda job: job.done == BATCH)
        running.cancel()
        await asyncio.wait({running}, timeout=WITHIN_S)
    assert running.cancelled()
    async with desk.working():
        assert (await desk.ended(job_id)).done == MANY
    assert await runs_of(desk) == {1}
