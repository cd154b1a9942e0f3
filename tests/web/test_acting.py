"""People's acts from the panel's forms to the rows: done once, told, and refused with the reason."""

import asyncio
import io
from datetime import timedelta

import asyncpg
import httpx
import pypdf
import pytest

from bilty.deciding import Act, ActKind, Cancel, EnterAwb, FallOver, No, Schedule, plain_act
from bilty.reply import Accepted, Cancelled, Child, Label, NotYet, PickedUp, Refusal, Refused, Unclear
from bilty.store import acting, claims, showing
from bilty.store.access import Role
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import DUE_CHANNEL
from bilty.store.providers import Keyring
from bilty.turn import State, Turn
from bilty.words import INDIA
from bilty.workflow import Progress, Status, status
from web.house import NO, P2, RANKED, House
from web.page import check_page
from web.test_editing import printed

GARBAGE = Unclear("<html>")
WAITED_FOR = """SELECT EXISTS (
    SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"""
ASHA, RAVI = (Actor(ActorKind.USER, f"{name}@example.com") for name in ("asha", "ravi"))


def pdf(pages: int) -> bytes:
    writer, file = pypdf.PdfWriter(), io.BytesIO()
    for _ in range(pages):
        writer.add_blank_page(288, 432)
    writer.write(file)
    return file.getvalue()


async def progress_of(house: House, shipment_id: int) -> Progress:
    async with house.tools.pool.acquire() as connection:
        return (await showing.see(connection, [shipment_id]))[shipment_id].progress


async def turn_of(house: House, shipment_id: int, priority: int = 1) -> Turn:
    """Of the present run."""
    found = await progress_of(house, shipment_id)
    return next(turn for turn in found.run_turns if turn.priority == priority)


async def scheduled(house: House, **changed: object) -> int:
    """Ranked: P1 is to be asked."""
    shipment_id = await house.takes_in(schedule=True, **changed)
    await house.hears(RANKED)
    return shipment_id


async def waiting(house: House) -> int:
    shipment_id = await scheduled(house)
    await house.hears(Accepted("soon"))
    return shipment_id


async def undecided(house: House) -> int:
    shipment_id = await scheduled(house)
    await house.hears(*(GARBAGE for _ in range(9)))
    return shipment_id


async def unlabelled(house: House, *children: Child) -> int:
    shipment_id = await scheduled(house)
    await house.hears(Label("AWB1001", children=children), *(NotYet() for _ in range(9)))
    assert (await turn_of(house, shipment_id)).state is State.UNLABELLED
    return shipment_id


def address(shipment_id: int, kind: ActKind, turn: Turn | None = None, back: str = "") -> str:
    query = ([f"reference={turn.reference}"] if turn else []) + ([f"back={back}"] if back else [])
    return f"/shipments/{shipment_id}/acts/{kind}?{'&'.join(query)}"


async def does(house: House, shipment_id: int, kind: ActKind, turn: Turn | None = None, **fields: str) -> str:
    """Sends the form, follows it, and returns the page that says what came of it."""
    return await house.told(await house.send(address(shipment_id, kind, turn), fields))


@pytest.fixture
async def desk(furnished: House) -> House:
    """A dispatcher is signed in."""
    await furnished.sign_in()
    return furnished


# --- what is done


async def test_what_may_go_wrong_is_told_first_and_then_done(desk: House) -> None:
    shipment_id = await waiting(desk)
    turn = await turn_of(desk, shipment_id)
    asked = await desk.page(address(shipment_id, ActKind.FALL_OVER, turn))
    assert "<h1>Fall over now?</h1>" in asked
    assert "Delhivery B2B may still book it. Blue Dart is asked now" in asked
    assert (await turn_of(desk, shipment_id)).state is State.WAITING
    done = await does(desk, shipment_id, ActKind.FALL_OVER, turn)
    assert "Delhivery B2B&#39;s turn has ended, and the next courier is asked." in done
    assert (await turn_of(desk, shipment_id)).state is State.LAPSED
    assert (await turn_of(desk, shipment_id, 2)).state is State.ASKING


