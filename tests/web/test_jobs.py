"""Work from the panel: begun by a form, watched on its page, its file handed to whoever asked for it alone."""

import csv
import io
import re
from collections.abc import Mapping, Sequence

import httpx
import pypdf
import pytest

from bilty.aggregator.scripted import Scripted
from bilty.jobs import Tools, work
from bilty.reply import Label, Paper
from bilty.store import jobs
from bilty.store.access import Role
from bilty.store.jobs import SHEETS_MAX, Job, JobState
from bilty.store.to_print import first_to_print
from jobs.desk import label_pdf, never
from jobs.receiver import Receiver
from web.house import FACILITY, P1, RANKED, House


async def send(house: House, path: str = "/jobs", **fields: str | Sequence[str]) -> httpx.Response:
    return await house.send(path, fields)


async def begun(house: House, path: str = "/jobs", **fields: str | Sequence[str]) -> int:
    """The job that a form began."""
    answer = await send(house, path, **fields)
    assert answer.status_code == 303, answer.text
    where = answer.headers["location"]
    assert where.startswith("/jobs/"), await house.page(where)
    return int(where.removeprefix("/jobs/"))


async def job_of(house: House, job_id: int) -> Job:
    async with house.tools.pool.acquire() as connection:
        job = await jobs.job_of(connection, job_id)
    assert job is not None
    return job


async def work_on(house: House, job_id: int) -> Job:
    tools = house.tools
    scripted = Scripted()
    given = Tools(tools.pool, tools.vault, tools.labels, lambda _: scripted, tools.settings.rules, Receiver())
    await work(given, job_id, never)
    return await job_of(house, job_id)


async def labelled(house: House, number: str, awb: str) -> int:
    """A shipment with its label, a PDF that says its number."""
    shipment_id = await house.takes_in(number=number)
    await house.call("POST", f"/shipments/{shipment_id}/schedules")
    sha256 = await house.tools.labels.put(label_pdf(number))
    await house.hears(RANKED, Label(awb), Paper(sha256, 1))
    return shipment_id


async def test_scheduling_many_is_watched_on_a_page_that_ends_with_each_reason(furnished: House) -> None:
    ids = [await furnished.takes_in(number=f"SO-{n}") for n in range(3)]
    await furnished.sign_in()
    job_id = await begun(furnished, kind="schedule", id=[str(each) for each in [*ids, 4711]])
    page = await furnished.page(f"/jobs/{job_id}")
    assert "<h1>Schedule 4 shipments</h1>" in page
    assert '<meta http-equiv="refresh"' in page
    assert "It begins in a moment." in page
    assert (await work_on(furnished, job_id)).state is JobState.DONE
    page = await furnished.page(f"/jobs/{job_id}")
    assert '<progress aria-label="Shipments worked on" max="4" value="4">' in page
    assert "3 shipments scheduled, 1 not" in page
    assert "There is no such shipment." in page
    assert f'<a class="code" href="/shipments/{ids[0]}">SO-0</a>' in page
    assert "http-equiv" not in page
    assert "Schedule 4 shipments" in await furnished.page("/jobs")


async def test_all_that_the_list_shows(furnished: House) -> None:
    for number in ("SO-1", "SO-2"):
        await furnished.takes_in(number=number)
    await furnished.sign_in()
    job = await work_on(furnished, await begun(furnished, kind="schedule", matching="tab=to_schedule"))
    assert (job.total, job.done, job.input) == (2, 2, {"matching": "tab=to_schedule"})
    answer = await send(furnished, kind="schedule", matching="tab=to_schedule", back="/shipments?tab=to_schedule")
    assert answer.headers["location"] == "/shipments?tab=to_schedule"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "schedule"}, "No shipment was chosen. Tick some, then choose again."),
        ({"kind": "schedule", "id": ["x", "-1"]}, "No shipment was chosen. Tick some, then choose again."),
        (
            {"kind": "print", "id": [str(n) for n in range(1, 2_002)]},
            "More than 2,000 shipments are chosen, and one print",
        ),
        ({"kind": "export", "matching": "from=yesterday"}, "give a day of the calendar, for example 2026-11-26."),
    ],
)
async def test_what_cannot_be_begun_is_said_where_one_was(
    furnished: House, fields: Mapping[str, str | Sequence[str]], sentence: str
) -> None:
    await furnished.sign_in()
    answer = await furnished.send("/jobs", {**fields, "back": "/today"})
    assert answer.headers["location"] == "/today"
    assert sentence in await furnished.told(answer)


