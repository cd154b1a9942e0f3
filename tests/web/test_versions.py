"""A shipment over the wire that is changed after it was booked, and what may still be done with its old label."""

import asyncio
import io
from datetime import timedelta

import httpx
import pypdf

from bilty.oms import label_link
from bilty.reply import Accepted, Cancelled, Label, Paper, Ranking
from bilty.store import claims
from bilty.store.access import Role
from bilty.store.providers import Keyring
from jobs.desk import label_pdf
from web.house import NO, P1, RANKED, House
from web.test_jobs import begun, work_on

EIGHT = {"boxes": [{"count": 8, "length_cm": 40, "breadth_cm": 30, "height_cm": 25, "weight_g": 900}]}


async def change(house: House, shipment_id: int, patch: object, if_match: str = "*") -> httpx.Response:
    return await house.call("PATCH", f"/shipments/{shipment_id}", patch, If_Match=if_match)


async def read(house: House, shipment_id: int) -> httpx.Response:
    return await house.call("GET", f"/shipments/{shipment_id}")


async def labelled(house: House, number: str = "SO-1001", awb: str = "AWB1") -> int:
    """Its label says its AWB."""
    shipment_id = await house.takes_in(number=number, schedule=True)
    sha256 = await house.tools.labels.put(label_pdf(awb))
    await house.hears(RANKED, Label(awb), Paper(sha256, 1))
    return shipment_id


async def reference_of(house: House, awb: str) -> str:
    return str(await house.tools.pool.fetchval("SELECT reference FROM turns WHERE awb = $1", awb))