async def test_it_is_told_who_did_it_in_the_timeline_and_in_the_audit_trail(desk: House) -> None:
    shipment_id = await waiting(desk)
    await does(desk, shipment_id, ActKind.FALL_OVER, await turn_of(desk, shipment_id))
    assert "asha@example.com ended Delhivery B2B&#39;s turn before its time." in await desk.page(
        f"/shipments/{shipment_id}"
    )
    async with desk.tools.pool.acquire() as connection:
        moments = await showing.timeline_of(connection, shipment_id)
        trail = await connection.fetch(
            "SELECT * FROM audit WHERE actor_kind = 'user' AND shipment_id = $1", shipment_id
        )
    told = [(each.actor, each.state) for each in moments]
    acted = told.index(("asha@example.com", ActKind.FALL_OVER))
    assert ("", State.LAPSED) in told[acted:]  # what came of it stands after it
    assert [(row["actor"], row["action"], row["subject"]) for row in trail] == [
        ("asha@example.com", "fall over", "SO-1001")
    ]
    assert '"label_requested"' in trail[0]["before"]


async def test_the_dispatcher_is_woken(desk: House, dsn: str) -> None:
    shipment_id = await waiting(desk)
    heard = asyncio.Event()
    listener = await asyncpg.connect(dsn)
    try:
        await listener.add_listener(DUE_CHANNEL, lambda *_: heard.set())
        await does(desk, shipment_id, ActKind.POLL_NOW, await turn_of(desk, shipment_id))
        await asyncio.wait_for(heard.wait(), 10)
    finally:
        await listener.close()


async def test_poll_now_needs_no_page_and_goes_back_to_where_it_was_pressed(desk: House) -> None:
    shipment_id = await waiting(desk)
    turn = await turn_of(desk, shipment_id)
    answer = await desk.send(address(shipment_id, ActKind.POLL_NOW, turn, back="/attention"))
    assert answer.headers["location"] == "/attention"
    assert "Delhivery B2B is asked at once; this uses up no poll." in await desk.told(answer)
    assert (await turn_of(desk, shipment_id)).planned_due == turn.due_at


async def test_schedule_and_schedule_again_with_one_courier(desk: House) -> None:
    shipment_id = await desk.takes_in()
    assert "It is scheduled." in await does(desk, shipment_id, ActKind.SCHEDULE)
    await desk.hears(RANKED, NO, NO, NO)
    page = await desk.page(address(shipment_id, ActKind.SCHEDULE))
    assert "<h1>Schedule again?</h1>" in page
    assert '<option value="5/main">Blue Dart</option>' in page
    await does(desk, shipment_id, ActKind.SCHEDULE, courier="5/main")
    progress = await progress_of(desk, shipment_id)
    assert [turn.courier for turn in progress.run_turns] == [None, P2]


async def test_a_courier_that_was_not_ranked_is_not_taken(desk: House) -> None:
    shipment_id = await scheduled(desk)
    await desk.hears(NO, NO, NO)
    answer = await desk.send(address(shipment_id, ActKind.SCHEDULE), {"courier": "99/other"})
    assert answer.status_code == 422
    assert "Choose a courier that ClickPost has ranked for this shipment." in answer.text


async def test_a_held_shipment_is_scheduled_without_once_the_hold_was_read(desk: House) -> None:
    invoice = {"number": "INV-1", "date": "2026-11-20", "value": "90000.00"}
    shipment_id = await desk.takes_in(invoices=[invoice])
    page = await desk.page(address(shipment_id, ActKind.SCHEDULE))
    assert "<h1>Schedule without e-way bill?</h1>" in page
    assert "has no e-way bill" in page
    await does(desk, shipment_id, ActKind.SCHEDULE)
    assert status(await progress_of(desk, shipment_id)) is Status.SCHEDULING


