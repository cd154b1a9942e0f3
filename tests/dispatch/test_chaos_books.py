"""What the chaos run's judge is shown is what stands in the database, in the label store and in the sandbox."""

from pathlib import Path

from bench.chaos import books
from bench.chaos.oms import Told
from bilty.aggregator.scripted import P1, accepted
from bilty_sandbox import Options, Policy, serve
from dispatch.bench import Bench, shipment


async def test_a_shipment_that_waits_is_told_with_what_it_waits_for(bench: Bench, dsn: str, tmp_path: Path) -> None:
    bench.aggregator.plan(P1, accepted(not_yets=3))
    await bench.schedule(shipment("S1"))
    assert [each.waits for each in await books.books(dsn, tmp_path)] == ["scheduling"]
    await bench.work()
    assert [each.waits for each in await books.books(dsn, tmp_path)] == ["label_requested"]
    assert await books.open_ones(dsn) == 1


async def test_a_shipment_with_its_label_has_all_of_it(bench: Bench, dsn: str, tmp_path: Path) -> None:
    await bench.schedule(shipment("S1", boxes=2))
    await bench.work()
    (kept,) = await books.books(dsn, tmp_path)
    assert (kept.id, kept.number, kept.waits, await books.open_ones(dsn)) == (bench.ids["S1"], "S1", "", 0)
    assert kept.holder is not None
    told = bench.aggregator.bookings[kept.holder.reference].label
    assert (kept.holder.awb, set(kept.boxes)) == (told.awb, {child.awb for child in told.children})
    assert kept.holder.paper == kept.holder.sha256 != ""


async def test_a_label_that_was_changed_or_is_gone_is_seen(bench: Bench, dsn: str, tmp_path: Path) -> None:
    await bench.schedule(shipment("S1"))
    await bench.work()
    (paper,) = (tmp_path / "labels").rglob("*.pdf")
    paper.write_bytes(paper.read_bytes() + b"\n")
    (kept,) = await books.books(dsn, tmp_path)
    assert kept.holder is not None
    assert kept.holder.paper not in ("", kept.holder.sha256)
    paper.unlink()
    (kept,) = await books.books(dsn, tmp_path)
    assert kept.holder is not None
    assert kept.holder.paper == ""


async def test_rest_is_not_reached_while_something_is_owed(bench: Bench, dsn: str) -> None:
    async with serve(Options(policy=Policy.none())) as sandbox:
        url = sandbox.url.removesuffix("/api")
        assert await books.rest(dsn, url, within_s=0.1) == ""
        await bench.schedule(shipment("S1"))
        assert await books.rest(dsn, url, within_s=0.1) == "1 shipments wait, one for: scheduling"


def test_what_was_taken_and_told_is_in_the_evidence() -> None:
    told = Told()
    told.handed["C1"]["1001"] = ("11",)
    told.printed["C1"].add("1001")
    told.ready.add("C1")
    shown = books.evidence({"C1": {7}}, [], [], told)
    assert (shown.taken, shown.handed, shown.printed, shown.ready) == (
        {"C1": {7}},
        {"C1": {"1001": ("11",)}},
        {"C1": {"1001"}},
        {"C1"},
    )