def texts(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


async def test_it_is_scheduling_until_the_old_awb_is_cancelled_and_then_booked_as_it_is(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    before = await read(furnished, shipment_id)
    answer = await change(furnished, shipment_id, EIGHT, before.headers["etag"])
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert (after["status"], after["version"], after["run"], after["awb"]) == ("scheduling", 2, 1, None)
    assert answer.headers["etag"] != before.headers["etag"]
    assert (await furnished.call("GET", f"/shipments/{shipment_id}/label.pdf")).status_code == 404
    await furnished.hears(Cancelled(), RANKED)
    sha256 = await furnished.tools.labels.put(label_pdf("AWB2"))
    await furnished.hears(Label("AWB2"), Paper(sha256, 1))
    ready = (await read(furnished, shipment_id)).json()
    assert (ready["status"], ready["version"], ready["run"], ready["awb"]) == ("label_ready", 2, 2, "AWB2")
    assert len((await furnished.call("GET", f"/shipments/{shipment_id}/boxes")).json()["items"]) == 8
    lines = (await furnished.call("GET", f"/shipments/{shipment_id}/timeline")).json()["items"]
    (told,) = [line["told"] for line in lines if line["state"] == "changed"]
    assert told == (
        "admin key changed it. Changed: the boxes (3 → 8). It is version 2 now. AWB AWB1 is being cancelled."
    )


async def test_of_what_failed_a_change_is_booked_at_once_unless_it_says_otherwise(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(Ranking((P1,)), NO)
    mended = await change(furnished, shipment_id, {"consignee": {"pincode": "411019"}, "schedule": False})
    assert (mended.json()["status"], mended.json()["version"], mended.json()["run"]) == ("created", 2, 1)
    again = await change(furnished, shipment_id, {"consignee": {"pincode": "411020"}})
    assert (again.json()["status"], again.json()["version"]) == ("created", 3), "it was not to be booked"
    booked = await change(furnished, shipment_id, {"consignee": {"pincode": "411021"}, "schedule": True})
    assert (booked.json()["status"], booked.json()["version"], booked.json()["run"]) == ("scheduling", 4, 2)
    await furnished.hears(Ranking((P1,)), NO)
    mended = await change(furnished, shipment_id, {"consignee": {"pincode": "411022"}})
    assert (mended.json()["status"], mended.json()["version"], mended.json()["run"]) == ("scheduling", 5, 3)


async def test_before_the_first_booking_it_is_booked_if_the_change_says_so(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    same = await change(furnished, shipment_id, {"schedule": True})
    assert same.json()["status"] == "created", "nothing is changed"
    booked = await change(furnished, shipment_id, {**EIGHT, "schedule": True})
    assert (booked.json()["status"], booked.json()["version"], booked.json()["run"]) == ("scheduling", 1, 1)


async def test_while_a_call_is_out_it_says_when_to_try_again(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    pool, keyring = furnished.tools.pool, Keyring(furnished.tools.vault)
    assert await claims.claim(pool, keyring, calls_max=1, calls_out={}, now=None)
    answer = await change(furnished, shipment_id, EIGHT)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:bilty:problem:call_out")
    seconds = int(answer.headers["retry-after"])
    assert 1 <= seconds <= 5
    assert answer.json()["detail"].endswith(f"Nothing was changed: send the change again in {seconds} s.")


async def test_with_the_courier_or_cancelled_it_says_so_and_who_did_it(furnished: House) -> None:
    gone, cancelled = await labelled(furnished), await labelled(furnished, "SO-1002", "AWB2")
    await furnished.tools.pool.execute("UPDATE shipments SET dispatched = true WHERE id = $1", gone)
    answer = await change(furnished, gone, EIGHT)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:bilty:problem:dispatched")
    await furnished.call("POST", f"/shipments/{cancelled}/cancellation")
    answer = await change(furnished, cancelled, EIGHT)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:bilty:problem:cancelled")
    assert "admin key cancelled it" in answer.json()["detail"]


async def test_of_two_changes_with_one_tag_one_is_made(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    etag = (await read(furnished, shipment_id)).headers["etag"]
    patches = [{"consignee": {"address": f"Plot {n}"}} for n in range(4)]
    answers = await asyncio.gather(*(change(furnished, shipment_id, patch, etag) for patch in patches))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    assert (await read(furnished, shipment_id)).json()["version"] == 2


async def test_an_eway_bill_alone_changes_no_version(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    invoice = (await read(furnished, shipment_id)).json()["invoices"][0]
    answer = await change(furnished, shipment_id, {"invoices": [{**invoice, "ewaybill_number": "123456789012"}]})
    assert (answer.json()["status"], answer.json()["version"], answer.json()["awb"]) == ("label_ready", 1, "AWB1")
    assert answer.json()["invoices"][0]["ewaybill_number"] == "123456789012"
    await furnished.tools.pool.execute("""UPDATE turns SET told_ewaybills = '{"INV-1": "123456789012"}'""")
    taken = await change(furnished, shipment_id, {"invoices": [invoice]})
    assert (taken.status_code, [each["field"] for each in taken.json()["errors"]]) == (422, ["invoices"])
    assert "cannot be told that there is none" in taken.json()["detail"]
    await furnished.tools.pool.execute("UPDATE shipments SET dispatched = true")
    other = [{**invoice, "ewaybill_number": "210987654321"}]
    assert (await change(furnished, shipment_id, {"invoices": other})).status_code == 200, "as the resource of its own"
    assert (await change(furnished, shipment_id, {"invoices": other, "order_number": "X"})).status_code == 409


async def test_a_link_to_the_old_label_says_that_it_is_withdrawn(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    sha256 = await furnished.tools.pool.fetchval("SELECT label_sha256 FROM turns WHERE awb = 'AWB1'")
    until = await furnished.now() + timedelta(days=1)
    link = label_link.link(furnished.tools.vault, "", shipment_id, sha256, until)
    assert (await furnished.api.get(link)).status_code == 200
    await change(furnished, shipment_id, EIGHT)
    answer = await furnished.api.get(link)
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:bilty:problem:label_replaced")


async def test_the_old_label_is_shown_with_void_on_it(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    path = f"/shipments/{shipment_id}/label.pdf"
    reference = await reference_of(furnished, "AWB1")
    good = await furnished.call("GET", f"{path}?reference={reference}")
    assert (good.status_code, "VOID" in texts(good.content)[0]) == (200, False)
    assert good.content == (await furnished.call("GET", path)).content
    await change(furnished, shipment_id, EIGHT)
    void = await furnished.call("GET", f"{path}?reference={reference}")
    assert void.status_code == 200
    assert texts(void.content)[0].count("VOID") >= 3
    assert void.headers["etag"] != good.headers["etag"]
    assert (await furnished.call("GET", f"{path}?reference=no-such")).status_code == 404
    await furnished.sign_in()
    page = await furnished.browser.get(f"{path}?reference={reference}")
    assert texts(page.content)[0].count("VOID") >= 3


async def test_an_old_label_that_cannot_be_stamped_is_not_handed_out(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED)
    await furnished.labels("AWB1")
    await change(furnished, shipment_id, EIGHT)
    reference = await reference_of(furnished, "AWB1")
    answer = await furnished.call("GET", f"/shipments/{shipment_id}/label.pdf?reference={reference}")
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:bilty:problem:label_void")


async def test_a_pdf_of_labels_is_not_opened_again_once_one_of_them_is_void(furnished: House) -> None:
    first, second = await labelled(furnished), await labelled(furnished, "SO-1002", "AWB2")
    await furnished.sign_in(role=Role.DISPATCHER)
    job_id = await begun(furnished, kind="print", id=[str(first), str(second)])
    assert (await work_on(furnished, job_id)).done == 2
    made = await furnished.browser.get(f"/jobs/{job_id}/result")
    assert (made.status_code, len(texts(made.content))) == (200, 2)
    await change(furnished, first, EIGHT)
    told = await furnished.page(f"/jobs/{job_id}/result", 410)
    assert "SO-1001" in told
    assert "SO-1002" not in told
    again = await begun(furnished, kind="print", id=[str(first), str(second)])
    job = await work_on(furnished, again)
    assert (job.done, job.refused) == (1, 1), "what has no label is not printed"
    assert (await furnished.browser.get(f"/jobs/{again}/result")).status_code == 200


async def test_what_is_waited_for_is_asked_about_to_its_end(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, Accepted())
    answer = await change(furnished, shipment_id, EIGHT)
    assert (answer.json()["status"], answer.json()["version"]) == ("scheduling", 2)
    await furnished.hears(Label("OLD"), Cancelled(), RANKED)
    row = await furnished.tools.pool.fetchrow("SELECT state FROM turns WHERE awb = 'OLD'")
    assert row is not None
    assert row["state"] == "cancelled"
    assert (await read(furnished, shipment_id)).json()["run"] == 2