async def test_cancel_names_the_label_that_is_on_paper(desk: House) -> None:
    shipment_id = await scheduled(desk)
    await desk.labels("AWB1001")
    assert "Destroy" not in await desk.page(address(shipment_id, ActKind.CANCEL))
    await printed(desk, shipment_id, "ravi@example.com")
    page = await desk.page(address(shipment_id, ActKind.CANCEL))
    assert "AWB AWB1001 of Delhivery B2B is cancelled with the courier." in page
    assert "Destroy 3 printed labels: ravi@example.com printed them at " in page
    await does(desk, shipment_id, ActKind.CANCEL)
    assert status(await progress_of(desk, shipment_id)) is Status.CANCELLING


# --- an AWB that a person read


async def test_an_awb_is_entered_as_it_was_copied(desk: House) -> None:
    shipment_id = await undecided(desk)
    turn = await turn_of(desk, shipment_id)
    page = await desk.page(address(shipment_id, ActKind.ENTER_AWB, turn))
    assert f"under reference {turn.reference}" in page
    await does(desk, shipment_id, ActKind.ENTER_AWB, turn, awb=" AWB 1001 ")
    assert (await turn_of(desk, shipment_id)).awb == "AWB1001"
    assert "asha@example.com entered Delhivery B2B&#39;s AWB AWB1001" in await desk.page(f"/shipments/{shipment_id}")
    owner = await desk.tools.pool.fetchval(
        "SELECT t.reference FROM awbs a JOIN turns t ON t.id = a.turn_id WHERE a.cp_id = 4 AND a.awb = 'AWB1001'"
    )
    assert owner == turn.reference


async def test_what_is_no_awb_stays_in_the_form(desk: House) -> None:
    shipment_id = await undecided(desk)
    answer = await desk.send(
        address(shipment_id, ActKind.ENTER_AWB, await turn_of(desk, shipment_id)), {"awb": "AWB#1"}
    )
    assert answer.status_code == 422
    assert 'value="AWB#1"' in answer.text
    assert "That is no AWB" in answer.text
    assert (await turn_of(desk, shipment_id)).state is State.UNDECIDED


async def test_another_shipments_awb_is_not_taken(desk: House) -> None:
    first = await scheduled(desk)
    await desk.labels("AWB1001")
    second = await desk.takes_in(number="SO-1002", schedule=True)
    await desk.hears(RANKED, *(GARBAGE for _ in range(9)))
    turn = await turn_of(desk, second)
    answer = await desk.send(address(second, ActKind.ENTER_AWB, turn), {"awb": "AWB1001"})
    assert answer.status_code == 422
    assert "That AWB is already another shipment&#39;s. Look it up again." in answer.text
    assert (await turn_of(desk, second)) == turn
    assert (await turn_of(desk, first)).awb == "AWB1001"


async def test_a_mistyped_awb_is_taken_back_and_is_free_for_the_shipment_that_it_belongs_to(desk: House) -> None:
    first, second = await desk.takes_in(schedule=True), await desk.takes_in(number="SO-1002", schedule=True)
    await desk.hears(RANKED, *(GARBAGE for _ in range(9)))
    before = await turn_of(desk, first)
    await does(desk, first, ActKind.ENTER_AWB, before, awb="AWB1001")
    assert (await turn_of(desk, first)).entered
    page = await does(desk, first, ActKind.WRONG_AWB, before)
    assert "AWB AWB1001 is no longer this shipment&#39;s. It was not cancelled." in page
    assert "asha@example.com took back AWB AWB1001" in page
    after = await turn_of(desk, first)
    assert (after.state, after.awb, after.entered, after.unknowns) == (State.UNDECIDED, "", False, before.unknowns)
    pool = desk.tools.pool
    assert await pool.fetch("SELECT FROM awbs") == []
    codes = [row["code"] for row in await pool.fetch("SELECT code FROM shipment_codes WHERE shipment_id = $1", first)]
    assert "awb1001" not in codes
    assert before.reference.lower() in codes
    await does(desk, second, ActKind.ENTER_AWB, await turn_of(desk, second), awb="AWB1001")
    assert (await turn_of(desk, second)).state is State.FETCHING


