"""`bilty doctor`: says what is well and what is not and, with `--live`, which of our guesses about ClickPost is wrong.

`house` looks at Bilty itself; `walk` goes through a real account with `trial` for its one booking; `evidence` and
`verdicts` say, purely, what was heard; `findings` are what is shown. Nothing is asked of the person, and nothing is
changed here or at ClickPost but for the booking of `--book`, which is cancelled again.
"""

import asyncio
from functools import partial

from bilty import __version__
from bilty.doctor import house
from bilty.doctor.findings import Finding, Tell, any_wrong, lines
from bilty.doctor.subject import choose
from bilty.doctor.trial import Sleep, pace
from bilty.doctor.walk import Walk
from bilty.outgoing.http import Http
from bilty.outgoing.redaction import hide
from bilty.running import Opened, endpoints_of

__all__ = ["examine"]

_TELL: Tell = partial(print, flush=True)


async def examine(
    state: Opened,
    *,
    live: bool,
    book: bool,
    provider: str,
    facility: str,
    pincode: str,
    tell: Tell = _TELL,
    sleep: Sleep = asyncio.sleep,
) -> int:
    """The exit code: 0 when nothing is wrong. `tell` is given each line as soon as it is known."""
    if book and not live:
        tell("--book books with the real account, so it needs --live beside it.")
        return 1
    tell(f"bilty {__version__}")
    findings = house.judge(await house.look(state))
    _show(findings, tell)
    well = not any_wrong(findings)
    if live:
        walked = await _walk(state, tell, sleep, book=book, provider=provider, facility=facility, pincode=pincode)
        well = walked and well
    tell("\nNothing is wrong." if well else "\nSomething is wrong: see the lines that begin with !! or WRONG.")
    return 0 if well else 1


async def _walk(
    state: Opened, tell: Tell, sleep: Sleep, *, book: bool, provider: str, facility: str, pincode: str
) -> bool:
    subject = await choose(state, provider, facility)
    if isinstance(subject, Finding):
        _show([subject], tell)
        return False

    def tell_no_key(line: str) -> None:
        tell(hide(line, subject.connector.key))  # the last of several guards: no line is shown with the key in it

    async with Http() as http:
        pauses = pace(state.settings.poll_interval_seconds, sleep)
        walk = Walk(subject, endpoints_of(state.settings), http, pauses, tell_no_key)
        return await walk.go(book=book, pincode=pincode)


def _show(findings: list[Finding], tell: Tell) -> None:
    for finding in findings:
        for line in lines(finding):
            tell(line)
