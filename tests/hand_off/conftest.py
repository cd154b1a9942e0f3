from pathlib import Path

import pytest

from bilty.store.database import Pool
from dispatch.bench import make_bench
from hand_off.post import Post, make_post


@pytest.fixture
async def post(pool: Pool, tmp_path: Path) -> Post:
    return make_post(await make_bench(pool, tmp_path))
