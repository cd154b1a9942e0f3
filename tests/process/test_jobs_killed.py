"""A worker killed in the middle of a job, as by a power cut: the next one goes on with what is left.

What a dead worker had in hand is another's when nothing was heard of it for a while. The test says that this while is
over, which changes when the job is taken up again and nothing else.
"""

import asyncio
import signal
from pathlib import Path

import asyncpg

from bilty.jobs import Tools
from bilty.jobs.bulk import BATCH
from bilty.store.database import Pool, listening
from bilty.store.jobs import JobKind, JobState
from dispatch.bench import make_bench
from jobs.desk import Desk
from jobs.receiver import Receiver
from process.programs import Program, Programs

MANY = 2 * BATCH + 30


async def test_a_job_survives_kill_9_and_a_polite_end(
    programs: Programs, data_dir: Path, pool: Pool, dsn: str, tmp_path: Path
) -> None:
    bench = await make_bench(pool, tmp_path / "labels")
    tools = Tools(pool, bench.vault, bench.tools.labels, lambda _: bench.aggregator, bench.tools.rules, Receiver())
    desk = Desk(bench, tools, dsn)
    ids = await desk.created(*(f"S{n}" for n in range(MANY)))
    held = await asyncpg.connect(dsn)
    async with listening(dsn, desk.heard):
        first = await worker(programs, data_dir, dsn)
        async with held.transaction():
            await held.execute("SELECT FROM shipments WHERE id = $1 FOR UPDATE", ids[BATCH])
            job_id = await desk.begin(JobKind.SCHEDULE, ids)
            await desk.until(job_id, lambda job: job.done == BATCH)
            first.kill()
        await pool.execute("UPDATE pgqueuer SET heartbeat = heartbeat - interval '1 hour'")
        second = await worker(programs, data_dir, dsn)
        job = await desk.ended(job_id)
    await held.close()
    assert (job.state, job.done, job.refused) == (JobState.DONE, MANY, 0)
    assert {row["run"] for row in await bench.rows("SELECT run FROM shipments")} == {1}
    assert await asyncio.to_thread(second.end, signal.SIGTERM) == 0
    assert "job.failed" not in programs.complaints


async def worker(programs: Programs, data_dir: Path, dsn: str) -> Program:
    program = programs.bilty("work", settings={"BILTY_DATA_DIR": data_dir, "BILTY_DATABASE_URL": dsn})
    await asyncio.to_thread(program.hear, "is up")
    return program
