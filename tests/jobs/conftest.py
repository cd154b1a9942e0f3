from pathlib import Path

import pytest

from bilty.jobs import Tools
from bilty.store.database import Pool
from dispatch.bench import make_bench
from jobs.desk import Desk
from jobs.receiver import Receiver


@pytest.fixture
async def desk(pool: Pool, dsn: str, tmp_path: Path) -> Desk:
    bench = await make_bench(pool, tmp_path)
    tools = Tools(
        pool, bench.vault, bench.tools.labels, lambda _connector: bench.aggregator, bench.tools.rules, Receiver()
    )
    return Desk(bench, tools, dsn)
