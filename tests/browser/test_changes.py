"""When things change, in a browser: repacked after printing, a refused PIN mended in place, late labels settled."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from bilty.deciding import ActKind, plain_act
from bilty.store import acting
from bilty.store.access import Role
from bilty.store.audit import COMMAND
from bilty.store.showing import see
from bilty.turn import State
from bilty.workflow import Status
from bilty_sandbox import Policy
from bilty_sandbox.book import Booking, Stage
from browser import steps
from browser.chromium import Visitor, visiting
from browser.morning import Morning, morning_of
from browser.panel import EMAILS, Panel, panel_at, running
from browser.states import story
from browser.test_screens import faults_of
from conftest import new_database
from web.house import SHIPMENT

REPACKED, REFUSED, USED, GIVEN_UP = "SO-70001", "SO-71001", "SO-72001", "SO-73001"
BOXES = [{**SHIPMENT["boxes"][0], "count": 6}, SHIPMENT["boxes"][1]]
LATE = {"p1": "late", "others": "refuse_319"}
PLANS = (*story(REFUSED, others="refuse_319"), *story(USED, **LATE), *story(GIVEN_UP, **LATE))


@dataclass(frozen=True, slots=True)
class Desk:
    panel: Panel
    visitor: Visitor

    @property
    def page(self) -> Page:
        return self.visitor.page

    async def opens(self, number: str) -> None:
        await self.page.goto(f"/shipments/{await self.id_of(number)}")

    async def id_of(self, number: str) -> int:
        found: int = await self.panel.state.pool.fetchval("SELECT id FROM shipments WHERE number = $1", number)
        return found

    def live(self, number: str) -> list[tuple[str, int]]:
        """What the couriers have: each AWB that is not cancelled, with its boxes."""
        now = self.panel.time.now()
        found = [each for each in self.panel.sandbox.world.book.bookings() if each.order.reference.startswith(number)]
        return [(each.awb, len(each.order.boxes)) for each in found if is_live(each, now)]


def is_live(booking: Booking, now: float) -> bool:
    return booking.stage(now) is Stage.BOOKED and not booking.cancelled(now)


@pytest.fixture(scope="module")
async def desk(
    chromium: Browser, postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """Bilty at work, after a morning in which all that is to be changed has happened; a dispatcher signed in."""
    policy, folder = Policy(enabled=False, rules=PLANS), tmp_path_factory.mktemp("changes")
    async with AsyncExitStack() as kept:
        dsn = await new_database(postgres_server)
        panel = await kept.enter_async_context(panel_at(dsn, folder, policy=policy, hours_ago=0.6))
        async with morning_of(panel) as morning:
            await lives(morning)
        await kept.enter_async_context(running(panel, work=True))
        visitor = await kept.enter_async_context(visiting(chromium, panel.url))
        await visitor.signs_in(await panel.sign_in_link(Role.DISPATCHER))
        yield Desk(panel, visitor)


async def lives(morning: Morning) -> None:
    """Two labels are late: everybody else has refused, and a person has given up waiting."""
    await morning.furnish()
    late = [await morning.takes_in(number=number) for number in (USED, GIVEN_UP)]
    await morning.goes_on(12.5)
    async with morning.panel.state.pool.acquire() as connection, connection.transaction():
        for shipment_id, seen in (await see(connection, late)).items():
            [lapsed] = [turn for turn in seen.progress.turns if turn.state is State.LAPSED]
            act = plain_act(ActKind.SETTLED, lapsed.reference)
            rules = morning.panel.state.settings.rules
            assert await acting.act(connection, {shipment_id: act}, COMMAND, morning.now, rules) == {shipment_id: None}
    await morning.goes_on(21)
    assert await morning.ids_of(Status.NEEDS_ATTENTION) == late
    await morning.takes_in(number=REPACKED, boxes=BOXES)
    await morning.takes_in(number=REFUSED)
    await morning.until_now()


def field(page: Page, label: str, group: str) -> Locator:
    return steps.named(page.get_by_role("group", name=group, exact=True), label)


async def test_seven_boxes_are_repacked_into_eight_after_printing(desk: Desk) -> None:
    page, standing = desk.page, steps.standing(desk.page)
    await desk.opens(REPACKED)
    await expect(standing).to_contain_text("Success: label ready")
    [(old, _)] = desk.live(REPACKED)
    await steps.press(page, "Print")
    await expect(page.locator(".headline")).to_contain_text("Done")
    await desk.opens(REPACKED)
    await steps.follow(page, "Edit")
    await expect(page.get_by_role("group", name="What saving does")).to_contain_text(
        f"Destroy 7 printed labels: {EMAILS[Role.DISPATCHER]} printed them at "
    )
    assert not await faults_of(page)
    await steps.press(page, "Duplicate box row 2")
    await expect(field(page, "Boxes", "Box row 3")).to_be_focused()
    await steps.press(page, "Save the change")
    await expect(page.get_by_text("Tick that this is done, or will be.").first).to_be_visible()
    await expect(field(page, "Boxes", "Box row 3")).to_have_value("1")
    assert not desk.visitor.complained(but="status of 422")
    await page.get_by_label("What was printed is destroyed, or will be before a box leaves").check()
    await steps.press(page, "Save the change")
    await expect(page.get_by_role("status").first).to_contain_text("it is version 2 now")
    await expect(standing).to_contain_text("Destroy 7 printed labels: ")
    await expect(standing).to_contain_text("Success: label ready")
    await expect(page.get_by_role("region", name="The boxes, a table")).to_contain_text("8")
    [(new, boxes)] = desk.live(REPACKED)
    assert new != old
    assert boxes == 8
    await expect(standing).to_contain_text(new)
    assert not await faults_of(page)
    await steps.press(page, "Print")
    await expect(page.locator(".headline")).to_contain_text("Done")
    await desk.opens(REPACKED)
    await expect(standing).not_to_contain_text("Destroy")


async def test_a_refused_pin_is_mended_in_place_and_it_goes_on(desk: Desk) -> None:
    page, standing = desk.page, steps.standing(desk.page)
    await desk.opens(REFUSED)
    await expect(standing).to_contain_text("Failed")
    await steps.follow(page, "Put it right")
    pin = steps.named(page, "PIN")
    await expect(pin).to_be_focused()
    await expect(pin).to_have_accessible_description(re.compile("refused: .*consignee pin embargoed"))
    assert not await faults_of(page)
    desk.panel.sandbox.world.policy = Policy.none()  # to the other PIN couriers go
    await pin.fill("411019")
    await steps.press(page, "Save the change")
    await expect(page.get_by_role("status").first).to_contain_text("It is being booked.")
    await expect(standing).to_contain_text("Success: label ready")
    await expect(page.get_by_role("link", name="Put it right")).to_have_count(0)


async def test_a_late_label_is_used(desk: Desk) -> None:
    page = desk.page
    await page.goto("/attention")
    row = page.get_by_role("row", name=USED)
    await expect(row).to_contain_text("label came late")
    await row.get_by_role("button", name="Use it").click()
    await desk.opens(USED)
    await expect(steps.standing(page)).to_contain_text("Success: label ready")
    assert len(desk.live(USED)) == 1


async def test_a_late_label_is_cancelled(desk: Desk) -> None:
    page = desk.page
    await page.goto("/attention")
    await page.get_by_role("row", name=GIVEN_UP).get_by_role("link", name="Cancel it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cancel it?")
    await steps.press(page, "Cancel it")
    await desk.opens(GIVEN_UP)
    await expect(page.get_by_role("region", name="Turns of run 1")).to_contain_text("cancelled")
    assert desk.live(GIVEN_UP) == []
