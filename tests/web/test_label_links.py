"""A label's link opens the label that the shipment has, until its moment. What else holds of it: test_signed_links."""

from datetime import timedelta

from bilty.oms import label_link
from bilty.oms.label_link import LabelLink
from bilty.reply import Cancelled
from bilty.store import showing
from bilty.store.showing import Seen
from bilty.web.label_links import No, refusal
from web.endpoints import labelled
from web.house import PDF, House

DAY = timedelta(days=1)


async def link_to(house: House, shipment_id: int, *, lives: timedelta = DAY, sha256: str = "") -> str:
    found = await seen(house, shipment_id)
    holder = found.progress.holder
    assert holder is not None
    until = await house.now() + lives
    return label_link.link(house.tools.vault, "", shipment_id, sha256 or holder.label_sha256, until)


async def seen(house: House, shipment_id: int) -> Seen:
    async with house.tools.pool.acquire() as connection:
        return (await showing.see(connection, [shipment_id]))[shipment_id]


async def test_it_hands_the_label_out_without_a_key(furnished: House) -> None:
    link = await link_to(furnished, await labelled(furnished))
    answer = await furnished.api.get(link)
    assert answer.status_code == 200
    assert answer.content == PDF
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'inline; filename="SO-1001.pdf"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow, noarchive"


async def test_head_tells_the_same_without_the_pdf(furnished: House) -> None:
    link = await link_to(furnished, await labelled(furnished))
    answer = await furnished.api.head(link)
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-length"] == str(len(PDF))
    assert answer.headers["etag"] == (await furnished.api.get(link)).headers["etag"]


async def test_it_opens_its_own_shipment_alone(furnished: House) -> None:
    """Two shipments with the very same PDF: a link names the shipment, too."""
    first = await labelled(furnished)
    second = await labelled(furnished, "SO-1002", "AWB78")
    link = await link_to(furnished, second)
    assert 'filename="SO-1002.pdf"' in (await furnished.api.get(link)).headers["content-disposition"]
    withdrawn = await link_to(furnished, first)
    await cancel(furnished, first)
    assert (await furnished.api.get(withdrawn)).status_code == 410
    assert (await furnished.api.get(link)).status_code == 200


async def test_until_its_moment_and_not_beyond(furnished: House) -> None:
    found = await seen(furnished, await labelled(furnished))
    holder = found.progress.holder
    assert holder is not None
    now = await furnished.now()
    link = LabelLink(found.id, holder.label_sha256, now)
    assert refusal(link, found, now - timedelta(microseconds=1)) is None
    for late in (now, now + DAY):
        told = refusal(link, found, late)
        assert isinstance(told, No)
        assert told.code == "link_expired"


async def test_a_label_that_was_replaced_is_not_handed_out(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    link = await link_to(furnished, shipment_id)
    other = await furnished.tools.labels.put(PDF + b"%another\n")
    await furnished.tools.pool.execute("UPDATE turns SET label_sha256 = $1 WHERE state = 'won'", other)
    answer = await furnished.api.get(link)
    assert answer.status_code == 410
    assert answer.json()["type"] == "urn:bilty:problem:label_replaced"
    assert "Do not use it" in answer.json()["detail"]
    assert (await furnished.api.get(await link_to(furnished, shipment_id))).content == PDF + b"%another\n"


async def test_a_cancelled_shipment_has_no_label_for_anybody(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    link = await link_to(furnished, shipment_id)
    await cancel(furnished, shipment_id)
    assert (await furnished.api.get(link)).status_code == 410
    await furnished.hears(Cancelled("done"), later=timedelta(minutes=1))
    assert (await furnished.api.get(link)).status_code == 410


async def test_a_shipment_that_is_gone_is_no_different(furnished: House) -> None:
    found = await seen(furnished, await labelled(furnished))
    holder = found.progress.holder
    assert holder is not None
    now = await furnished.now()
    told = refusal(LabelLink(found.id, holder.label_sha256, now + DAY), None, now)
    assert told is not None
    assert told.code == "label_replaced"


async def cancel(house: House, shipment_id: int) -> None:
    answer = await house.call("POST", f"/shipments/{shipment_id}/cancellation")
    assert answer.status_code in {200, 202}, answer.text
