"""Questions to ClickPost that book nothing and cancel nothing: Test connection, and the priorities of a lane.

The connector is read and opened when the job runs, so a key is neither in the job's input nor in its result.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import structlog

from bilty.aggregator import Aggregator, Listed
from bilty.aggregator.probe import Told, fresh_tag, sample_booking, told_accounts, told_ranking
from bilty.hearing import first_three
from bilty.jobs.tools import CannotFinish, Tools
from bilty.outgoing.redaction import hide
from bilty.reply import Busy, Courier, Ranking
from bilty.shipment import Facility
from bilty.shipping_provider import Connector
from bilty.store import health, job_steps, limits, providers
from bilty.store.jobs import Job
from bilty.store.showing import clock

WITHIN_S = 45
UNREADABLE = "Bilty could not read ClickPost's answer; it stands in the log under job {id}."
NOT_IN_TIME = (
    f"ClickPost did not answer within {WITHIN_S} s. "
    "Check the network from this machine and BILTY_CLICKPOST_URL, then test again."
)
NO_PLACE = (
    "Nothing was asked: Bilty already has as many calls out as it may, or ClickPost asked it to come again later. "
    "Try again in a minute."
)

log = structlog.get_logger()

Result: TypeAlias = Mapping[str, Any]
Ask: TypeAlias = Callable[[Aggregator], Awaitable[tuple[object, Result]]]
"""What ClickPost said, and what the job ends with."""


async def test_connection(tools: Tools, job: Job) -> None:
    """Whether ClickPost accepts username and key. Input: provider. Result: ok, message, couriers."""
    subject = await _subject(tools, job)

    async def ask(aggregator: Aggregator) -> tuple[object, Result]:
        reply = (await aggregator.accounts()).reply
        told = told_accounts(reply, subject.name)
        couriers = reply.couriers if isinstance(reply, Listed) else ()
        return reply, {"ok": told.well, "message": _sentences(told), "couriers": [_account(each) for each in couriers]}

    await _end(tools, job, subject, ask, otherwise={"ok": False, "couriers": []})


async def ask_priorities(tools: Tools, job: Job) -> None:
    """Whom ClickPost would ask, in order. Input: provider, facility, pincode. Result: couriers, message."""
    subject = await _subject(tools, job)
    facility = subject.facility
    assert facility is not None, "priorities are asked for a facility"
    async with tools.pool.acquire() as connection:
        now = await clock(connection)
    pincode = str(job.input["pincode"])
    booking = sample_booking(facility, str(job.input["provider"]), fresh_tag(), now, pincode)

    async def ask(aggregator: Aggregator) -> tuple[object, Result]:
        reply = (await aggregator.rank(booking)).reply
        ranked = first_three(reply.couriers) if isinstance(reply, Ranking) else ()
        return reply, {
            "message": _sentences(told_ranking(reply, facility.pickup.pincode, pincode)),
            "couriers": [{"priority": nth, **_named(each)} for nth, each in enumerate(ranked, 1)],
        }

    await _end(tools, job, subject, ask, otherwise={"couriers": []})


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whom it is about. `connector` has its key; `facility` is None where none is named."""

    provider_id: int
    revision: int
    name: str
    connector: Connector
    facility: Facility | None


async def _subject(tools: Tools, job: Job) -> _Subject:
    """Raises CannotFinish."""
    code, place = str(job.input["provider"]), str(job.input.get("facility", ""))
    async with tools.pool.acquire() as connection:
        row = await connection.fetchrow("SELECT id, revision, name FROM shipping_providers WHERE code = $1", code)
        try:
            connector = await providers.connector_of(connection, tools.vault, code)
        except ValueError as trouble:
            raise CannotFinish(str(trouble)) from trouble
        facility = await providers.facility_of(connection, place) if place else None
    if row is None:
        raise CannotFinish(f"There is no Shipping Provider {code}. Open Settings and choose one of those listed.")
    if connector is None:
        raise CannotFinish(
            f"{row['name']} has no username and key yet. Enter them and choose Update Connector, then test."
        )
    if place and facility is None:
        raise CannotFinish(f"There is no facility {place}. Choose one of those in Settings.")
    return _Subject(row["id"], row["revision"], row["name"], connector, facility)


async def _end(tools: Tools, job: Job, subject: _Subject, ask: Ask, *, otherwise: Result) -> None:
    """Asks with no connection held, and ends the job with the answer, or with `otherwise` and why there is none."""
    reply: object = None
    try:
        async with limits.place(tools.pool, subject.provider_id, tools.calls_max, WITHIN_S):
            reply, result = await _answer(tools, job, subject, ask, otherwise)
    except limits.NoPlace:
        result = {**otherwise, "message": NO_PLACE}
    told = msgspec.json.decode(hide(msgspec.json.encode(result).decode(), subject.connector.key))
    async with job_steps.take(tools.pool, job.id) as taken:
        if taken is not None:
            await job_steps.end(taken[0], job.id, result=told)
    if isinstance(reply, Busy) and reply.retry_after_s:
        await _be_quiet(tools, subject, reply)


async def _answer(tools: Tools, job: Job, subject: _Subject, ask: Ask, otherwise: Result) -> tuple[object, Result]:
    try:
        async with asyncio.timeout(WITHIN_S):
            return await ask(tools.aggregator(subject.connector))
    except TimeoutError:
        return None, {**otherwise, "message": NOT_IN_TIME}
    except Exception:  # noqa: BLE001 - a connector does not raise; should it, nobody must wait for an answer for ever
        trace = hide(traceback.format_exc(), subject.connector.key)
        log.error("job.call_failed", job=job.id, trace=trace)  # noqa: TRY400 - a plain one may quote the key
        return None, {**otherwise, "message": UNREADABLE.format(id=job.id)}


async def _be_quiet(tools: Tools, subject: _Subject, asked: Busy) -> None:
    async with tools.pool.acquire() as connection:
        now = await clock(connection)
        await health.quiet(connection, subject.provider_id, subject.revision, asked.retry_after_s, now)


def _sentences(told: Told) -> str:
    return f"{told.says} {told.remedy}".rstrip()


def _account(courier: Courier) -> str:
    return f"{courier.name} {courier.account_code}"


def _named(courier: Courier) -> dict[str, str | int]:
    return {"name": courier.name, "cp_id": courier.cp_id, "account_code": courier.account_code}
