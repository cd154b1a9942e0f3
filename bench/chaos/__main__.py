"""Kills, pauses and cuts off all that Bilty consists of and needs, again and again, while shipments flow in; then lets
it come to rest and holds its books against the sandbox's truth. docs/chaos.md says what is done and counted.
"""

import argparse
import asyncio
import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from bench.chaos import books
from bench.chaos.asking import Caller
from bench.chaos.faults import Counted, carry_out
from bench.chaos.flow import Flow, furnish
from bench.chaos.house import House, housed
from bench.chaos.judge import Evidence, Verdict, judge
from bench.chaos.oms import Oms, listening
from bench.chaos.plan import plan
from bilty.store import access
from bilty.store.access import Scope
from bilty_sandbox import DEMO_KEY, DEMO_USERNAME

OPEN_MAX, OPEN_IN_HURRY_MAX = 18_000, 100
"""Shipments under way at once: more are posted when some have come to an end."""
LOOK_EVERY_S, TELL_EVERY_S = 1.0, 10.0
TAKEN_WITHIN_S, REST_WITHIN_S, PAPERS_WITHIN_S = 180, 600, 120
SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Result:
    """The JSON object. The last five must be 0."""

    shipments: int
    bookings: int
    kills: int
    database_faults: int
    lost: int
    paid_twice: int
    unknown_awbs: int
    wrong_boxes: int
    stuck: int

    @property
    def is_proof(self) -> bool:
        """Where nothing was booked or nobody killed the zeros say nothing."""
        return bool(self.shipments and self.bookings and self.kills)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.paid_twice or self.unknown_awbs or self.wrong_boxes or self.stuck)


async def run(folder: Path, seconds: float, seed: int, *, hurry: bool) -> tuple[Result, Verdict, Counted]:
    began, counted = time.monotonic(), Counted()
    async with listening(seed) as oms, housed(folder, seed) as house:
        key = await _key(house.dsn)
        callers = [Caller(address, key) for address in house.addresses]
        await furnish(callers[0], DEMO_USERNAME, DEMO_KEY, f"http://127.0.0.1:{oms.port}/")
        oms.addresses = house.addresses
        flow = Flow(callers, seed)
        async with _told(house, flow, oms, counted, OPEN_IN_HURRY_MAX if hurry else OPEN_MAX):
            await _fire(house, flow, counted, seconds, seed)
            say("the fire is over, all is let come to rest")
            owed = await books.rest(house.dsn, house.sandbox_url, REST_WITHIN_S, hurry=hurry)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(oms.papers(), PAPERS_WITHIN_S)
            oms.give_up()
        say(f"at rest after {time.monotonic() - began:.0f} s{f', still owed: {owed}' if owed else ''}")
        codes = await house.end_programs()
        say(f"Bilty's processes ended with {codes}")
        given, _ = await books.truth(house.sandbox_url)
        kept = await books.books(house.dsn, house.labels)
        evidence = books.evidence(flow.taken, kept, given, oms.told)
        verdict = judge(evidence)
        _keep(folder, evidence, verdict)
    return _result(evidence, verdict, counted), verdict, counted


async def _fire(house: House, flow: Flow, counted: Counted, seconds: float, seed: int) -> None:
    """Shipments flow in until the faults are over. What is posted by then is posted until it is taken."""
    posting = asyncio.create_task(flow.run())
    faults = asyncio.create_task(carry_out(plan(seed, seconds, house.names), house, counted))
    try:
        done, _ = await asyncio.wait({posting, faults}, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for each in done:
            each.result()
        await faults
        flow.end()
        await asyncio.wait_for(posting, TAKEN_WITHIN_S)
    finally:
        for each in (posting, faults):
            each.cancel()
        await asyncio.gather(posting, faults, return_exceptions=True)


@contextlib.asynccontextmanager
async def _told(house: House, flow: Flow, oms: Oms, counted: Counted, open_max: int) -> AsyncIterator[None]:
    """Lets shipments in while there is room, and says how it stands."""
    began = time.monotonic()

    async def look() -> None:
        said = 0.0
        while True:
            is_open = await books.open_ones(house.dsn)
            if is_open is not None and is_open < open_max:
                flow.has_room.set()
            else:
                flow.has_room.clear()
            if time.monotonic() - said > TELL_EVERY_S:
                said = time.monotonic()
                say(
                    f"{said - began:>5.0f} s {len(flow.taken):>7,} taken, {is_open} open, {len(oms.told.ready):>7,} "
                    f"told ready, {counted.kills} kills, {counted.database_faults} database faults, {flow.broken} again"
                )
            await asyncio.sleep(LOOK_EVERY_S)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


async def _key(dsn: str) -> str:
    async with books.reading(dsn) as connection, connection.transaction():
        return await access.add_key(connection, "chaos", Scope.ADMIN)


def _result(evidence: Evidence, verdict: Verdict, counted: Counted) -> Result:
    columns: Mapping[str, tuple[str, ...]] = asdict(verdict)
    return Result(
        shipments=len(evidence.taken),
        bookings=len(evidence.given),
        kills=counted.kills,
        database_faults=counted.database_faults,
        **{name: len(lines) for name, lines in columns.items()},
    )


def _keep(folder: Path, evidence: Evidence, verdict: Verdict) -> None:
    """What one needs to look into it, beside the logs and the cluster that are there already."""
    for name, what in (("evidence", evidence), ("verdict", verdict)):
        (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(what), indent=1))


def say(words: str) -> None:
    print(f"  {words}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long it burns; then it is let come to rest")
    parser.add_argument("--seed", type=int, default=1, help="the same seed is the same plan of faults and orders")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--keep", type=Path, help="a folder for books, truth and logs, which stays")
    parser.add_argument("--hurry", action="store_true", help="for tests: few shipments, and leases end with the fire")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="bilty-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    result, verdict, counted = asyncio.run(run(folder.resolve(), given.minutes * 60, given.seed, hurry=given.hurry))
    for name, lines in asdict(verdict).items():
        for line in lines[:SHOWN_MAX]:
            print(f"{name}: {line}")
    for key, value in asdict(result).items():
        print(f"{key.replace('_', ' '):<18}{value:>8,}")
    print(f"{'seed':<18}{given.seed:>8}")
    for kind, times in sorted(counted.by_kind.items()):
        print(f"  {kind:<24}{times:>6,}")
    if not given.keep and result.is_clean:
        shutil.rmtree(folder)
    else:
        print(f"What it was judged by is in {folder}.")
    if given.json:
        print(json.dumps(asdict(result)))
    if not result.is_proof:
        sys.exit("Nothing was proved: let it burn for longer.")
    if not result.is_clean:
        sys.exit("The books do not agree with the truth.")


if __name__ == "__main__":
    main()
