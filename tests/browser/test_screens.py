"""Every screen in every state, light and dark, wide and narrow: nothing that axe-core finds, nothing cut off."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page, expect

from browser.axe import COLOURS, sideways, violations
from browser.chromium import NARROW, WIDE, Visitor, visiting
from browser.panel import Panel
from browser.screens import Screen, open_screen, shown
from browser.states import STATES, standing
from conftest import new_database

LOOKED_AT = [pytest.param(state, screen, id=f"{state}-{screen.name}") for state in STATES for screen in shown(state)]


@dataclass(slots=True)
class Stand:
    """A state that stands, with one visitor who has signed in and one who has not."""

    panel: Panel
    insider: Visitor
    outsider: Visitor
    followed: set[str] = field(default_factory=set)

    async def dead_links(self, visitor: Visitor) -> list[str]:
        """Links of the page that lead to an error, each looked at once; of shipments and the like one is enough."""
        dead = []
        for link in dict.fromkeys(map(str, await visitor.page.evaluate(LINKS))):
            kind = re.sub(r"[0-9]+", "0", link)
            if kind not in self.followed:
                self.followed.add(kind)
                answer = await visitor.context.request.get(link)
                dead += [f"{link} leads nowhere: status {answer.status}"] if answer.status >= 400 else []
        return dead


LINKS = """() => [...document.links]
    .filter((each) => each.origin === location.origin && each.pathname !== location.pathname)
    .map((each) => each.pathname + each.search)"""
"""Those to other pages of ours."""


@dataclass(slots=True)
class Stands:
    """Made when they are first asked for, and kept until the end."""

    chromium: Browser
    server: str
    folders: pytest.TempPathFactory
    kept: AsyncExitStack
    made: dict[str, Stand] = field(default_factory=dict)

    async def of(self, name: str) -> Stand:
        if name not in self.made:
            panel = await self.kept.enter_async_context(
                standing(name, await new_database(self.server), self.folders.mktemp(name))
            )
            insider = await self.kept.enter_async_context(visiting(self.chromium, panel.url))
            outsider = await self.kept.enter_async_context(visiting(self.chromium, panel.url))
            await insider.signs_in(await panel.sign_in_link())
            self.made[name] = Stand(panel, insider, outsider)
        return self.made[name]


@pytest.fixture(scope="session")
async def stands(
    chromium: Browser, postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stands]:
    async with AsyncExitStack() as kept:
        yield Stands(chromium, postgres_server, tmp_path_factory, kept)


async def faults_of(page: Page) -> list[str]:
    """What is wrong with the page that stands in the browser, each with the looks in which it is."""
    found: dict[str, list[str]] = {}
    for width, viewport in (("wide", WIDE), ("narrow", NARROW)):
        await page.set_viewport_size(viewport)
        for fault in [f"wider than the window: {each}" for each in await sideways(page)] + await violations(page):
            found.setdefault(fault, []).append(width)
        await page.emulate_media(color_scheme="dark")
        for fault in await violations(page, *COLOURS):
            found.setdefault(fault, []).append(f"{width} and dark")
        await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(WIDE)
    return [f"{', '.join(looks)}: {fault}" for fault, looks in found.items()]


@pytest.mark.parametrize(("state", "screen"), LOOKED_AT)
async def test_a_screen(stands: Stands, state: str, screen: Screen) -> None:
    stand = await stands.of(state)
    visitor = stand.insider if screen.signed_in else stand.outsider
    visitor.complained()
    await open_screen(visitor.page, screen, stand.panel)
    faults = (
        await stand.dead_links(visitor)
        + await faults_of(visitor.page)
        + visitor.complained(but=f"status of {screen.status}")
    )
    assert not faults, "\n".join(faults)


async def test_the_questions_of_the_list(stands: Stands) -> None:
    """What opens over it: the keys, and before many are cancelled, whether they are meant."""
    stand = await stands.of("full")
    page, faults = stand.insider.page, []
    await page.goto("/shipments?tab=to_schedule")
    await page.get_by_role("button", name="Keys").click()
    faults += await faults_of(page)
    await page.get_by_role("button", name="Close").click()
    await page.get_by_label("Select the shipments of this page").check()
    faults += await faults_of(page)
    await page.get_by_role("button", name="Cancel", exact=True).click()
    await expect(page.get_by_role("dialog")).to_contain_text("4 shipments")
    faults += await faults_of(page) + stand.insider.complained()
    assert not faults, "\n".join(faults)
