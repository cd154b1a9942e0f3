"""The API against what nobody would send: schemathesis on the whole description, as each kind of caller.

Starts a PostgreSQL and Bilty's web part on a socket of its own, with a little of everything in it. Good data and bad,
alone and in chains, for the minutes that are given; the same seed asks the same questions. Fails on a 5xx, on an answer
that is not described (status, media type, headers, shape), on bad data taken in beyond what the description promises,
on a key that is not asked for, and on a key of one facility that is told of another. `tests/fuzz` has the how.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bilty import postgres
from bilty.settings import Settings
from bilty.store.database import connect_pool, migrate
from bilty.web.describe import OPERATIONS
from fuzz.driving import Caller, Run, driven
from fuzz.ground import ADMIN, DISPATCH, NOBODY, ONE_FACILITY, READ, callers, furnish
from web.opening import opened_house

CHAINS, EDGES = ("examples", "fuzzing", "stateful"), ("coverage",)
SECONDS_MIN = 10


@dataclass(frozen=True, slots=True)
class Part:
    """`share` of the whole time."""

    who: str
    phases: tuple[str, ...]
    share: float


PARTS = (
    Part(NOBODY, CHAINS, 0.04),
    Part(READ, CHAINS, 0.10),
    Part(ONE_FACILITY, CHAINS, 0.22),
    Part(DISPATCH, CHAINS, 0.26),
    Part(ADMIN, CHAINS, 0.26),
    Part(ADMIN, EDGES, 0.12),
)
"""Chains are made until their time is over; the edges of each field are tried once."""


@contextlib.asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[tuple[str, dict[str, Caller]]]:
    """The address, and who may ask."""
    with postgres.running(folder, durable=False) as dsn:
        connection = await asyncpg.connect(dsn)
        await migrate(connection)
        await connection.close()
        pool = await connect_pool(dsn)
        settings = Settings(key_requests_per_second=100_000)
        async with opened_house(pool, dsn, folder / "house", settings) as house:
            await furnish(house)
            yield house.url, await callers(house)
        await pool.close()


async def fuzzed(minutes: float, seed: int) -> list[Run]:
    runs = []
    with tempfile.TemporaryDirectory(prefix="bilty-fuzz-") as name:
        async with ground(Path(name)) as (url, known):
            for number, part in enumerate(PARTS):
                seconds = max(SECONDS_MIN, round(minutes * 60 * part.share))
                print(f"{part.who}: {', '.join(part.phases)}, {seconds} s", file=sys.stderr, flush=True)
                runs.append(
                    await driven(
                        url,
                        known[part.who],
                        Path(name) / f"run-{number}",
                        seed=seed,
                        phases=part.phases,
                        options=("--max-time", str(seconds)),
                    )
                )
    return runs


def told(runs: Sequence[Run], took_s: float) -> None:
    for run in runs:
        if run.failures:
            print(run.output)
    print(f"{'caller':<26}{'requests':>10}{'failures':>10}{'seconds':>9}")
    for run in runs:
        print(f"{run.caller:<26}{sum(run.seen.values()):>10}{len(run.failures):>10}{run.seconds:>9.0f}")
    missing = never_seen(runs)
    print(f"{sum(sum(run.seen.values()) for run in runs)} requests in {took_s:.0f} s.")
    print(f"Described and never answered: {', '.join(missing) or 'nothing'}.")


def never_seen(runs: Sequence[Run]) -> list[str]:
    """Good answers that nothing led to: what was not fuzzed."""
    seen: Counter[tuple[str, int]] = sum((run.seen for run in runs), Counter())
    return [
        f"{each.id} {answer.status}"
        for each in OPERATIONS
        for answer in each.answers
        if not seen[each.id, answer.status]
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzzes the API of a Bilty of its own.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    given = parser.parse_args()
    began = time.monotonic()
    runs = asyncio.run(fuzzed(given.minutes, given.seed))
    took_s = time.monotonic() - began
    told(runs, took_s)
    failures = [{"caller": run.caller, **failure} for run in runs for failure in run.failures]
    if given.json:
        requests = {f"{run.caller}, {run.seconds:.0f} s": sum(run.seen.values()) for run in runs}
        print(json.dumps({"seed": given.seed, "seconds": round(took_s), "requests": requests, "failures": failures}))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
