"""`bilty doctor`: says what is well and what is not and, with `--live`, which of our guesses about ClickPost is wrong.

`house` looks at Bilty itself; `reconciling` holds ClickPost's books against ours; `walk` goes through a real account
with `trial` for its one booking; `evidence` and `verdicts` say, purely, what was heard; `findings` are what is shown.
Nothing is asked of the person, and nothing is changed at ClickPost but for the booking of `--book`, which is cancelled
again; nothing here but for AWBs that a reconciliation finds, which are taken in.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from bilty import __version__
from bilty.doctor import house, reconciling
from bilty.doctor.findings import Finding, Tell, any_wrong, lines
from bilty.doctor.subject import choose
from bilty.doctor.trial import Sleep, pace
from bilty.doctor.walk import Walk
from bilty.outgoing.http import Http
from bilty.outgoing.redaction import hide
from bilty.running import Opened, endpoints_of
from bilty.store.reconciling import BACK

__all__ = ["Asked", "examine"]

_TELL: Tell = partial(print, flush=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be examined. Of a provider or facility the code, blank where there is but one."""

    live: bool = False
    book: bool = False
    provider: str = ""
    facility: str = ""
    pincode: str = "400001"
    reconcile: bool = False
    days: int = BACK.days
    json: bool = False


async def examine(state: Opened, asked: Asked, *, tell: Tell = _TELL, sleep: Sleep = asyncio.sleep) -> int:
    """The exit code: 0 when nothing is wrong. `tell` is given each line as soon as it is known."""
    if asked.book and not asked.live:
        tell("--book books with the real account, so it needs --live beside it.")
        return 1
    tell(f"bilty {__version__}")
    findings = house.judge(await house.look(state))
    if not asked.reconcile:
        findings += await reconciling.waiting(state)
    _show(findings, tell)
    well = True
    if asked.live:
        walked, seen = await _walk(state, asked, tell, sleep)
        well, findings = walked, findings + seen
    books = None
    if asked.reconcile:
        books = await reconciling.reconcile(state, timedelta(days=asked.days), tell, sleep)
        findings += reconciling.show(books, tell)
    well = well and not any_wrong(findings)
    tell("\nNothing is wrong." if well else "\nSomething is wrong: see the lines that begin with !! or WRONG.")
    if asked.json:
        tell(_as_json(findings, books, well=well))
    return 0 if well else 1


async def _walk(state: Opened, asked: Asked, tell: Tell, sleep: Sleep) -> tuple[bool, list[Finding]]:
    subject = await choose(state, asked.provider, asked.facility)
    if isinstance(subject, Finding):
        _show([subject], tell)
        return False, [subject]

    def tell_no_key(line: str) -> None:
        tell(hide(line, subject.connector.key))  # the last of several guards: no line is shown with the key in it

    async with Http() as http:
        pauses = pace(state.settings.poll_interval_seconds, sleep)
        walk = Walk(subject, endpoints_of(state.settings), http, pauses, tell_no_key)
        return await walk.go(book=asked.book, pincode=asked.pincode), walk.findings


def _as_json(findings: list[Finding], books: reconciling.Reconciled | None, *, well: bool) -> str:
    """One object, on the last line."""
    told = {
        "well": well,
        "findings": [{"mark": each.mark.name.lower(), "says": each.says, "remedy": each.remedy} for each in findings],
        "reconciliation": reconciling.as_json(books) if books else None,
    }
    return json.dumps(told)


def _show(findings: list[Finding], tell: Tell) -> None:
    for finding in findings:
        for line in lines(finding):
            tell(line)
