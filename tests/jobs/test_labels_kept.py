"""A label is in the store before anything names it, is looked at each time it is read, and is fetched again if lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bilty.aggregator import Booking
from bilty.aggregator.scripted import Scripted, pdf
from bilty.dispatcher import work_off
from bilty.store import awbs, lost_labels
from bilty.store.claims import LEASE, claim
from bilty.store.database import Pool
from bilty.store.labels import LabelStore
from bilty.turn import State, Step
from bilty.workflow import Status
from dispatch.bench import MINUTE, Bench, make_bench, shipment


@pytest.fixture
async def bench(pool: Pool, tmp_path: Path) -> Bench:
    return await make_bench(pool, tmp_path / "labels")


def files(folder: Path) -> list[Path]:
    return list(folder.glob("**/*.pdf"))


@asynccontextmanager
async def labelled(bench: Bench, folder: Path) -> AsyncIterator[Path]:
    """The file of S1's label."""
    await bench.schedule(shipment("S1", boxes=1))
    await bench.work()
    assert await bench.status("S1") is Status.LABEL_READY
    (file,) = files(folder)
    yield file


async def is_lost(bench: Bench, sha256: str) -> bool:
    async with bench.pool.acquire() as connection, connection.transaction():
        return await lost_labels.fetch_again(connection, bench.ids["S1"], sha256, bench.now)


async def sha256_of(bench: Bench) -> str:
    return (await bench.turn("S1", 1)).label_sha256


async def test_the_same_bytes_twice_are_one_file(tmp_path: Path) -> None:
    store = LabelStore.at(str(tmp_path))
    assert await store.put(pdf("1")) == await store.put(pdf("1"))
    assert await store.put(pdf("2")) != await store.put(pdf("1"))
    assert len(files(tmp_path)) == 2


async def test_killed_between_the_file_and_the_row_the_label_is_there_once(bench: Bench, tmp_path: Path) -> None:
    """The file is written and nobody knows of it: the next worker fetches it again, and finds it there."""
    await bench.schedule(shipment("S1", boxes=1))
    for _ in range(2):  # the ranking, and the booking
        assert await work_off(bench.tools, bench.now) == 1
    (claimed,) = await claim(bench.pool, bench.tools.keyring, calls_max=9, calls_out={}, now=bench.now)
    assert claimed.step is Step.FETCH_LABEL
    said = await bench.aggregator.fetch_label(
        Booking(claimed.shipment, claimed.facility, claimed.turn.reference, awb=claimed.turn.awb)
    )
    kept = await bench.tools.labels.put(getattr(said.reply, "content", b""))
    assert await sha256_of(bench) == "", "nothing names it yet"
    bench.now += LEASE
    await bench.work()
    assert await sha256_of(bench) == kept
    assert len(files(tmp_path)) == 1


async def test_a_store_that_cannot_be_written_leaves_no_name_of_a_label(bench: Bench, tmp_path: Path) -> None:
    shelf = tmp_path / "labels" / "labels"
    shelf.write_text("a file where the folder should be")
    await bench.schedule(shipment("S1", boxes=1))
    await bench.work()
    turn = await bench.turn("S1", 1)
    assert (turn.state, turn.label_sha256) == (State.FETCHING, "")
    assert turn.message == "Bilty's label store cannot be written."
    shelf.unlink()
    await bench.until(bench.now + MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY


async def test_changed_bytes_are_told_and_fetched_again(bench: Bench, tmp_path: Path) -> None:
    async with labelled(bench, tmp_path) as file:
        content, sha256 = file.read_bytes(), await sha256_of(bench)
        file.write_bytes(content.replace(b"288", b"289"))
        with pytest.raises(ValueError, match="changed behind Bilty's back"):
            await bench.tools.labels.get(sha256)
        assert await is_lost(bench, sha256)
        assert await bench.status("S1") is Status.LABEL_REQUESTED
        assert not await is_lost(bench, sha256), "said twice, it is fetched once"
        await bench.work()
        assert await bench.status("S1") is Status.LABEL_READY
        assert (await sha256_of(bench), file.read_bytes()) == (sha256, content)
        assert bench.aggregator.calls["ask"] == 1


async def test_a_lost_label_whose_link_is_dead_is_a_persons(bench: Bench, tmp_path: Path) -> None:
    async with labelled(bench, tmp_path) as file:
        file.unlink()
        bench.aggregate_with(_LinkDead(bench.aggregator))
        assert await is_lost(bench, await sha256_of(bench))
        await bench.until(bench.now + 20 * MINUTE)
        assert (await bench.turn("S1", 1)).state is State.UNLABELLED
        assert await bench.status("S1") is Status.NEEDS_ATTENTION


async def test_of_boxes_that_are_on_their_way_no_label_is_fetched(bench: Bench, tmp_path: Path) -> None:
    async with labelled(bench, tmp_path):
        await bench.pool.execute("UPDATE shipments SET dispatched = true, status = 'dispatched'")
        assert not await is_lost(bench, await sha256_of(bench))
        assert not await is_lost(bench, "0" * 64), "nor one that is not the shipment's"


@pytest.mark.parametrize(("pages", "warned"), [(2, True), (3, False), (4, False), (5, True)])
async def test_pages_that_do_not_fit_the_boxes_are_a_warning(bench: Bench, pages: int, warned: bool) -> None:
    """One more than boxes is the courier's own document."""
    await bench.schedule(shipment("S1", boxes=3))
    async with bench.pool.acquire() as connection:
        await awbs.warn_of_pages(connection, bench.ids["S1"], pages, 3)
        warnings = await connection.fetchval("SELECT warnings FROM shipments WHERE id = $1", bench.ids["S1"])
    assert warnings == ([f"The label has {pages} pages for 3 boxes."] if warned else [])


class _LinkDead(Scripted):
    """As it was, but no label comes any more."""

    def __init__(self, other: Scripted) -> None:
        super().__init__(other.couriers)
        self.bookings = other.bookings
