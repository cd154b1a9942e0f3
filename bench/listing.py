"""How long the list of shipments takes: each tab, filter, sort and search, on page 1 and 1,000 pages further on.

Makes a database of its own with a million shipments, which takes some minutes; `--data FOLDER` keeps it for the next
time. What is timed is all that a page of the list asks of the database, its rows and the counts of its tabs included.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from bilty import postgres
from bilty.store.database import Pool, connect_pool, migrate
from bilty.store.listing import Cursor, Filter, Sort, Tab, ids_matching, view

SEED = Path(__file__).with_name("listing.sql")
PAGE, DEEP = 60, 1_000
CHUNK = 100_000
TARGET_MS = 50


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    filter: Filter
    sort: Sort = Sort.NEWEST


def questions(rows: int) -> Iterator[Question]:
    today = datetime.now(UTC).date()
    for tab in Tab:
        yield Question(f"tab {tab}", Filter(tab=tab))
    narrowed = {
        "facility, large": Filter(facility="F-01"),
        "facility, small": Filter(facility="F-07"),
        "facility, closed": Filter(facility="F-19"),
        "facility, new": Filter(facility="F-20"),
        "courier": Filter(courier="Blue Dart"),
        "courier, rare": Filter(courier="Rivigo"),
        "provider": Filter(provider="clickpost-2"),
        "yesterday": Filter(created_from=today - timedelta(days=1), created_to=today - timedelta(days=1)),
        "a month, long ago": Filter(created_from=today - timedelta(days=300), created_to=today - timedelta(days=270)),
        "since half a year": Filter(created_from=today - timedelta(days=182)),
        "facilities one may see": Filter(facility_ids=frozenset({2, 3, 5, 7, 11})),
        "facility, courier, tab": Filter(tab=Tab.FAILED, facility="F-03"),
        "facility, courier, month": Filter(
            facility="F-01", courier="DTDC", created_from=today - timedelta(days=60), created_to=today - timedelta(30)
        ),
    }
    for name, each in narrowed.items():
        yield Question(name, each)
        yield Question(f"{name}, oldest", each, Sort.OLDEST)
    for sort in Sort:
        yield Question(f"sort {sort}", Filter(), sort)
    for sort in (Sort.NUMBER, Sort.NUMBER_DOWN, Sort.CONSIGNEE, Sort.VALUE_DOWN):
        for tab in (Tab.READY_NOT_PRINTED, Tab.FAILED, Tab.DISPATCHED, Tab.LABEL_READY):
            yield Question(f"sort {sort}, tab {tab}", Filter(tab=tab), sort)
        yield Question(f"sort {sort}, facility", Filter(facility="F-07"), sort)
        yield Question(f"sort {sort}, courier", Filter(courier="Blue Dart"), sort)
        yield Question(f"sort {sort}, month", narrowed["a month, long ago"], sort)
    last = 10_000_000 + rows
    for name, words in {
        "number": f"SO-{last}",
        "number, beginning": f"so-{str(last)[:6]}",
        "number, all begin so": "SO-1",
        "order": f"PO/26-27/{rows // 6}",
        "reference": f"SO-{str(last)[:5]}-",
        "AWB": f"AWB{rows // 2:010}",
        "AWB, beginning": f"AWB{rows // 2:010}"[:9],
        "box's AWB": f"C{rows // 2:010}",
        "one consignee": "sri lakshmi traders",
        "word, common": "traders",
        "words, common": "sri ent",
        "nothing": "nobody at all",
    }.items():
        yield Question(f"find {name}", Filter(words=words))
    yield Question("find word, tab", Filter(words="traders", tab=Tab.LABEL_REQUESTED))
    yield Question("find word, sorted", Filter(words="lakshmi"), Sort.VALUE_DOWN)


async def make(address: str, rows: int) -> None:
    began = time.monotonic()
    connection = await asyncpg.connect(address)
    await migrate(connection)
    setup, chunk = SEED.read_text("utf-8").split("-- chunk\n")
    await connection.execute(setup)
    for first in range(1, rows + 1, CHUNK):
        last = min(first + CHUNK - 1, rows)
        await connection.execute(
            chunk.replace(":first", str(first)).replace(":last", str(last)).replace(":rows", str(rows))
        )
        print(f"  {last:>9,} shipments after {time.monotonic() - began:.0f} s", file=sys.stderr)
    await connection.execute("VACUUM (ANALYZE)")  # as autovacuum leaves tables that have been in use for a while
    await connection.close()


async def milliseconds(pool: Pool, question: Question, cursor: Cursor | None, times: int) -> list[float]:
    took = []
    async with pool.acquire() as connection:
        for _ in range(times + 1):
            began = time.perf_counter()
            await view(connection, question.filter, question.sort, cursor, PAGE)
            took.append((time.perf_counter() - began) * 1e3)
    return took[1:]  # the first finds the statements prepared


async def deep(pool: Pool, question: Question) -> tuple[Cursor | None, int]:
    """The cursor of the page 1,000 pages on, or of the last that there is, and how many pages on that is."""
    async with pool.acquire() as connection:
        ids = await ids_matching(connection, question.filter, PAGE * DEEP + 1, question.sort)
    pages = (len(ids) - 1) // PAGE
    return (Cursor(ids[pages * PAGE - 1]) if pages > 0 else None), max(0, pages)


async def measure(pool: Pool, asked: list[Question], times: int) -> list[dict[str, object]]:
    results: list[dict[str, object]] = []
    for question in asked:
        cursor, pages = await deep(pool, question)
        for where, at in (("1", None), (f"{pages + 1:,}", cursor)) if cursor else (("1", None),):
            took = await milliseconds(pool, question, at, times)
            p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
            results.append({"list": question.name, "page": where, "p50_ms": round(p50, 1), "p95_ms": round(p95, 1)})
            late = "  <- over 50 ms" if p95 > TARGET_MS else ""
            print(f"{question.name:<36}{where:>6}{p50:>9.1f}{p95:>9.1f}{late}", flush=True)
    return results


@contextlib.asynccontextmanager
async def database(folder: Path, rows: int) -> AsyncIterator[Pool]:
    """One that was made before and kept, or a new one. It bears its name only once it is whole."""
    with postgres.running(folder, durable=False) as server:
        name, unfinished = f"list_{rows}", f"list_{rows}_unfinished"
        at, _, options = server.partition("?")
        connection = await asyncpg.connect(server)
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f"DROP DATABASE IF EXISTS {unfinished}")
            await connection.execute(f"CREATE DATABASE {unfinished}")
            await make(f"{at.rpartition('/')[0]}/{unfinished}?{options}", rows)
            await connection.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")
        await connection.close()
        pool = await connect_pool(f"{at.rpartition('/')[0]}/{name}?{options}")
        try:
            async with pool.acquire() as kept:
                await migrate(kept)
            yield pool
        finally:
            await pool.close()


async def run(rows: int, times: int, folder: Path, only: str) -> list[dict[str, object]]:
    async with database(folder, rows) as pool:
        print(f"{rows:,} shipments, {PAGE} rows a page, {times} times each\n")
        print(f"{'':<36}{'page':>6}{'p50 ms':>9}{'p95 ms':>9}")
        asked = [each for each in questions(rows) if only in each.name]
        return await measure(pool, asked, times)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench listing", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--data", type=Path, help="where the database is kept for the next time")
    parser.add_argument("--only", default="", help="lists whose name has this in it")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    given = parser.parse_args()
    with contextlib.ExitStack() as held:
        folder = given.data or Path(held.enter_context(tempfile.TemporaryDirectory()))
        results = asyncio.run(run(given.rows, given.times, folder, given.only))
    worst = max(results, key=lambda each: float(str(each["p95_ms"])))
    print(f"\nworst p95: {worst['p95_ms']} ms ({worst['list']}, page {worst['page']}); wanted: under {TARGET_MS} ms")
    if given.json:
        print(json.dumps({"rows": given.rows, "worst": worst, "lists": results}))


if __name__ == "__main__":
    main()