@pytest.mark.parametrize("back", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example"])
async def test_nobody_is_sent_elsewhere(furnished: House, back: str) -> None:
    await furnished.sign_in()
    assert (await send(furnished, kind="schedule", back=back)).headers["location"] == "/shipments"


async def test_what_the_list_shows_is_worked_on_in_its_order(furnished: House) -> None:
    for number in ("SO-2", "SO-3", "SO-1"):
        await furnished.takes_in(number=number)
    await furnished.sign_in()
    job_id = await begun(furnished, kind="schedule", matching="tab=to_schedule&sort=-number")
    async with furnished.tools.pool.acquire() as connection:
        items = await jobs.items_of(connection, job_id, None)
    assert [each.number for each in items] == ["SO-3", "SO-2", "SO-1"]


async def test_an_unknown_kind_is_refused(furnished: House) -> None:
    await furnished.sign_in()
    for kind in ("", "test_connection", "rm"):
        assert (await send(furnished, kind=kind, id="1")).status_code == 422


async def test_cancelling_many_asks_first(furnished: House) -> None:
    ids = [str(await furnished.takes_in(number=f"SO-{n}")) for n in range(2)]
    await furnished.sign_in()
    answer = await send(furnished, kind="cancel", id=ids)
    assert answer.status_code == 200
    assert "<h1>Cancel 2 shipments?</h1>" in answer.text
    assert answer.text.count('name="id"') == 2
    assert "This cannot be taken back." in answer.text
    assert "printed" not in answer.text
    sure = sure_of(answer)
    assert "has changed" in (await send(furnished, kind="cancel", id=ids, sure="yes")).text
    job = await work_on(furnished, await begun(furnished, kind="cancel", id=ids, sure=sure))
    assert job.done == 2
    assert "2 shipments cancelled." in await furnished.page(f"/jobs/{job.id}")


def sure_of(answer: httpx.Response) -> str:
    """What the page that asks sends along with a yes."""
    (sure,) = re.findall(r'name="sure" value="([0-9a-f]{64})"', answer.text)
    return str(sure)


async def test_many_are_marked_dispatched_and_each_that_is_not_says_why(furnished: House) -> None:
    ready, cancelled = [await labelled(furnished, f"SO-{n}", f"AWB{n}") for n in (1, 2)]
    created = await furnished.takes_in(number="SO-3")
    await furnished.sign_in()
    await furnished.send(f"/shipments/{cancelled}/acts/cancel")
    ids = [str(each) for each in (ready, cancelled, created)]
    asked = await send(furnished, kind="dispatch", id=ids)
    assert "<h1>Mark 3 shipments dispatched?</h1>" in asked.text
    assert "from now on nothing of them is changed or cancelled" in asked.text
    sure = re.search(r'name="sure" value="(\w+)"', asked.text)
    assert sure is not None
    job_id = await begun(furnished, kind="dispatch", id=ids, sure=sure[1])
    job = await work_on(furnished, job_id)
    assert (job.done, job.refused) == (1, 2)
    page = await furnished.page(f"/jobs/{job_id}")
    assert "1 shipment marked dispatched, 2 not" in page
    assert "asha@example.com cancelled it at " in page
    assert "It has no label yet: no courier can have taken it." in page
    assert "SO-1" in await furnished.page("/shipments?tab=dispatched")


async def test_a_yes_is_to_the_very_shipments_that_were_asked_about(furnished: House) -> None:
    await furnished.takes_in(number="SO-1")
    await furnished.sign_in()
    asked = await send(furnished, kind="cancel", matching="tab=all")
    assert "<h1>Cancel 1 shipment?</h1>" in asked.text
    assert 'name="matching" value="tab=all"' in asked.text
    await furnished.takes_in(number="SO-2")
    again = await send(furnished, kind="cancel", matching="tab=all", sure=sure_of(asked))
    assert "What you chose has changed since you were asked: look once more." in again.text
    assert "<h1>Cancel 2 shipments?</h1>" in again.text
    job_id = await begun(furnished, kind="cancel", matching="tab=all", sure=sure_of(again))
    assert (await job_of(furnished, job_id)).total == 2


async def test_printed_labels_are_told_of_before_and_after_a_cancel(furnished: House) -> None:
    ids = [str(await labelled(furnished, f"SO-{n}", f"AWB{n}")) for n in range(3)]
    await furnished.sign_in()
    await work_on(furnished, await begun(furnished, kind="print", id=ids[:1]))
    one = await send(furnished, kind="cancel", id=ids[:1])
    assert "It has a printed label. Destroy 3 printed labels: asha@example.com printed them at " in one.text
    asked = await send(furnished, kind="cancel", id=ids)
    assert "1 of them has a printed label. Destroy 3 printed labels: asha@example.com printed them at " in asked.text
    job = await work_on(furnished, await begun(furnished, kind="cancel", id=ids, sure=sure_of(asked)))
    page = await furnished.page(f"/jobs/{job.id}")
    assert page.count("Its label was printed: destroy every copy, it is void.") == 1
    assert "3 shipments taken back; their couriers have yet to confirm." in page
    assert 'href="/shipments?tab=cancelling"' in page
    await furnished.tools.pool.execute("UPDATE shipments SET status = 'cancelled' WHERE id = $1", int(ids[0]))
    page = await furnished.page(f"/jobs/{job.id}")
    assert "3 shipments taken back; for 2 of them the courier has yet to confirm." in page


async def test_scheduling_again_asks_where_a_courier_may_still_book(furnished: House) -> None:
    ids = [str(await furnished.takes_in(number=f"SO-{n}")) for n in range(2)]
    await furnished.sign_in()
    await work_on(furnished, await begun(furnished, kind="schedule", id=ids))
    assert await begun(furnished, kind="schedule_again", id=ids), "nobody may book it late: nothing is asked"
    await furnished.hears(RANKED)
    await furnished.tools.pool.execute("UPDATE turns SET state = 'lapsed' WHERE shipment_id = $1", int(ids[0]))
    asked = await send(furnished, kind="schedule_again", id=ids)
    assert "<h1>Schedule 2 shipments again?</h1>" in asked.text
    assert "1 of them was with a courier who may still book it; a late label of such a courier is" in asked.text
    assert await begun(furnished, kind="schedule_again", id=ids, sure=sure_of(asked))


async def test_what_is_new_beyond_one_pdf_is_left_for_the_next(furnished: House) -> None:
    new = [await labelled(furnished, f"SO-{n}", f"AWB{n}") for n in range(2)]
    await furnished.sign_in()
    unknown = [str(n) for n in range(1_000, 3_000)]
    job_id = await begun(furnished, kind="print_new", id=[*unknown, *map(str, new)])
    async with furnished.tools.pool.acquire() as connection:
        items = await jobs.items_of(connection, job_id, None, limit=3)
        assert await first_to_print(connection, [1_000, *new], 1) == (new[:1], 1)
    assert [each.shipment_id for each in items] == [*new, 1_000], "what is new comes first"
    assert (await job_of(furnished, job_id)).total == SHEETS_MAX
    assert "more" not in (await furnished.page(f"/jobs/{job_id}")).split("<h1>")[1].split("</section>")[0]
    for left, told in ((1, "1 more is new"), (400, "400 more are new"), (8_001, "More than 8,000 more are new")):
        await furnished.tools.pool.execute(
            "UPDATE jobs SET input = jsonb_build_object('left', $2::int) WHERE id = $1", job_id, left
        )
        said = f"One PDF takes 2,000 labels. {told}: choose Print new again."
        assert said in await furnished.page(f"/jobs/{job_id}")


async def test_a_print_ends_with_a_pdf_and_looking_at_it_records_nothing(furnished: House) -> None:
    shipment_id = await labelled(furnished, "SO-1", "AWB1")
    await furnished.sign_in()
    job_id = await begun(furnished, f"/shipments/{shipment_id}/print")
    assert await begun(furnished, f"/shipments/{shipment_id}/print") == job_id, "pressed twice, meant once"
    assert (await furnished.browser.get(f"/jobs/{job_id}/result")).status_code == 404
    await work_on(furnished, job_id)
    page = await furnished.page(f"/jobs/{job_id}")
    assert f'<a class="button main" href="/jobs/{job_id}/result">Open the PDF</a>' in page
    assert "1 page" in page
    for _ in range(2):
        answer = await furnished.browser.get(f"/jobs/{job_id}/result")
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"] == f'inline; filename="labels-{job_id}.pdf"'
        (text,) = [each.extract_text() for each in pypdf.PdfReader(io.BytesIO(answer.content)).pages]
        assert text.strip() == "SO-1, page 1 of 1"
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM prints") == 1
    assert "Print the labels of 1 shipment" in await furnished.page("/jobs")


async def test_an_export_is_a_table_that_no_spreadsheet_computes(furnished: House) -> None:
    await furnished.takes_in(number="SO-1", order_number="=HYPERLINK(1)")
    await labelled(furnished, "SO-2", "AWB2")
    await furnished.sign_in(role=Role.VIEWER)
    job_id = await begun(furnished, kind="export", matching="")
    job = await work_on(furnished, job_id)
    assert job.result is not None
    assert "Download the table" in await furnished.page(f"/jobs/{job_id}")
    answer = await furnished.browser.get(f"/jobs/{job_id}/result")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="shipments-{job_id}.csv"'
    rows = {row["Number"]: row for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))}
    assert rows["SO-1"]["Order number"] == "'=HYPERLINK(1)"
    assert rows["SO-1"]["Weight (kg)"] == "33"
    wanted = {"AWB": "AWB2", "Courier": P1.name, "Status": "Success: label ready", "Value (INR)": "23600.00"}
    assert {name: rows["SO-2"][name] for name in wanted} == wanted


