"""Test connection and priorities: one question to ClickPost, answered in a sentence, and the key nowhere."""

from dataclasses import replace

import pytest

from bilty.aggregator import Booking, Listed, Said, Trouble
from bilty.aggregator.scripted import P1, P2, P3, Scripted
from bilty.jobs import Tools, work
from bilty.outgoing.redaction import HIDDEN
from bilty.reply import Busy, Courier, Ranking, Refusal, Refused, Unclear
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import providers
from bilty.store.jobs import Job, JobKind, JobState
from bilty.store.secrets import Vault
from jobs.desk import Desk, never

KEY = "key-1"  # as the bench has it
LANE = {"provider": "clickpost-b2b", "facility": "BLR-1", "pincode": "411018"}


class Raising(Scripted):
    """A connector does not raise; this one does."""

    async def accounts(self) -> Said[Listed | Trouble]:
        raise RuntimeError(f"a fault that quotes {KEY}")


class Listening(Scripted):
    """Remembers what it was asked to rank."""

    asked: Booking

    async def rank(self, booking: Booking) -> Said[Ranking | Trouble]:
        self.asked = booking
        return await super().rank(booking)


async def connection_test(desk: Desk, tools: Tools | None = None, *, provider: str = "clickpost-b2b") -> Job:
    job_id = await desk.begin(JobKind.TEST_CONNECTION, given={"provider": provider})
    await work(tools or desk.tools, job_id, never)
    return await desk.job(job_id)


async def test_good_credentials_are_told_with_their_couriers(desk: Desk) -> None:
    job = await connection_test(desk)
    accounts = [f"{each.name} {each.account_code}" for each in (P1, P2, P3)]
    assert job.result == {
        "ok": True,
        "message": f"ClickPost accepts the key of ClickPost B2B: 3 courier accounts: {', '.join(accounts)}.",
        "couriers": accounts,
    }
    assert desk.bench.aggregator.calls == {"accounts": 1}


COPY_AGAIN = "Copy username and key again from the ClickPost B2B dashboard and choose Update Connector."


@pytest.mark.parametrize(
    ("said", "told", "remedy"),
    [
        (
            Refused(Refusal.ACCOUNT, 301, "Invalid key"),
            "ClickPost rejects the username and key of ClickPost B2B: Invalid key (code 301).",
            COPY_AGAIN,
        ),
        (
            Refused(Refusal.ACCOUNT, 301, f"{KEY} is not known"),
            f"ClickPost rejects the username and key of ClickPost B2B: {HIDDEN} is not known (code 301).",
            COPY_AGAIN,
        ),
        (
            Busy("connection refused"),
            "ClickPost cannot be reached: connection refused.",
            "Check the network from this machine and BILTY_CLICKPOST_URL, then run this again.",
        ),
        (
            Unclear("<html>", undocumented=True),
            "ClickPost's list of accounts cannot be read: <html>.",
            "Check BILTY_CLICKPOST_URL; if it is right, ask ClickPost about GET v1/fetch-accounts.",
        ),
        (
            Listed(()),
            "ClickPost accepts the key of ClickPost B2B, and lists no active courier account.",
            "Have a courier account activated in the ClickPost B2B dashboard.",
        ),
    ],
)
async def test_what_is_wrong_is_said_with_its_remedy_and_without_the_key(
    desk: Desk, said: Listed | Trouble, told: str, remedy: str
) -> None:
    desk.bench.aggregator.say("accounts", said)
    job = await connection_test(desk)
    assert job.result == {"ok": False, "message": f"{told} {remedy}", "couriers": []}
    assert job.state is JobState.DONE


async def test_a_connector_that_raises_keeps_nobody_waiting(desk: Desk) -> None:
    raising = Raising()
    job = await connection_test(desk, replace(desk.tools, aggregator=lambda _: raising))
    assert job.result == {
        "ok": False,
        "couriers": [],
        "message": f"Bilty could not read ClickPost's answer; it stands in the log under job {job.id}.",
    }


async def test_what_is_not_set_up_is_said(desk: Desk) -> None:
    async with desk.tools.pool.acquire() as connection:
        await providers.put_provider(connection, ShippingProvider("second", Kind.CLICKPOST_B2B, "Second"))
    assert (await connection_test(desk, provider="third")).problem == (
        "There is no Shipping Provider third. Open Settings and choose one of those listed."
    )
    assert (await connection_test(desk, provider="second")).problem == (
        "Second has no username and key yet. Enter them and choose Update Connector, then test."
    )
    job = await connection_test(desk, replace(desk.tools, vault=Vault("another secret")))
    assert job.problem.startswith("The stored ClickPost key was sealed with another BILTY_SECRET_KEY.")


async def test_the_credentials_are_those_that_are_stored_when_it_runs(desk: Desk) -> None:
    used: list[Connector] = []

    def aggregator(connector: Connector) -> Scripted:
        used.append(connector)
        return desk.bench.aggregator

    async with desk.tools.pool.acquire() as connection:
        await providers.put_connector(connection, desk.tools.vault, "clickpost-b2b", Connector("desk", "key-2"))
    await connection_test(desk, replace(desk.tools, aggregator=aggregator))
    assert [(each.username, each.key) for each in used] == [("desk", "key-2")]


async def test_priorities_of_a_lane_book_nothing(desk: Desk) -> None:
    aggregator = Listening((P1, P2, P3, Courier(9, "x", "Fourth")))
    job_id = await desk.begin(JobKind.PRIORITIES, given=LANE)
    await work(replace(desk.tools, aggregator=lambda _: aggregator), job_id, never)
    result = (await desk.job(job_id)).result
    assert result is not None
    assert result["message"].startswith("Priorities from 560058 to 411018: P1 First Cargo (129, Surface), P2 ")
    assert result["couriers"][0] == {"priority": 1, "name": "First Cargo", "cp_id": 129, "account_code": "Surface"}
    assert [each["priority"] for each in result["couriers"]] == [1, 2, 3]
    assert aggregator.calls == {"rank": 1}
    assert aggregator.asked.shipment.consignee.pincode == "411018"
    assert aggregator.asked.facility.code == "BLR-1"


async def test_a_lane_that_nobody_serves(desk: Desk) -> None:
    desk.bench.aggregator.say("rank", Ranking((), message="no courier"))
    job = await desk.do(JobKind.PRIORITIES, given=LANE)
    assert job.result == {
        "couriers": [],
        "message": "ClickPost names no courier from 560058 to 411018: no courier. "
        "Set priorities in the ClickPost B2B dashboard (Allocation, Ordered List).",
    }


async def test_a_429_to_a_question_is_heeded_by_everybody(desk: Desk) -> None:
    desk.bench.aggregator.say("accounts", Busy("too many requests", retry_after_s=600))
    await connection_test(desk)
    rows = await desk.bench.rows(
        "SELECT quiet_until > clock_timestamp() + interval '9 minutes' AS quiet FROM shipping_providers"
    )
    assert [row["quiet"] for row in rows] == [True]
    assert await desk.bench.rows("SELECT FROM side_calls") == [], "it gave its place back"


async def test_a_question_for_which_there_is_no_place_in_time_says_so(desk: Desk) -> None:
    await desk.bench.pool.execute("UPDATE shipping_providers SET quiet_until = clock_timestamp() + interval '1 hour'")
    job = await connection_test(desk)
    assert desk.bench.aggregator.calls == {}
    assert job.result is not None
    assert str(job.result["message"]).startswith("Nothing was asked")