async def test_a_reference_that_was_pasted_for_an_awb_is_still_found_once_it_is_taken_back(desk: House) -> None:
    shipment_id = await undecided(desk)
    turn = await turn_of(desk, shipment_id)
    await does(desk, shipment_id, ActKind.ENTER_AWB, turn, awb=turn.reference)
    await does(desk, shipment_id, ActKind.WRONG_AWB, turn)
    query = "SELECT count(*) FROM shipment_codes WHERE code = lower($1)"
    assert await desk.tools.pool.fetchval(query, turn.reference) == 1


async def test_of_two_shipments_that_enter_one_awb_one_has_it(desk: House) -> None:
    first, second = await desk.takes_in(schedule=True), await desk.takes_in(number="SO-1002", schedule=True)
    await desk.hears(RANKED, *(GARBAGE for _ in range(9)))
    acts = {each: EnterAwb((await turn_of(desk, each)).reference, "AWB1001") for each in (first, second)}
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        answers = await acting.act(connection, acts, ASHA, await showing.clock(connection), desk.tools.settings.rules)
    assert sorted(str(type(answer)) for answer in answers.values()) == sorted(map(str, (type(None), No)))
    states = {(await turn_of(desk, each)).state for each in (first, second)}
    assert states == {State.FETCHING, State.UNDECIDED}


# --- the courier's PDF


async def uploads(house: House, shipment_id: int, content: bytes, name: str = "label.pdf") -> httpx.Response:
    where = address(shipment_id, ActKind.USE_PAPER, await turn_of(house, shipment_id))
    answer = await house.browser.post(
        where, files={"file": (name, content, "application/pdf")}, headers={"Origin": house.url}
    )
    if answer.status_code != 303:
        check_page(answer)
    return answer


async def test_the_couriers_pdf_becomes_the_label(desk: House) -> None:
    shipment_id = await unlabelled(desk)
    await desk.page(address(shipment_id, ActKind.USE_PAPER, await turn_of(desk, shipment_id)))
    content = pdf(3)
    assert "Success: label ready." in await desk.told(await uploads(desk, shipment_id, content))
    assert status(await progress_of(desk, shipment_id)) is Status.LABEL_READY
    assert (await desk.browser.get(f"/shipments/{shipment_id}/label.pdf")).content == content


async def test_a_pdf_of_too_few_pages_is_the_label_and_warned_of(desk: House) -> None:
    shipment_id = await unlabelled(desk)
    await uploads(desk, shipment_id, pdf(1))
    assert "The label has 1 pages for 3 boxes." in await desk.page(f"/shipments/{shipment_id}")


async def test_a_pdf_of_too_many_pages_may_be_anothers(desk: House) -> None:
    shipment_id = await unlabelled(desk)
    await uploads(desk, shipment_id, pdf(15))
    page = await desk.page(f"/shipments/{shipment_id}")
    assert "The PDF that was uploaded has 15 pages for 3 boxes: see whose they are." in page


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Choose the PDF of the label first."),
        (b"GIF89a", "label.pdf cannot be read as a PDF."),
        (b"%PDF-1.4\nand nothing more", "label.pdf cannot be read as a PDF."),
        (b"%PDF-" + b"0" * (20 * 1024 * 1024), "The file is larger than 20 MB"),
        (b"%PDF-" + b"0" * (21 * 1024 * 1024), "The file is larger than 20 MB"),
    ],
)
async def test_what_is_no_label_is_not_taken(desk: House, content: bytes, why: str) -> None:
    shipment_id = await unlabelled(desk)
    answer = await uploads(desk, shipment_id, content)
    assert answer.status_code == 422
    assert why in answer.text
    assert (await turn_of(desk, shipment_id)).state is State.UNLABELLED


# --- AWBs and boxes