@pytest.mark.parametrize("kind", ["schedule", "schedule_again", "cancel", "print", "print_new"])
async def test_a_viewer_may_export_and_nothing_else(furnished: House, kind: str) -> None:
    shipment_id = await furnished.takes_in()
    await furnished.sign_in(role=Role.VIEWER)
    assert (await send(furnished, kind=kind, id=str(shipment_id), sure="yes")).status_code == 403
    assert (await send(furnished, f"/shipments/{shipment_id}/print")).status_code == 403
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM jobs") == 0


async def test_a_job_is_seen_by_its_asker_and_by_admins_alone(furnished: House) -> None:
    shipment_id = await labelled(furnished, "SO-1", "AWB1")
    await furnished.sign_in()
    job_id = await begun(furnished, kind="print", id=str(shipment_id))
    await work_on(furnished, job_id)
    paths = [f"/jobs/{job_id}{tail}" for tail in ("", "/result", "/live")]
    await furnished.sign_in("ravi@example.com")
    assert [(await furnished.browser.get(path)).status_code for path in paths] == [404, 404, 404]
    assert "Nothing was started yet." in await furnished.page("/jobs")
    await furnished.sign_in("boss@example.com", role=Role.ADMIN)
    assert [(await furnished.browser.get(path)).status_code for path in paths[:2]] == [200, 200]
    assert "asha@example.com" in await furnished.page("/jobs")
    furnished.browser.cookies.clear()
    assert [(await furnished.browser.get(path)).status_code for path in paths] == [303, 303, 303]


