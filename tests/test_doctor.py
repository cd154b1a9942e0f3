"""`bilty doctor` on the real sandbox and a real database: what it says, what it books, and what it leaves behind."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from aggregator.samples import FACILITY, SHIPMENT
from bilty.aggregator.clickpost import Endpoints
from bilty.doctor import Asked, examine
from bilty.doctor.evidence import Evidence
from bilty.doctor.findings import Mark, without_password
from bilty.doctor.house import LATE_MAX_S
from bilty.doctor.verdicts import on_status
from bilty.reply import Busy, NotYet, Refusal, Refused, Unclear, Unknown
from bilty.running import Database, Opened
from bilty.settings import Settings
from bilty.shipping_provider import Connector, ShippingProvider
from bilty.shipping_provider import Kind as Provided
from bilty.store import providers
from bilty.store.database import Pool
from bilty.store.labels import LabelStore
from bilty.store.secrets import Vault
from bilty.store.shipments import Arrival, keep, schedule_all
from bilty_sandbox import Kind, ManualClock, Options, Policy, Rule, Sandbox, app, serve, wire
from bilty_sandbox.server import Answer, Request, Server
from bilty_sandbox.truth import BookingTruth, truth_of

KEY = "b1171e00-5a2d-4b0c-8d3e-5ec2e7d0c702"
USERNAME = "acme"
NOWHERE = "744301"
FOR_EVER = 1_000
ROOT = Path(__file__).parents[1]


@dataclass
class Practice:
    """A doctor with its patient. Its sleep is the sandbox's time going on."""

    state: Opened
    sandbox: Sandbox
    clock: ManualClock
    lines: list[str] = field(default_factory=list)
    slept_s: float = 0.0
    sleeps_max: int = FOR_EVER
    haste: float = 1

    async def examine(self, *, live: bool = True, book: bool = False, pincode: str = "110001", **chosen: str) -> int:
        self.lines.clear()
        asked = Asked(live, book, chosen.get("provider", ""), chosen.get("facility", ""), pincode)
        return await examine(self.state, asked, tell=self.lines.append, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.sleeps_max -= 1
        if self.sleeps_max < 0:
            raise asyncio.CancelledError
        self.slept_s += seconds
        self.clock.advance(seconds * self.haste)

    def behave(self, *kinds: Kind, times: int | None = None) -> None:
        self.sandbox.world.policy = Policy(enabled=False, rules=(Rule(kinds=kinds, times=times),))

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    @property
    def wrong(self) -> list[str]:
        return [line for line in self.lines if line.startswith(("!!", "WRONG"))]

    @property
    def truths(self) -> list[BookingTruth]:
        return [truth_of(booking, self.clock.now()) for booking in self.sandbox.book.bookings()]

    @property
    def only_booking(self) -> BookingTruth:
        (truth,) = self.truths
        return truth


@asynccontextmanager
async def practising(
    pool: Pool, dsn: str, folder: Path, *, key: str = KEY, **settings: object
) -> AsyncIterator[Practice]:
    clock = ManualClock()
    options = Options(username=USERNAME, key=KEY, policy=Policy.none())
    async with serve(options, clock) as sandbox:
        given = {"clickpost_url": sandbox.url, "data_dir": folder, "allow_private_addresses": True, **settings}
        state = Opened(
            settings=Settings.model_validate(given),
            database=Database(dsn),
            pool=pool,
            vault=Vault("a secret"),
            labels=LabelStore.at(str(folder / "documents")),
        )
        await set_up(state, key)
        yield Practice(state, sandbox, clock)


async def set_up(state: Opened, key: str) -> None:
    async with state.pool.acquire() as connection:
        await providers.put_provider(connection, ShippingProvider("clickpost", Provided.CLICKPOST_B2B, "ClickPost B2B"))
        await providers.put_connector(connection, state.vault, "clickpost", Connector(username=USERNAME, key=key))
        await providers.put_facility(connection, FACILITY)


@pytest.fixture
async def practice(pool: Pool, dsn: str, tmp_path: Path) -> AsyncIterator[Practice]:
    async with practising(pool, dsn, tmp_path) as practice:
        yield practice
        assert KEY not in practice.said


async def test_all_is_well_here(practice: Practice) -> None:
    assert await practice.examine(live=False) == 0
    assert practice.wrong == []
    assert practice.lines[-1] == "\nNothing is wrong."
    assert not practice.sandbox.world.calls
    for what in ("PostgreSQL", "migration", "12 minutes", "1 connector", "BOM1 (PIN 400001)", "Nothing is due", "GiB"):
        assert what in practice.said


async def test_a_fresh_installation_is_told_what_to_set_up(practice: Practice) -> None:
    await practice.state.pool.execute("DELETE FROM shipping_providers")
    await practice.state.pool.execute("DELETE FROM facilities")
    assert await practice.examine(live=False) == 1
    assert [line.split(".")[0] for line in practice.wrong] == [
        "!!  No shipping provider is set up",
        "!!  There is no facility to fetch boxes from",
    ]


async def test_a_label_store_that_cannot_be_written_is_named(pool: Pool, dsn: str, tmp_path: Path) -> None:
    async with practising(pool, dsn, tmp_path) as practice:
        (tmp_path / "documents" / "labels").write_text("a file stands where a folder should")
        assert await practice.examine(live=False) == 1
        assert "BILTY_LABEL_STORE" in practice.said


async def test_another_secret_key_is_noticed(practice: Practice) -> None:
    state = practice.state
    practice.state = Opened(state.settings, state.database, state.pool, Vault("another"), state.labels)
    assert await practice.examine(live=False) == 1
    assert "BILTY_SECRET_KEY" in practice.said


async def test_a_secret_in_the_settings_is_not_shown(pool: Pool, dsn: str, tmp_path: Path) -> None:
    async with practising(pool, dsn, tmp_path, secret_key=SecretStr("hush-hush")) as practice:
        await practice.examine(live=False)
        assert "BILTY_SECRET_KEY=(given)" in practice.said
        assert "hush-hush" not in practice.said


def test_a_password_in_an_address_is_not_shown() -> None:
    assert without_password("https://asha:hush@host/api?sig=hush") == "https://asha:…@host/api"


async def test_a_paused_provider_and_a_refusing_account_are_shown(practice: Practice) -> None:
    await practice.state.pool.execute(
        "UPDATE shipping_providers SET paused_at = clock_timestamp(), paused_why = 'no such key'"
    )
    await practice.state.pool.execute(
        """INSERT INTO notices (provider_id, facility_id, cp_id, account_code, code, message)
           SELECT p.id, f.id, 129, 'Bluedart-Surface', 316, 'no credentials' FROM shipping_providers p, facilities f"""
    )
    assert await practice.examine(live=False) == 1
    assert "no such key" in practice.said
    assert "Bluedart-Surface refused to book for BOM1: no credentials (ClickPost code 316)" in practice.said


async def test_work_that_nobody_does_is_noticed(practice: Practice) -> None:
    await schedule_one(practice.state.pool)
    assert await practice.examine(live=False) == 0
    assert "1 call to ClickPost due" in practice.said
    await practice.state.pool.execute("UPDATE turns SET due_at = due_at - $1::interval", timedelta(seconds=LATE_MAX_S))
    assert await practice.examine(live=False) == 1
    assert "bilty work" in practice.said


async def schedule_one(pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        now = await connection.fetchval("SELECT clock_timestamp()")
        (kept,) = await keep(connection, [Arrival(SHIPMENT)], now)
        await schedule_all(connection, [kept.shipment_id], now)


async def test_a_good_account_books_nothing_unless_told(practice: Practice) -> None:
    assert await practice.examine() == 0
    assert practice.wrong == []
    assert "P1 " in practice.said
    assert "P3 " in practice.said
    assert "8 courier accounts" in practice.said
    assert "confirmed  The status call is GET v1/create-b2b-order/ (get_b2b)" in practice.said
    assert practice.truths == []


async def test_a_wrong_key_ends_the_walk(pool: Pool, dsn: str, tmp_path: Path) -> None:
    async with practising(pool, dsn, tmp_path, key="another-key-than-that") as practice:
        assert await practice.examine(book=True) == 1
        assert "Update Connector" in practice.said
        assert list(practice.sandbox.world.calls) == ["GET /api/v1/fetch-accounts"]
        assert "another-key-than-that" not in practice.said


async def test_a_host_that_is_not_there_is_said_so(pool: Pool, dsn: str, tmp_path: Path) -> None:
    async with practising(pool, dsn, tmp_path, clickpost_url="http://127.0.0.1:1/api") as practice:
        assert await practice.examine() == 1
        assert "ClickPost cannot be reached" in practice.said
        assert "BILTY_CLICKPOST_URL" in practice.said


async def test_no_priorities_are_a_matter_of_the_dashboard(practice: Practice) -> None:
    assert await practice.examine(pincode=NOWHERE) == 1
    assert "Ordered List" in practice.said
    assert "321 or 330" in practice.said, "the walk goes on"


async def test_a_status_call_that_is_nowhere_stops_booking(practice: Practice) -> None:
    practice.behave(Kind.STATUS_404)
    assert await practice.examine(book=True) == 1
    assert "Nothing must be booked with this" in practice.said
    assert "GET v3/create-order/ (get_v3) neither" in practice.said
    assert practice.truths == []


@asynccontextmanager
async def without_b2b_status(sandbox: Sandbox) -> AsyncIterator[str]:
    """The sandbox behind a host that knows no GET of the B2B style."""

    def respond(request: Request) -> Answer:
        if request.method == "GET" and "create-b2b-order" in request.path:
            return wire.html(404, wire.NOT_FOUND_HTML)
        return app.respond(sandbox.world, request)

    server = Server(respond, sandbox.world.clock)
    port = await server.start("127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}/api"
    await server.stop()


async def test_the_other_status_style_is_named_and_serves_the_rest(practice: Practice) -> None:
    async with without_b2b_status(practice.sandbox) as url:
        practice.behave(Kind.AWB_FOLLOWS)
        state = practice.state
        settings = state.settings.model_copy(update={"clickpost_url": url})
        practice.state = Opened(settings, state.database, state.pool, state.vault, state.labels)
        assert await practice.examine(book=True) == 1
    assert "Set BILTY_CLICKPOST_STATUS_STYLE=get_v3." in practice.said
    assert len(practice.wrong) == 2, "the finding and the guess"
    assert "get_v3) answers as documented" in practice.said
    assert practice.only_booking.cancelled


@pytest.mark.parametrize(
    ("reply", "remedy"),
    [
        (Refused(Refusal.ACCOUNT, 320, "not subscribed"), "Update Connector"),
        (Busy("too many requests"), "Check the network"),
        (NotYet("in the works"), "Nothing must be booked with this"),
    ],
)
def test_what_is_said_of_an_unused_reference_decides(reply: Refused | Busy | NotYet, remedy: str) -> None:
    finding = on_status(Evidence(Endpoints(), status=reply))
    assert finding.mark is Mark.WRONG
    assert remedy in finding.remedy


def test_the_other_style_is_named_only_if_it_answers() -> None:
    missing = Unclear("HTTP 404 with an HTML page", undocumented=True)
    assert "get_v3" in on_status(Evidence(Endpoints(), status=missing, other_status=Unknown())).remedy
    assert "get_v3" not in on_status(Evidence(Endpoints(), status=missing, other_status=missing)).remedy


@pytest.mark.parametrize("kinds", [(Kind.AT_ONCE,), (Kind.AWB_FOLLOWS,), (Kind.ASYNC,), (Kind.BOOKED_RESET,)])
async def test_a_test_booking_is_made_and_cancelled(practice: Practice, kinds: tuple[Kind, ...]) -> None:
    practice.behave(*kinds)
    assert await practice.examine(book=True) == 0
    truth = practice.only_booking
    assert truth.cancelled
    assert not truth.live
    assert truth.label_downloads == 1
    assert truth.awb in practice.said
    assert f"AWB {truth.awb} is cancelled" in practice.said
    assert "IT MAY STILL BE BOOKED" not in practice.said


async def test_what_is_booked_is_told_before_and_marked(practice: Practice) -> None:
    assert await practice.examine(book=True) == 0
    truth, order = practice.only_booking, practice.sandbox.book.bookings()[0].order
    announced = practice.said.index(f"reference  {truth.reference}")
    assert announced < practice.said.index(truth.awb)
    assert order.consignee.organisation == "Bilty doctor test, do not ship"
    assert order.consignee.pincode == FACILITY.pickup.pincode
    assert len(order.boxes) == 1


async def test_the_summary_tells_how_each_guess_went(practice: Practice) -> None:
    practice.behave(Kind.ASYNC, Kind.LABEL_LATER, Kind.CANCEL_LATER)
    assert await practice.examine(book=True) == 0
    for confirmed in (
        "Orders are created by POST v1/create-b2b-order/ (b2b_v1)",
        "The acknowledgement came as meta 102. The AWB came after",
        "1 child came, echoing our reference and description and sku",
        "The label came by GET v1/fetch/shippinglabel/",
        "GET v2/track-order/ tells whether the boxes were picked up",
        "GET v1/cancel-order/ cancels, heard as meta 600",
    ):
        assert f"confirmed  {confirmed}" in practice.said.replace("Children name the box that they are for. ", "")


async def test_a_refused_cancel_is_said_loudly(practice: Practice) -> None:
    practice.behave(Kind.AT_ONCE, Kind.CANCEL_REFUSED, times=FOR_EVER)
    assert await practice.examine(book=True) == 1
    truth = practice.only_booking
    assert truth.live
    assert f"AWB {truth.awb} IS NOT CANCELLED" in practice.said
    assert "CANCEL IT BY HAND" in practice.said
    assert truth.cancel_calls > 1


async def test_no_awb_leaves_the_reference_to_look_up(practice: Practice) -> None:
    practice.behave(Kind.NEVER)
    assert await practice.examine(book=True) == 1
    assert "IT MAY STILL BE BOOKED" in practice.said
    assert practice.said.count(practice.only_booking.reference) == 2
    assert practice.slept_s >= 300


async def test_whoever_interrupts_it_leaves_no_awb_behind(practice: Practice) -> None:
    practice.behave(Kind.AT_ONCE, Kind.LABEL_NEVER)
    practice.sleeps_max = 2
    with pytest.raises(asyncio.CancelledError):
        await practice.examine(book=True)
    assert practice.only_booking.cancelled


async def test_whoever_interrupts_it_without_an_awb_hears_the_reference(practice: Practice) -> None:
    practice.behave(Kind.ASYNC)
    practice.sleeps_max = 1
    with pytest.raises(asyncio.CancelledError):
        await practice.examine(book=True)
    assert "IT MAY STILL BE BOOKED" in practice.said


async def test_a_picked_up_awb_is_not_cancelled(practice: Practice) -> None:
    practice.behave(Kind.AT_ONCE, Kind.LABEL_LATER, Kind.PICKED_UP)
    practice.haste = 60
    assert await practice.examine(book=True) == 1
    assert practice.only_booking.cancel_calls == 0
    assert "IS SAID TO BE PICKED UP" in practice.said


async def test_a_refused_booking_says_why_and_leaves_nothing(practice: Practice) -> None:
    practice.behave(Kind.REFUSE_316)
    assert await practice.examine(book=True) == 1
    assert "Courier credentials are not set up (code 316)" in practice.said
    assert "Mend that courier's account" in practice.said
    assert "MAY STILL BE BOOKED" not in practice.said


async def test_several_providers_want_a_name(practice: Practice) -> None:
    async with practice.state.pool.acquire() as connection:
        second = ShippingProvider("second", Provided.CLICKPOST_B2B, "Second account")
        await providers.put_provider(connection, second)
        await providers.put_connector(connection, practice.state.vault, "second", Connector(username="x", key=KEY))
    assert await practice.examine() == 1
    assert "--provider clickpost, --provider second" in practice.said
    assert await practice.examine(provider="clickpost") == 0
    assert await practice.examine(provider="clickpost", facility="NONE") == 1
    assert "--facility BOM1" in practice.said


async def test_booking_wants_the_real_account(practice: Practice) -> None:
    assert await practice.examine(live=False, book=True) == 1
    assert "--live" in practice.said


@pytest.mark.parametrize("file", [ROOT / "docs/brief-gaps.md", *sorted((ROOT / "src/bilty/doctor").glob("*.py"))])
def test_every_setting_that_is_named_exists(file: Path) -> None:
    named = set(re.findall(r"BILTY_([A-Z_]+)", file.read_text("utf-8")))
    assert {name.lower() for name in named} <= Settings.model_fields.keys()


def test_the_gaps_of_the_brief_are_numbered_once() -> None:
    numbers = re.findall(r"^\| (\d+\.\d+) \|", (ROOT / "docs/brief-gaps.md").read_text("utf-8"), re.MULTILINE)
    assert len(numbers) == len(set(numbers)) > 50
