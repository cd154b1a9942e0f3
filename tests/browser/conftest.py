import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from browser.chromium import MISSING, WITHIN_MS, chromium_here, chromium_running

expect.set_options(timeout=WITHIN_MS)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Where there is none, what needs one is skipped. `.ci/run` demands it."""
    program = chromium_here()
    if program is None and os.environ.get("BROWSER_TESTS") == "demanded":
        pytest.fail(MISSING)
    if program is None:
        pytest.skip(MISSING)
    async with chromium_running(program) as browser:
        yield browser