async def boxes(house: House, shipment_id: int) -> list[str]:
    async with house.tools.pool.acquire() as connection:
        return [box.awb for box in await showing.boxes_of(connection, shipment_id)]


def children(shipment_number: str = "SO-1001") -> tuple[Child, ...]:
    return tuple(Child(f"CH{n}", description=f"Box {n} of 3") for n in (1, 2, 3))


async def test_an_awb_that_is_given_up_leaves_the_boxes_and_is_cancelled_before_the_next_is_asked(desk: House) -> None:
    shipment_id = await unlabelled(desk, *children())
    assert await boxes(desk, shipment_id) == ["CH1", "CH2", "CH3"]
    page = await does(desk, shipment_id, ActKind.GIVE_UP_AWB, await turn_of(desk, shipment_id))
    assert "AWB AWB1001 of Delhivery B2B is not wanted: it is being cancelled. Blue Dart is asked once" in page
    assert await boxes(desk, shipment_id) == ["", "", ""]
    assert (await progress_of(desk, shipment_id)).open_turn is None
    await desk.hears(Cancelled())
    assert (await turn_of(desk, shipment_id, 2)).state is State.ASKING


async def test_a_late_label_that_is_used_brings_its_boxes_awbs(desk: House) -> None:
    shipment_id = await waiting(desk)
    await desk.tools.pool.execute("UPDATE shipments SET failed_told = true")
    await desk.hears(Label("AWB1001", children=children()))
    turn = await turn_of(desk, shipment_id)
    assert (turn.state, await boxes(desk, shipment_id)) == (State.OFFERED, ["", "", ""])
    await does(desk, shipment_id, ActKind.USE_LATE, turn)
    assert (await turn_of(desk, shipment_id)).state is State.FETCHING
    assert await boxes(desk, shipment_id) == ["CH1", "CH2", "CH3"]


async def test_what_is_settled_stays_so_in_the_rows(desk: House) -> None:
    shipment_id = await scheduled(desk)
    await desk.labels("AWB1001")
    await does(desk, shipment_id, ActKind.CANCEL)
    await desk.hears(PickedUp("with us"))
    turn = await turn_of(desk, shipment_id)
    assert status(await progress_of(desk, shipment_id)) is Status.NEEDS_ATTENTION
    page = await does(desk, shipment_id, ActKind.SETTLED, turn)
    assert "asha@example.com has seen to Delhivery B2B&#39;s outside Bilty." in page
    assert (await turn_of(desk, shipment_id)).settled
    assert status(await progress_of(desk, shipment_id)) is Status.CANCELLED


# --- who may, and when


async def test_an_answer_that_is_under_way_is_waited_for(desk: House) -> None:
    shipment_id = await waiting(desk)
    turn = await turn_of(desk, shipment_id)
    assert turn.due_at
    await claims.claim(desk.tools.pool, Keyring(desk.tools.vault), calls_max=9, calls_out={}, now=turn.due_at)
    for kind in (ActKind.POLL_NOW, ActKind.FALL_OVER):
        page = await does(desk, shipment_id, kind, turn)
        assert "Nothing was changed. ClickPost is being asked about Delhivery B2B&#39;s booking right now" in page
    assert (await turn_of(desk, shipment_id)).state is State.WAITING


async def test_a_call_that_outlived_its_lease_is_waited_for_until_no_answer_can_come(desk: House) -> None:
    shipment_id = await waiting(desk)
    turn = await turn_of(desk, shipment_id)
    at = turn.due_at
    assert at
    await claims.claim(desk.tools.pool, Keyring(desk.tools.vault), calls_max=9, calls_out={}, now=at)
    async with desk.tools.pool.acquire() as connection:
        for later, out in ((0, True), (104, True), (105, False)):
            found = await acting.calls_out(connection, [shipment_id], at + timedelta(seconds=later))
            assert found == ({shipment_id: frozenset([turn.reference])} if out else {})


