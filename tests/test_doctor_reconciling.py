"""`bilty doctor --reconcile` against the sandbox, which keeps the truth."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bilty.dispatcher import work_off
from bilty.doctor import Asked, examine
from bilty.outgoing.http import Http
from bilty.running import dispatch_tools
from bilty.store.database import Pool
from bilty_sandbox import Kind
from test_doctor import Practice, practising, schedule_one

RECONCILE = Asked(reconcile=True, json=True)


@pytest.fixture
async def practice(pool: Pool, dsn: str, tmp_path: Path) -> AsyncIterator[Practice]:
    async with practising(pool, dsn, tmp_path) as practice:
        yield practice


async def booked(practice: Practice) -> None:
    """One shipment, with everything that is due now done for it."""
    await schedule_one(practice.state.pool)
    async with Http() as http:
        tools = dispatch_tools(practice.state, http)
        while await work_off(tools, await practice.state.pool.fetchval("SELECT clock_timestamp()")):
            pass


async def reconciled(practice: Practice) -> tuple[int, dict[str, Any]]:
    """Each pause that the round asks for is over once the doctor has slept."""

    async def sleep(_seconds: float) -> None:
        await practice.state.pool.execute("UPDATE reconciliations SET leased_until = '-infinity'")

    practice.lines.clear()
    code = await examine(practice.state, RECONCILE, tell=practice.lines.append, sleep=sleep)
    last: dict[str, Any] = json.loads(practice.lines[-1])
    return code, last


async def test_books_that_agree_are_said_to(practice: Practice) -> None:
    practice.behave(Kind.AT_ONCE)
    await booked(practice)
    code, told = await reconciled(practice)
    assert (code, told["well"], told["reconciliation"]["differences"]) == (0, True, [])
    assert "1 reference asked about. No AWB was missing. The books agree." in practice.said
    assert len(practice.truths) == 1


async def test_an_awb_that_is_void_there_is_shown_with_what_to_do(practice: Practice) -> None:
    practice.behave(Kind.AT_ONCE)
    await booked(practice)
    (booking,) = practice.sandbox.book.bookings()
    practice.sandbox.book.cancel(booking, practice.clock.now())
    exchanges = await practice.state.pool.fetchval("SELECT count(*) FROM exchanges")
    code, told = await reconciled(practice)
    (found,) = told["reconciliation"]["differences"]
    assert (code, told["well"]) == (1, False)
    assert (found["kind"], found["awb"], found["reference"]) == ("cancelled_there", booking.awb, booking.reference)
    assert "is cancelled at ClickPost (Cancelled)." in practice.said
    assert "-> Do not hand its boxes over with this label." in practice.said
    assert await practice.state.pool.fetchval("SELECT count(*) FROM exchanges") == exchanges + 2, "what proves it"
    assert await practice.examine(live=False) == 1, "and without asking, it is still said"
    assert "1 difference between ClickPost's books and ours waits." in practice.said


async def test_an_awb_that_nobody_knew_of_is_taken_in(practice: Practice) -> None:
    """A worker died over the asking, and nobody has asked since."""
    practice.behave(Kind.BOOKED_RESET)
    await booked(practice)
    practice.clock.advance(600)
    (booking,) = practice.sandbox.book.bookings()
    await practice.state.pool.execute(
        "UPDATE turns SET state = 'lapsed', due_at = NULL, lapsed_at = asked_at WHERE priority = 1"
    )
    await practice.state.pool.execute("UPDATE shipping_providers SET silent_since = NULL")
    code, told = await reconciled(practice)
    assert code == 0, practice.wrong
    assert told["reconciliation"]["taken_in"] == 1
    assert f"ClickPost had AWB {booking.awb} of" in practice.said
    assert await practice.state.pool.fetchval("SELECT awb FROM turns WHERE cp_id IS NOT NULL") == booking.awb
    assert len(practice.truths) == 1, "nothing was booked for it"


async def test_what_is_not_answered_is_wrong_too(practice: Practice) -> None:
    practice.behave(Kind.AT_ONCE)
    await booked(practice)
    settings = practice.state.settings.model_copy(update={"clickpost_url": "http://127.0.0.1:1/api"})
    practice.state = replace(practice.state, settings=settings)
    code, told = await reconciled(practice)
    assert code == 1
    assert told["reconciliation"]["problem"].startswith("ClickPost did not answer: ")
    assert told["reconciliation"]["asked"] == 0


async def test_one_that_is_under_way_is_gone_on_with(practice: Practice) -> None:
    practice.behave(Kind.AT_ONCE)
    await booked(practice)
    await practice.state.pool.execute("INSERT INTO reconciliations (since, upto_turn) VALUES ('-infinity', 0)")
    code, told = await reconciled(practice)
    assert (code, told["reconciliation"]["asked"]) == (0, 0)
    assert "this one goes on with it" in practice.said
