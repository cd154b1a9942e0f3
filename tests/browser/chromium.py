"""The machine's own Chromium, driven by Playwright: found, never fetched. What a page complains of is kept."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, WebError, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "there is no Chromium on this machine: install it (Debian: apt install chromium) or name one, "
    "CHROMIUM=/path/to/chromium"
)
WIDE, NARROW = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
WITHIN_MS = 20_000
"""For anything a page is expected to show: far longer than it takes on a slow machine."""
Scheme = Literal["light", "dark"]


def chromium_here() -> str | None:
    """The program, or None where there is none."""
    return next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *NAMES))), None)


@asynccontextmanager
async def chromium_running(program: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visitor:
    """Somebody at a browser of their own. `complaints` are the console's errors and warnings, each with its page."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    async def signs_in(self, link: str) -> None:
        await self.page.goto(link)
        await self.page.get_by_role("button", name="Sign in without a password").click()
        await self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def complained(self, *, but: str = "") -> list[str]:
        """What its pages complained of since this was last asked, but for what has these words in it."""
        said, self.complaints = self.complaints, []
        return [each for each in said if not but or but not in each]

    def heard(self, message: ConsoleMessage) -> None:
        """Refusals of the content security policy come this way, too."""
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.location.get('url', '')}: {message.text}")

    def failed(self, trouble: WebError) -> None:
        self.complaints.append(f"{trouble.page.url if trouble.page else ''}: {trouble.error}")


@asynccontextmanager
async def visiting(
    browser: Browser, url: str, *, viewport: ViewportSize = WIDE, scheme: Scheme = "light", script: bool = True
) -> AsyncIterator[Visitor]:
    """A new visitor, who leaves at the end. Fails when a page complained."""
    context = await browser.new_context(
        base_url=url,
        viewport=viewport,
        color_scheme=scheme,
        java_script_enabled=script,
        locale="en-IN",
        timezone_id="Asia/Kolkata",
        reduced_motion="reduce",
    )
    context.set_default_timeout(WITHIN_MS)
    visitor = Visitor(context, await context.new_page())
    context.on("console", visitor.heard)
    context.on("weberror", visitor.failed)
    try:
        yield visitor
    finally:
        await context.close()
    complaints = visitor.complained()
    assert not complaints, "\n".join(complaints)
