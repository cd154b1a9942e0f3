"""What is printed with labels: stickers, slips, documents and separators, in which order, and one box again."""

import io

import msgspec
import pypdf

from bilty.aggregator import Pdf
from bilty.reply import Label, OwnPaper, PaperKind, Unclear
from bilty.shipment import Item
from bilty.shipping_provider import Connector
from bilty.store import attachments, courier_papers, prints, providers
from bilty.store.attachments import Given, Kind
from bilty.store.jobs import Job, JobKind, JobState
from bilty.store.labels import Shelf
from dispatch.bench import shipment
from jobs.desk import ASHA, Desk, label_pdf

WON = "SELECT id FROM turns WHERE shipment_id = $1 AND state = 'won'"


async def pages(desk: Desk, job: Job) -> list[list[str]]:
    """What stands on each page, line by line."""
    assert job.result is not None, job.problem
    pdf = await desk.tools.labels.get(job.result["sha256"], Shelf.PRINTS)
    found = [page.extract_text().strip().splitlines() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    assert len(found) == job.result["pages"]
    return found


async def heads(desk: Desk, job: Job) -> list[str]:
    """What each page is, by its first line."""
    return [lines[0] for lines in await pages(desk, job)]


async def labelled(desk: Desk, number: str, boxes: int, *, items: bool = False) -> int:
    """With a label that has a page a box."""
    order = shipment(number, boxes=boxes)
    if items:
        item = Item(sku="KETTLE", quantity=4, unit_price=order.value)
        filled = tuple(msgspec.structs.replace(box, items=(item,)) for box in order.boxes)
        order = msgspec.structs.replace(order, boxes=filled)
    await desk.bench.schedule(order)
    await desk.bench.work()
    await desk.put_label(number, await desk.tools.labels.put(label_pdf(number, pages=boxes)))
    return desk.bench.ids[number]


async def require_packslip(desk: Desk) -> None:
    async with desk.tools.pool.acquire() as connection:
        connector = Connector("malnad", "a-key", packslip_required=True)
        assert await providers.put_connector(connection, desk.tools.vault, "clickpost-b2b", connector)


async def attach(desk: Desk, shipment_id: int, name: str, content: bytes) -> Given:
    sha256 = await desk.tools.labels.put(content, Shelf.DOCUMENTS)
    given = Given(Kind.INVOICE, name, content, sha256, 1)
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        await attachments.attach(connection, desk.tools.labels, shipment_id, given, ASHA)
    return given


async def test_a_label_comes_alone_unless_more_is_wished(desk: Desk) -> None:
    shipment_id = await labelled(desk, "S1", 2)
    assert await heads(desk, await desk.do(JobKind.PRINT, [shipment_id])) == ["S1, page 1 of 2", "S1, page 2 of 2"]


async def test_with_packslip_required_stickers_and_slips_come_unasked(desk: Desk) -> None:
    await require_packslip(desk)
    shipment_id = await labelled(desk, "S1", 2, items=True)
    assert await heads(desk, await desk.do(JobKind.PRINT, [shipment_id])) == [
        "S1, page 1 of 2",
        "S1, page 2 of 2",
        "1 of 2",
        "2 of 2",
        "Packing slip",
        "Packing slip, box 1 of 2",
        "Packing slip, box 2 of 2",
    ]


async def test_each_sticker_says_its_own_boxs_number(desk: Desk) -> None:
    shipment_id = await labelled(desk, "S1", 2)
    await desk.tools.pool.execute(
        "UPDATE boxes SET awb = CASE number WHEN 2 THEN 'CHILD2' ELSE '' END WHERE shipment_id = $1", shipment_id
    )
    job = await desk.do(JobKind.PRINT, [shipment_id], given={"beside": ["stickers"]})
    first, second = (await pages(desk, job))[2:]
    assert "S1-1" in first
    assert "CHILD2" not in first
    assert "CHILD2" in second
    assert "S1-1" not in second


async def test_a_document_is_printed_along_and_one_that_is_broken_is_named(desk: Desk) -> None:
    shipment_id, other = await labelled(desk, "S1", 1), await labelled(desk, "S2", 1)
    await attach(desk, shipment_id, "INV-1.pdf", label_pdf("the invoice"))
    await attach(desk, other, "torn.pdf", b"%PDF-1.4 torn")
    lost = await attach(desk, other, "lost.pdf", label_pdf("lost"))
    await desk.tools.labels.remove(lost.sha256, Shelf.DOCUMENTS)
    job = await desk.do(JobKind.PRINT, [shipment_id, other])
    assert await heads(desk, job) == ["S1, page 1 of 1", "the invoice, page 1 of 1", "S2, page 1 of 1"]
    assert (job.state, job.done, job.refused) == (JobState.DONE, 2, 0)
    async with desk.tools.pool.acquire() as connection:
        notes = await connection.fetch("SELECT reason FROM job_items WHERE job_id = $1 AND reason <> ''", job.id)
    mend = "Open it on the shipment's page, or attach it anew."
    (reason,) = [row["reason"] for row in notes]
    assert reason == (
        f"torn.pdf was not printed along: its PDF is damaged. {mend} "
        f"lost.pdf was not printed along: it is no longer in the label store as it was. {mend}"
    )
    labels_alone = await desk.do(JobKind.PRINT, [shipment_id], given={"beside": []})
    assert len(await heads(desk, labels_alone)) == 1


async def test_couriers_are_parted_and_their_shipments_stay_in_the_order_chosen(desk: Desk) -> None:
    ids = [await labelled(desk, number, 1) for number in ("S1", "S2", "S3")]
    await desk.tools.pool.execute(
        "UPDATE turns SET courier_name = 'Aramex' WHERE shipment_id = ANY($1) AND state = 'won'", [ids[1], ids[2]]
    )
    given = {"order": "courier", "separators": True}
    job = await desk.do(JobKind.PRINT, [ids[2], ids[0], ids[1]], given=given)
    told = await pages(desk, job)
    first, *others = [lines[0] for lines in told]
    assert first == "Aramex"
    assert others[:2] == ["S3, page 1 of 1", "S2, page 1 of 1"]
    assert others[3:] == ["S1, page 1 of 1"]
    assert told[0][1:] == ["Facility BLR-1", "2 shipments", "2 boxes"]
    assert told[3][1:] == ["Facility BLR-1", "1 shipment", "1 box"]


async def test_a_separator_does_not_count_what_cannot_be_printed(desk: Desk) -> None:
    ids = [await labelled(desk, number, 1) for number in ("S1", "S2")]
    await desk.put_label("S2", await desk.tools.labels.put(b"%PDF-1.4 torn"))
    job = await desk.do(JobKind.PRINT, ids, given={"separators": True})
    told = await pages(desk, job)
    assert told[0][1:] == ["Facility BLR-1", "1 shipment", "1 box"]
    assert [lines[0] for lines in told[1:]] == ["S1, page 1 of 1"]
    assert list(await desk.refused(job.id)) == [ids[1]]


async def test_one_box_is_printed_again_its_page_and_its_sticker(desk: Desk) -> None:
    shipment_id = await labelled(desk, "S1", 3)
    early = await desk.do(JobKind.PRINT, [shipment_id], given={"box": 2})
    assert await desk.refused(early.id) == {
        shipment_id: "It was not printed yet. Print all of it first; then one box of it can be printed again."
    }
    await desk.do(JobKind.PRINT, [shipment_id])
    told = await pages(desk, await desk.do(JobKind.PRINT, [shipment_id], given={"box": 2}))
    assert [lines[0] for lines in told] == ["S1, page 2 of 3", "2 of 3"]
    for lines in told:
        assert any(line.startswith("Reprint 1 · box 2 of 3 · ") for line in lines), lines
    gone = await desk.do(JobKind.PRINT, [shipment_id], given={"box": 4})
    assert await desk.refused(gone.id) == {shipment_id: "It has 3 boxes now: there is no box 4 to print."}


async def test_of_a_label_that_has_not_a_page_a_box_all_pages_are_printed_again(desk: Desk) -> None:
    shipment_id = await labelled(desk, "S1", 3)
    await desk.put_label("S1", await desk.tools.labels.put(label_pdf("S1", pages=2)))
    await desk.do(JobKind.PRINT, [shipment_id])
    job = await desk.do(JobKind.PRINT, [shipment_id], given={"box": 3})
    assert await heads(desk, job) == ["S1, page 1 of 2", "S1, page 2 of 2", "3 of 3"]


async def test_what_must_be_destroyed_counts_one_box_as_one(desk: Desk) -> None:
    shipment_id = await labelled(desk, "S1", 3)
    await desk.do(JobKind.PRINT, [shipment_id])
    await desk.do(JobKind.PRINT, [shipment_id], given={"box": 2})
    async with desk.tools.pool.acquire() as connection:
        found = (await prints.printed_now(connection, [shipment_id]))[shipment_id]
    assert sum(each.boxes * each.copies for each in found) == 4


async def with_theirs(desk: Desk, shipment_id: int, **urls: str) -> None:
    """Its answer named papers of the courier's own, by kind."""
    async with desk.tools.pool.acquire() as connection:
        turn_id = await connection.fetchval(
            "SELECT id FROM turns WHERE shipment_id = $1 AND state = 'won'", shipment_id
        )
        told = [(turn_id, OwnPaper(PaperKind(kind), url)) for kind, url in urls.items()]
        await courier_papers.keep_links(connection, told)
        await courier_papers.keep_links(connection, told)


async def test_the_couriers_own_sticker_takes_the_place_of_ours_and_is_fetched_once(desk: Desk) -> None:
    await require_packslip(desk)
    shipment_id = await labelled(desk, "S1", 1)
    await with_theirs(desk, shipment_id, sticker="https://courier.example/sticker.pdf")
    desk.bench.aggregator.say("fetch_paper", Pdf(label_pdf("their sticker")))
    for _ in range(2):
        job = await desk.do(JobKind.PRINT, [shipment_id])
        assert (await heads(desk, job))[:3] == ["S1, page 1 of 1", "their sticker, page 1 of 1", "Packing slip"]
    assert desk.bench.aggregator.calls["fetch_paper"] == 1


async def test_where_theirs_cannot_be_had_ours_is_printed_and_that_is_said(desk: Desk) -> None:
    await require_packslip(desk)
    shipment_id = await labelled(desk, "S1", 1)
    await with_theirs(desk, shipment_id, slip="https://courier.example/slip.pdf")
    desk.bench.aggregator.say("fetch_paper", Unclear("label link: HTTP 403"))
    job = await desk.do(JobKind.PRINT, [shipment_id])
    assert await heads(desk, job) == ["S1, page 1 of 1", "1 of 1", "Packing slip"]
    async with desk.tools.pool.acquire() as connection:
        reason = await connection.fetchval("SELECT reason FROM job_items WHERE job_id = $1", job.id)
    assert reason == (
        "The courier's own packing slips could not be fetched (label link: HTTP 403): Bilty's are in their place."
    )


async def test_links_that_come_with_the_awb_are_kept_with_its_turn(desk: Desk) -> None:
    theirs = OwnPaper(PaperKind.STICKER, "https://courier.example/1.pdf")
    desk.bench.aggregator.say("ask", Label("AWB1", label_url="https://courier.example/label", papers=(theirs,)))
    desk.bench.aggregator.say("fetch_label", Pdf(label_pdf("S1")))
    (shipment_id,) = await desk.labelled("S1")
    async with desk.tools.pool.acquire() as connection:
        turn_id = await connection.fetchval(
            "SELECT id FROM turns WHERE shipment_id = $1 AND state = 'won'", shipment_id
        )
        (kept,) = (await courier_papers.of_turns(connection, [turn_id]))[turn_id]
    assert (kept.kind, kept.url, kept.sha256, kept.provider) == (theirs.kind, theirs.url, "", "clickpost-b2b")
