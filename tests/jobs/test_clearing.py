"""Old jobs go with their files; labels, and the record of who printed them, stay."""

from bilty.jobs.clearing import BATCH, clear_out
from bilty.store import prints
from bilty.store.jobs import JobKind
from bilty.store.labels import Shelf
from jobs.desk import Desk


async def is_there(desk: Desk, sha256: str, shelf: Shelf) -> bool:
    try:
        await desk.tools.labels.get(sha256, shelf)
    except FileNotFoundError:
        return False
    return True


async def grow_old(desk: Desk, *job_ids: int) -> None:
    await desk.tools.pool.execute("UPDATE jobs SET ended_at = now() - interval '31 days' WHERE id = ANY($1)", job_ids)


async def made(desk: Desk, kind: JobKind, ids: list[int]) -> tuple[int, str]:
    """The job, and its file."""
    job = await desk.do(kind, ids)
    assert job.result is not None
    return job.id, str(job.result["sha256"])


async def test_what_is_old_goes_and_what_is_not_stays(desk: Desk) -> None:
    ids = await desk.labelled("S1")
    label = await desk.tools.pool.fetchval("SELECT label_sha256 FROM turns WHERE state = 'won'")
    printed, pdf = await made(desk, JobKind.PRINT, ids)
    exported, table = await made(desk, JobKind.EXPORT, ids)
    await grow_old(desk, printed)
    await clear_out(desk.tools)
    left = {row["id"] for row in await desk.bench.rows("SELECT id FROM jobs")}
    assert left == {exported}
    kept = [
        await is_there(desk, *file) for file in ((pdf, Shelf.PRINTS), (table, Shelf.EXPORTS), (label, Shelf.LABELS))
    ]
    assert kept == [False, True, True]
    async with desk.tools.pool.acquire() as connection:
        assert [(each.copy, each.job_id) for each in await prints.copies_of(connection, ids[0])] == [(1, None)]


async def test_a_file_that_a_later_job_made_as_well_stays(desk: Desk) -> None:
    ids = await desk.created("S1")
    (first, table), (_, same) = await made(desk, JobKind.EXPORT, ids), await made(desk, JobKind.EXPORT, ids)
    assert table == same
    await grow_old(desk, first)
    await clear_out(desk.tools)
    assert await is_there(desk, table, Shelf.EXPORTS)


async def test_many_go_and_those_that_never_ended_stay(desk: Desk) -> None:
    await desk.tools.pool.execute(
        """INSERT INTO jobs (kind, input, actor_kind, actor, total, asked_at, ended_at)
           SELECT 'schedule', '{}', 'user', 'asha', 0, now() - interval '40 days',
                  CASE WHEN nth > 1 THEN now() - interval '31 days' END
             FROM generate_series(1, $1::int) AS nth""",
        2 * BATCH + 1,
    )
    await clear_out(desk.tools)
    assert await desk.tools.pool.fetchval("SELECT count(*) FROM jobs") == 1
