"""Every screen of the panel, in one table: a new page is one line here, and is then looked at in all its states."""

import re
from dataclasses import dataclass

from playwright.async_api import Locator, Page

from browser import longest, told
from browser.panel import Panel
from browser.states import STATES

EACH = tuple(STATES)
LONG_SHIPMENT = f"/shipments/{{{longest.NUMBERS[1]}}}"
PROVIDERS, ONE_PROVIDER = "/settings/shipping-providers", "/settings/shipping-providers/clickpost-b2b"
FACILITIES, USERS = "/settings/facilities", "/settings/users"
ENDPOINTS = "/settings/hand-off-endpoints"


@dataclass(frozen=True, slots=True)
class Screen:
    """`path` may name a shipment by its number, {SO-10901}, and a sign-in link, {link}.

    `press`: what is pressed there, one after the other, buttons or links. Nothing is filled in, so that a form says
    what is wrong with it.
    """

    name: str
    path: str
    states: tuple[str, ...]
    press: tuple[str, ...] = ()
    signed_in: bool = True
    status: int = 200


SCREENS = (
    Screen("sign-in", "/sign-in", ("empty",), signed_in=False),
    Screen("sign-in-faults", "/sign-in", ("empty",), press=("Sign in",), signed_in=False, status=422),
    Screen("sign-in-link", "{link}", ("empty",), signed_in=False),
    Screen("sign-in-link-used", "/sign-in/used", ("empty",), signed_in=False, status=403),
    Screen("today", "/today", EACH),
    Screen("today-shipments", "/today/shipments?ended=label", ("full",)),
    Screen("shipments", "/shipments", EACH),
    Screen("shipments-bad-filter", "/shipments?from=2026-11-30&to=2026-11-01", ("full",), status=400),
    Screen("shipments-none-so", "/shipments?tab=dispatched", ("full",)),
    Screen("shipments-none-found", "/shipments?find=nobody", ("full",)),
    Screen("shipment-waiting", "/shipments/{SO-10901}", ("one",)),
    Screen("shipment-third-waits", "/shipments/{SO-10050}", ("full",)),
    Screen("shipment-ready", "/shipments/{SO-10001}", ("full",)),
    Screen("box-waybills", "/shipments/{SO-10001}?boxes=shown", ("full",)),
    Screen("exchange", "/shipments/{SO-10050}", ("full",), press=("Exchange of Safexpress",)),
    Screen("shipment-not-scheduled", "/shipments/{SO-10057}", ("full",)),
    Screen("shipment-failed", "/shipments/{SO-10001}", ("failing",)),
    Screen("shipment-lapsed", "/shipments/{SO-10014}", ("failing",)),
    Screen("shipment-undecided", "/shipments/{SO-10013}", ("failing",)),
    Screen("shipment-unlabelled", "/shipments/{SO-10015}", ("failing",)),
    Screen("shipment-picked-up-twice", "/shipments/{SO-10018}", ("failing",)),
    Screen("shipment-uncancelled", "/shipments/{SO-10016}", ("failing",)),
    Screen("shipment-stopped", "/shipments/{SO-10017}", ("failing",)),
    Screen("shipment-not-serviceable", "/shipments/{SO-11100}", ("failing",)),
    Screen("shipment-in-silence", "/shipments/{SO-10025}", ("failing",)),
    Screen("shipment-on-hold", "/shipments/{SO-11101}", ("failing",)),
    Screen("ewaybills", "/ewaybills", ("empty", "failing")),
    Screen("ewaybills-no-file", "/ewaybills", ("failing",), press=("Load",), status=422),
    Screen("handovers", "/handovers", ("empty", "full")),
    Screen("handover", "/handovers/1", ("full",)),
    Screen("handover-close", "/handovers/1/close", ("full",)),
    Screen("handover-gone", "/handovers/2", ("full",)),
    Screen("ewaybill-form", "/shipments/{SO-11101}/ewaybills", ("failing",)),
    Screen("act-cancel", "/shipments/{SO-10050}", ("full",), press=("Cancel the shipment",)),
    Screen("act-cancel-printed", "/shipments/{SO-10001}", ("full",), press=("Cancel the shipment",)),
    Screen(
        "act-awb-faults", "/shipments/{SO-10013}", ("failing",), press=("Enter its AWB", "Enter its AWB"), status=422
    ),
    Screen("act-paper", "/shipments/{SO-10015}", ("failing",), press=("Upload the courier",)),
    Screen("act-schedule", "/shipments/{SO-10014}", ("failing",), press=("Schedule again",)),
    Screen("shipment-of-300-boxes", LONG_SHIPMENT, ("longest",)),
    Screen("new-shipment", "/shipments/new", ("empty", "full", "longest")),
    Screen("new-shipment-faults", "/shipments/new", ("full",), press=("Save and schedule",), status=422),
    Screen("new-shipment-like", LONG_SHIPMENT.replace("/shipments/", "/shipments/new?like="), ("longest",)),
    Screen("edit", "/shipments/{SO-10057}/edit", ("full",)),
    Screen("edit-printed", "/shipments/{SO-10001}/edit", ("full",)),
    Screen("edit-under-way", "/shipments/{SO-10050}/edit", ("full",)),
    Screen("edit-refused", "/shipments/{SO-10001}/edit", ("failing",)),
    Screen("edit-longest", f"{LONG_SHIPMENT}/edit", ("longest",)),
    Screen("shipment-changed", f"/shipments/{{{longest.NUMBERS[0]}}}", ("longest",)),
    Screen("attention", "/attention", EACH),
    Screen("jobs", "/jobs", ("empty", "full")),
    Screen("job-waits", "/jobs/1", ("one",)),
    Screen("job-print", "/jobs/1", ("full",)),
    Screen("job-refused", "/jobs/3", ("full",)),
    Screen("imports", "/imports", ("empty", "full")),
    Screen("imports-no-file", "/imports", ("empty",), press=("Check the file",), status=422),
    Screen("import-faulty", "/imports/1", ("full",)),
    Screen("import-row-open", "/imports/1?show=faulty&line=7", ("full",)),
    Screen("import-here-already", "/imports/1?show=same", ("full",)),
    Screen("import-columns", "/imports/2", ("full",)),
    Screen("import-taken", "/imports/3", ("full",)),
    Screen("import-differs", "/imports/4", ("full",)),
    Screen("import-waits", "/imports/5", ("full",)),
    Screen("providers", PROVIDERS, EACH),
    Screen("provider-choose", f"{PROVIDERS}/new", ("empty",)),
    Screen("provider-choose-none", f"{PROVIDERS}/new?q=nobody", ("empty",)),
    Screen("provider-new", f"{PROVIDERS}/new?kind=clickpost_b2b", ("empty",)),
    Screen("provider", ONE_PROVIDER, ("full", "failing")),
    Screen("provider-faults", f"{PROVIDERS}/{longest.PROVIDER.code}", ("longest",), press=("Save",)),
    Screen("connector", f"{ONE_PROVIDER}/connector", ("full", "failing")),
    Screen("connector-answers", f"{ONE_PROVIDER}/connector?test=5&priorities=6", ("full",)),
    Screen("connector-new", f"{PROVIDERS}/{longest.PROVIDER.code}/connector", ("longest",)),
    Screen(
        "connector-faults",
        f"{PROVIDERS}/{longest.PROVIDER.code}/connector",
        ("longest",),
        press=("Update Connector",),
        status=422,
    ),
    Screen("facilities", FACILITIES, EACH),
    Screen("facility-new", f"{FACILITIES}/new", ("empty",)),
    Screen("facility-faults", f"{FACILITIES}/new", ("empty",), press=("Save",), status=422),
    Screen("facility", f"{FACILITIES}/{longest.FACILITY.code}", ("longest",)),
    Screen("uniware", "/settings/uniware", EACH),
    Screen("uniware-facility", f"/settings/uniware/{longest.FACILITY.code}", ("longest",)),
    Screen("users", USERS, ("empty", "longest")),
    Screen("user-new", f"{USERS}/new", ("empty", "longest")),
    Screen("user", f"{USERS}/1", ("longest",)),
    Screen("api-keys", "/settings/api-keys", ("empty", "longest")),
    Screen("api-keys-faults", "/settings/api-keys", ("longest",), press=("Add key",), status=422),
    Screen("endpoints", ENDPOINTS, EACH),
    Screen("endpoint-new", f"{ENDPOINTS}/new", ("empty", "longest")),
    Screen("endpoint-faults", f"{ENDPOINTS}/new", ("longest",), press=("Add endpoint",), status=422),
    Screen("endpoint", f"{ENDPOINTS}/{told.OMS}", ("one", "failing")),
    Screen("endpoint-answers", f"{ENDPOINTS}/{told.ERP}?test=7", ("full",)),
    Screen("endpoint-longest", f"{ENDPOINTS}/{told.LONG_CODE}", ("longest",)),
    Screen("endpoint-secret", f"{ENDPOINTS}/{told.OMS}", ("one",), press=("Make a new secret",), status=201),
    Screen("deliveries", f"{ENDPOINTS}/{told.OMS}/deliveries", ("one", "full", "failing")),
    Screen("deliveries-failing", f"{ENDPOINTS}/{told.ERP}/deliveries", ("full",)),
    Screen("deliveries-none", f"{ENDPOINTS}/region-1/deliveries", ("longest",)),
    Screen("deliveries-longest", f"{ENDPOINTS}/{told.LONG_CODE}/deliveries", ("longest",)),
    Screen("audit", "/settings/audit", EACH),
    Screen("api-reference", "/api/v1/reference", ("one",), signed_in=False),
    Screen("account", "/account", ("one",)),
    Screen("no-such-page", "/nowhere", ("one",), status=404),
)