async def test_whoever_comes_second_is_told_what_the_first_has_done(desk: House) -> None:
    shipment_id = await waiting(desk)
    act, rules = FallOver((await turn_of(desk, shipment_id)).reference), desk.tools.settings.rules
    now = await desk.now()

    async def second() -> dict[int, No | None]:
        async with desk.tools.pool.acquire() as connection, connection.transaction():
            return await acting.act(connection, {shipment_id: act}, RAVI, now, rules)

    async with desk.tools.pool.acquire() as connection:
        async with connection.transaction():
            first = await acting.act(connection, {shipment_id: act}, ASHA, now, rules)
            meanwhile = asyncio.create_task(second())
            while not await connection.fetchval(WAITED_FOR):
                pass
        answer = await meanwhile
    assert first == {shipment_id: None}
    told = f"asha@example.com ended Delhivery B2B's turn before its time at {now.astimezone(INDIA):%H:%M:%S}."
    assert answer == {shipment_id: No(f"{told} Delhivery B2B's turn has ended without a label.")}
    people = await desk.tools.pool.fetch("SELECT actor FROM timeline WHERE actor <> ''")
    assert [row["actor"] for row in people] == ["asha@example.com"]


async def test_many_at_once_each_with_its_own_answer(desk: House) -> None:
    ids = [await desk.takes_in(number=f"SO-{n}") for n in (1, 2, 3)]
    acts: dict[int, Act] = {
        ids[0]: Schedule(),
        ids[1]: Cancel(),
        ids[2]: plain_act(ActKind.GO_ON, "SO-3-NOBODY"),
        999_999: Schedule(),
    }
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        answers = await acting.act(connection, acts, ASHA, await showing.clock(connection), desk.tools.settings.rules)
    assert answers == {
        ids[0]: None,
        ids[1]: None,
        ids[2]: No("This shipment has no turn of the reference SO-3-NOBODY."),
        999_999: No("There is no such shipment."),
    }


async def test_a_page_that_is_out_of_date_is_told_so(desk: House) -> None:
    shipment_id = await waiting(desk)
    turn = await turn_of(desk, shipment_id)
    await desk.hears(Refused(Refusal.COURIER, 319, "no"))
    answer = await desk.browser.get(address(shipment_id, ActKind.FALL_OVER, turn))
    assert "Nothing was changed. Delhivery B2B has refused." in await desk.told(answer)


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_the_way_back_is_ours(desk: House, back: str) -> None:
    shipment_id = await waiting(desk)
    answer = await desk.send(address(shipment_id, ActKind.POLL_NOW, await turn_of(desk, shipment_id), back=back))
    assert answer.headers["location"] == f"/shipments/{shipment_id}"


async def test_a_viewer_does_nothing(furnished: House) -> None:
    shipment_id = await waiting(furnished)
    await furnished.sign_in("vera@example.com", role=Role.VIEWER)
    where = address(shipment_id, ActKind.POLL_NOW, await turn_of(furnished, shipment_id))
    assert (await furnished.browser.get(where)).status_code == 403
    assert (await furnished.send(where)).status_code == 403


async def test_a_shipment_of_another_facility_is_not_there(furnished: House) -> None:
    shipment_id = await waiting(furnished)
    await furnished.sign_in(facilities=())
    where = address(shipment_id, ActKind.POLL_NOW, await turn_of(furnished, shipment_id))
    assert (await furnished.browser.get(where)).status_code == 404
    assert (await furnished.send(where)).status_code == 404


async def test_a_form_of_another_site_does_nothing(desk: House) -> None:
    shipment_id = await waiting(desk)
    where = address(shipment_id, ActKind.POLL_NOW, await turn_of(desk, shipment_id))
    answer = await desk.send_form(where, Origin="https://evil.example")
    assert answer.status_code == 403


async def test_an_act_that_is_not_there(desk: House) -> None:
    assert (await desk.browser.get(f"/shipments/{await waiting(desk)}/acts/explode")).status_code == 404
