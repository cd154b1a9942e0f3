"""The tests of this folder themselves: they see a page, and are not left out in silence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import Browser

from browser.axe import sideways, violations
from browser.chromium import MISSING, visiting

TESTS = Path(__file__).parents[1]


async def test_a_page_opens(chromium: Browser) -> None:
    page = await chromium.new_page()
    await page.set_content("<h1>बिल्टी Bilty</h1>")
    assert await page.locator("h1").inner_text() == "बिल्टी Bilty"
    await page.close()


STRICT = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"""


async def test_what_a_page_complains_of_is_heard(chromium: Browser) -> None:
    with pytest.raises(AssertionError, match="Content Security Policy"):
        async with visiting(chromium, "http://127.0.0.1") as visitor:
            await visitor.page.set_content(f'{STRICT}<p style="color: red">Bilty</p>')


async def test_what_is_wrong_with_a_page_is_found(chromium: Browser) -> None:
    async with visiting(chromium, "http://127.0.0.1", scheme="dark") as visitor:
        await visitor.page.set_content(
            """<html lang="en"><title>Bilty</title><style>p { color: #777; background: #888; width: 2000px }</style>
               <main><h1>Bilty</h1><p>grey</p></main>"""
        )
        assert [each.partition(":")[0] for each in await violations(visitor.page)] == ["color-contrast"]
        assert await sideways(visitor.page) == ['<p class=""> grey']


def left_out(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The test above, run where there is no Chromium."""
    plain = {name: value for name, value in os.environ.items() if name not in ("CHROMIUM", "BROWSER_TESTS")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"{__file__}::{test_a_page_opens.__name__}"],
        cwd=TESTS.parent,
        env={**plain, "PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_without_chromium_they_say_why_they_are_left_out(tmp_path: Path) -> None:
    done = left_out(tmp_path)
    assert done.returncode == pytest.ExitCode.OK
    assert MISSING in done.stdout
    assert "1 skipped" in done.stdout


def test_ci_does_not_leave_them_out(tmp_path: Path) -> None:
    script = (TESTS.parent / ".ci" / "run").read_text("utf-8")
    assert "export BROWSER_TESTS=demanded" in script
    done = left_out(tmp_path, BROWSER_TESTS="demanded")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert MISSING in done.stdout
