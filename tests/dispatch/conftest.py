from pathlib import Path

import pytest

from bilty.store.database import Pool
from dispatch.bench import Bench, make_bench


@pytest.fixture
async def bench(pool: Pool, tmp_path: Path) -> Bench:
    return await make_bench(pool, tmp_path)
