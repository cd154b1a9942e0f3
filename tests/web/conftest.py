from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bilty.store.database import Pool
from web.house import House
from web.opening import opened_house


@pytest.fixture
async def house(pool: Pool, dsn: str, tmp_path: Path) -> AsyncIterator[House]:
    """Bilty's web part on a real socket. Nobody is signed in; nothing is set up."""
    async with opened_house(pool, dsn, tmp_path) as house:
        yield house


@pytest.fixture
async def furnished(house: House) -> House:
    """With a provider, its connector, and a facility."""
    await house.furnish()
    return house