def shown(state: str) -> list[Screen]:
    return [screen for screen in SCREENS if state in screen.states]


async def open_screen(page: Page, screen: Screen, panel: Panel) -> None:
    """Goes there. Fails where the page is not answered as it should be."""
    answer = await page.goto(await _address(screen, panel))
    for words in screen.press:
        await page.evaluate("for (const form of document.forms) form.noValidate = true")
        async with page.expect_navigation() as going:
            await _pressable(page, words).click()
        answer = await going.value
    assert answer is not None
    assert answer.status == screen.status, f"{answer.url}: status {answer.status}"


def _pressable(page: Page, words: str) -> Locator:
    main, named = page.get_by_role("main"), re.compile(f"^{re.escape(words)}")
    return main.get_by_role("button", name=named).or_(main.get_by_role("link", name=named)).first


async def _address(screen: Screen, panel: Panel) -> str:
    path = screen.path
    for name in re.findall(r"\{([^}]+)\}", path):
        path = path.replace(f"{{{name}}}", await _named(name, panel))
    return path


async def _named(name: str, panel: Panel) -> str:
    if name == "link":
        return await panel.sign_in_link()
    shipment_id: int = await panel.state.pool.fetchval("SELECT id FROM shipments WHERE number = $1", name)
    return str(shipment_id)
