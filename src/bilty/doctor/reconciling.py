"""`bilty doctor --reconcile`: ClickPost's books held against ours, here and now, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bilty.doctor.findings import Finding, Tell, lines, note, ok, wrong
from bilty.doctor.trial import Sleep
from bilty.jobs.reconciling import Pace, reconcile_page
from bilty.outgoing.http import Http
from bilty.running import Opened, job_tools
from bilty.store import differences, reconciling
from bilty.store.differences import Differs
from bilty.store.reconciling import Round
from bilty.telling.differences import told_difference
from bilty.words import counted

SHOWN_MAX = 1_000
WAIT_S = 5.0
AGAIN = "Run it again; `bilty doctor --live` asks ClickPost step by step."


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A round, the AWBs that it found, and everything that waits for a person, whichever round found it."""

    round: Round
    taken_in: Sequence[Differs]
    waiting: Sequence[Differs]


async def reconcile(state: Opened, back: timedelta, tell: Tell, sleep: Sleep) -> Reconciled:
    """A round from its beginning, or what is left of the one that is under way, to its end."""
    async with state.pool.acquire() as connection:
        begun = await reconciling.begin(connection, back)
    tell("\nClickPost's books and ours")
    if not begun:
        tell("A comparison is under way already: this one goes on with it.")
    async with Http() as http:
        tools, pace, told = job_tools(state, http), Pace(sleep), -1
        while (found := await _open(state)) is not None:
            if await reconcile_page(tools, pace):
                continue
            if found.asked != told:
                told = found.asked
                tell(f"{counted(told, 'reference')} asked about so far; waiting for ClickPost, or for another worker.")
            await sleep(WAIT_S)
    return await _result(state)


async def _open(state: Opened) -> Round | None:
    async with state.pool.acquire() as connection:
        found = await reconciling.latest(connection)
    return found if found and found.ended_at is None else None


async def _result(state: Opened) -> Reconciled:
    async with state.pool.acquire() as connection:
        found = await reconciling.latest(connection)
        assert found is not None, "it has just ended"
        return Reconciled(
            found,
            await differences.taken_in(connection, found.id, SHOWN_MAX),
            await differences.waiting(connection, None, SHOWN_MAX),
        )


async def waiting(state: Opened) -> list[Finding]:
    """Without a comparison of our own: what the last ones left for a person."""
    async with state.pool.acquire() as connection:
        count = await differences.count(connection, None, SHOWN_MAX)
    if not count:
        return []
    told = f"{counted(count, 'difference')} between ClickPost's books and ours {'waits' if count == 1 else 'wait'}."
    return [wrong(told, "See Needs attention, or `bilty doctor --reconcile`.")]


def findings(reconciled: Reconciled) -> list[Finding]:
    found = reconciled.round
    said = [note(f"{each.number}: {told}", remedy) for each, told, remedy in _told(reconciled.taken_in)]
    said += [wrong(f"{each.number}: {told}", remedy) for each, told, remedy in _told(reconciled.waiting)]
    if found.problem:
        said.append(wrong(found.problem, AGAIN))
    if found.unanswered:
        said.append(wrong(f"{counted(found.unanswered, 'reference')} without a readable answer.", AGAIN))
    agree = "" if reconciled.waiting or found.unanswered or found.problem else " The books agree."
    came = f"{counted(found.taken_in, 'AWB')} taken in that Bilty had not." if found.taken_in else "No AWB was missing."
    said.append(ok(f"{counted(found.asked, 'reference')} asked about. {came}{agree}"))
    return said


def _told(found: Sequence[Differs]) -> list[tuple[Differs, str, str]]:
    return [(d, *told_difference(d.kind, d.courier, d.turn, d.awb, d.their_awb, d.message)) for d in found]


def show(reconciled: Reconciled, tell: Tell) -> list[Finding]:
    said = findings(reconciled)
    for finding in said:
        for line in lines(finding):
            tell(line)
    return said


def as_json(reconciled: Reconciled) -> Mapping[str, Any]:
    found = reconciled.round
    return {
        "asked": found.asked,
        "unanswered": found.unanswered,
        "taken_in": found.taken_in,
        "problem": found.problem,
        "differences": [
            {
                "kind": each.kind,
                "shipment": each.number,
                "shipment_id": each.shipment_id,
                "reference": each.turn.reference,
                "cp_id": each.courier.cp_id,
                "account_code": each.courier.account_code,
                "awb": each.awb,
                "their_awb": each.their_awb,
                "found_at": each.found_at.isoformat(),
                "message": told,
                "remedy": remedy,
            }
            for each, told, remedy in _told([*reconciled.taken_in, *reconciled.waiting])
        ],
    }