async def test_whoever_works_for_some_facilities_touches_no_others(furnished: House) -> None:
    await furnished.call("PUT", "/facilities/PNQ-1", {**FACILITY, "city": "Pune"})
    theirs, ours = await furnished.takes_in(number="SO-1"), await furnished.takes_in(number="SO-2", facility="PNQ-1")
    await furnished.sign_in("ravi@example.com", facilities=["PNQ-1"])
    job_id = await begun(furnished, kind="schedule", id=[str(theirs), str(ours)])
    job = await work_on(furnished, job_id)
    assert (job.done, job.refused) == (1, 1)
    page = await furnished.page(f"/jobs/{job_id}")
    assert "There is no such shipment." in page
    assert "SO-1" not in page
    assert (await work_on(furnished, await begun(furnished, kind="export", matching=""))).total == 1
    assert (await send(furnished, f"/shipments/{theirs}/print")).status_code == 404


async def test_a_form_from_elsewhere_begins_nothing(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    await furnished.sign_in()
    for path in ("/jobs", f"/shipments/{shipment_id}/print"):
        answer = await furnished.send_form(path, origin="https://elsewhere.example")
        assert answer.status_code == 403


async def test_the_page_is_told_of_every_step(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    await furnished.sign_in()
    job_id = await begun(furnished, kind="schedule", id=str(shipment_id))
    async with furnished.browser.stream("GET", f"/jobs/{job_id}/live") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == "event: hello"
        await work_on(furnished, job_id)
        async for line in lines:
            if line.startswith("data: ["):
                assert line == f"data: [{job_id}]"
                break


async def test_the_reasons_are_shown_page_by_page(furnished: House) -> None:
    await furnished.sign_in()
    job_id = await begun(furnished, kind="schedule", id=[str(n) for n in range(1_000, 1_150)])
    await work_on(furnished, job_id)
    page = await furnished.page(f"/jobs/{job_id}")
    assert page.count("There is no such shipment.") == 100
    assert f'href="/jobs/{job_id}?refused_after=100#refused"' in page
    assert (await furnished.page(f"/jobs/{job_id}?refused_after=100")).count("There is no such shipment.") == 50


async def test_what_is_printed_with_the_labels_is_chosen_in_the_form(furnished: House) -> None:
    shipment_id = str(await labelled(furnished, "SO-1", "AWB1"))
    await furnished.sign_in()
    assert 'name="beside" value="slips"' in await furnished.page("/shipments")
    job_id = await begun(
        furnished,
        kind="print",
        id=shipment_id,
        pile="chosen",
        beside=["slips", "rm"],
        order="courier",
        separators="yes",
    )
    job = await work_on(furnished, job_id)
    assert job.input == {"beside": ["slips"], "order": "courier", "separators": True}
    assert job.result is not None
    assert job.result["pages"] == 3, "the separator, the label, the slip"
    plain = await begun(furnished, kind="print", id=shipment_id, beside="slips")
    assert (await job_of(furnished, plain)).input == {}, "nothing is said of the pile"


async def test_one_box_is_printed_again_from_the_page(furnished: House) -> None:
    shipment_id = await labelled(furnished, "SO-1", "AWB1")
    await furnished.sign_in()
    shown = f"/shipments/{shipment_id}?boxes=shown"
    assert "Print box 2 again" not in await furnished.page(shown)
    whole = await begun(furnished, f"/shipments/{shipment_id}/print")
    await work_on(furnished, whole)
    assert 'aria-label="Print box 2 again"' in await furnished.page(shown)
    twice = [await begun(furnished, f"/shipments/{shipment_id}/print", box=box) for box in ("2", "2", "3")]
    assert twice[0] == twice[1] != twice[2]
    job = await work_on(furnished, twice[0])
    assert (job.done, job.input) == (1, {"box": 2})
    assert "<h1>Print box 2 again</h1>" in await furnished.page(f"/jobs/{job.id}")
    for box in ("0", "4", "x", "99999999"):
        answer = await send(furnished, f"/shipments/{shipment_id}/print", box=box)
        assert f"The shipment has 3 boxes, and no box {box}." in await furnished.told(answer)
