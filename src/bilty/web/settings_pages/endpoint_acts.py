"""What is done to a hand-off endpoint: tried out, given a new secret, enabled, told once more, removed; and its log."""

from dataclasses import replace
from datetime import datetime

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.intake import Fault, Rejected
from bilty.intake.endpoints import OneAgain, RangeAgain, parse_replay
from bilty.store import jobs, showing
from bilty.store.hand_off import deliveries, endpoints, signing
from bilty.store.hand_off.deliveries import DeliveryState
from bilty.store.hand_off.endpoints import Manner
from bilty.store.hand_off.replays import REPLAYED_MAX, CannotReplay
from bilty.store.jobs import JobKind
from bilty.web import deliveries as deliveries_shown
from bilty.web.asking import ID_MAX, choice, only, whole
from bilty.web.forms import Form, by_field, form_of
from bilty.web.handing_off import replay
from bilty.web.page import told
from bilty.web.sessions import actor, administering_all, from_our_pages
from bilty.web.settings_pages import endpoint_rows
from bilty.web.settings_pages.endpoints import PATH, secret_shown, shown, there
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA, grouped

ROWS = 60
RANGE = ("from", "until")
LABELS = {"from": "From", "until": "Until"}


@get(f"{PATH}/{{code:str}}/deliveries", guards=[administering_all], include_in_schema=False)
async def log_page(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _log(request, code)


@post(f"{PATH}/{{code:str}}/replays", guards=[administering_all, from_our_pages], include_in_schema=False)
async def again(request: AnyRequest, code: FromPath[str]) -> Template | Redirect:
    """One event, by the button in its row, or what happened in a time."""
    form = await form_of(request)
    wish, faults = _wish(form)
    if wish is None:
        return await _log(request, code, form, faults)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        endpoint = await there(connection, code)
        try:
            count = await replay(connection, endpoint, wish, actor(request))
        except CannotReplay as trouble:
            return told(request, _log_of(code), str(trouble), well=False)
    return told(request, _log_of(code), _told_replay(code, wish, count, stopped=endpoint.manner is Manner.DISABLED))


@post(f"{PATH}/{{code:str}}/test", guards=[administering_all, from_our_pages], include_in_schema=False)
async def try_out(request: AnyRequest, code: FromPath[str]) -> Redirect:
    """A job sends it: a request waits for nobody's receiver."""
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        endpoint = await there(connection, code)
        job_id = await jobs.begin(connection, JobKind.TEST_EVENT, {"endpoint": endpoint.code}, actor(request))
    return Redirect(f"{PATH}/{code}?test={job_id}#test", status_code=303)


@post(f"{PATH}/{{code:str}}/secret", guards=[administering_all, from_our_pages], include_in_schema=False)
async def rotate(request: AnyRequest, code: FromPath[str]) -> Template:
    tools = tools_of(request)
    async with tools.pool.acquire() as connection, connection.transaction():
        await there(connection, code)
        secret = await signing.rotate(connection, tools.vault, code, actor(request))
        endpoint = await there(connection, code)
    assert secret is not None, "it is there"
    return await secret_shown(request, endpoint, secret, is_new=False)


@post(f"{PATH}/{{code:str}}/enable", guards=[administering_all, from_our_pages], include_in_schema=False)
async def enable(request: AnyRequest, code: FromPath[str]) -> Redirect:
    """From its own page, and from Needs attention, to which it goes back."""
    form = await form_of(request)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        await there(connection, code)
        await endpoints.enable(connection, code, actor(request))
    back = "/attention" if form.get("back") == "/attention" else f"{PATH}/{code}"
    return told(request, back, f"{code} is enabled: what it is owed goes out now.")


@post(f"{PATH}/{{code:str}}/try-now", guards=[administering_all, from_our_pages], include_in_schema=False)
async def try_now(request: AnyRequest, code: FromPath[str]) -> Redirect:
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        await there(connection, code)
        fails = await endpoints.try_now(connection, code, actor(request))
    sentence = (
        "what waits for its next try goes out now" if fails else "it does not fail, so nothing waits for a next try"
    )
    return told(request, f"{PATH}/{code}", f"{code}: {sentence}.")


@post(f"{PATH}/{{code:str}}/remove", guards=[administering_all, from_our_pages], include_in_schema=False)
async def remove(request: AnyRequest, code: FromPath[str]) -> Redirect:
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        await there(connection, code)
        await endpoints.delete(connection, code, actor(request))
    return told(request, PATH, f"{code} is removed: it is told nothing any more.")


async def _log(request: AnyRequest, code: str, form: Form | None = None, faults: tuple[Fault, ...] = ()) -> Template:
    only(request, "state", "before")
    state, before = choice(request, "state", tuple(DeliveryState)), whole(request, "before", None, ID_MAX)
    async with tools_of(request).pool.acquire() as connection:
        endpoint = await there(connection, code)
        chosen = DeliveryState(state) if state else None
        found = await deliveries.page(connection, endpoint.id, state=chosen, before_id=before, limit=ROWS + 1)
        row = (await endpoint_rows.rows(connection, [endpoint]))[0]
        now = await showing.clock(connection)
    here = f"{_log_of(code)}?" + (f"state={state}&" if state else "")
    return await shown(
        request,
        "settings/endpoint_log.html",
        status_code=422 if faults else 200,
        tab="deliveries",
        row=row,
        rows=deliveries_shown.delivery_rows(found[:ROWS], now, INDIA),
        state=state or "",
        states=[(each.value, words) for each, (_, _, words) in deliveries_shown.SHAPES.items()],
        given={name: form.get(name, "") if form else "" for name in RANGE},
        replayed_max=grouped(REPLAYED_MAX),
        faults=faults,
        wrong=by_field(faults),
        newest=here.rstrip("?&") if before else "",
        older=f"{here}before={found[ROWS - 1].id}" if len(found) > ROWS else "",
    )


def _log_of(code: str) -> str:
    return f"{PATH}/{code}/deliveries"


def _wish(form: Form) -> tuple[OneAgain | RangeAgain | None, tuple[Fault, ...]]:
    if event := form.get("event", ""):
        return _one_wish(event)
    read = {name: _local(form.get(name, "")) for name in RANGE}
    faults = [
        Fault(name, form.get(name, "")[:40], f"{LABELS[name]} is no time: give a day and a time of India's clock.")
        for name, moment in read.items()
        if moment is None
    ]
    since, until = read["from"], read["until"]
    if since and until and until <= since:
        faults.append(Fault("until", form.get("until", "")[:40], "Until is not after From: give a later time."))
    if since is None or until is None or faults:
        return None, tuple(faults)
    return RangeAgain(since, until), ()


def _one_wish(event: str) -> tuple[OneAgain | RangeAgain | None, tuple[Fault, ...]]:
    """The form shows no field for it, so that no fault can lead there."""
    read = parse_replay({"event": event})
    return (None, tuple(replace(each, field="") for each in read.faults)) if isinstance(read, Rejected) else (read, ())


def _local(given: str) -> datetime | None:
    """As a browser's field for day and time sends it, by India's clock."""
    try:
        read = datetime.fromisoformat(given)
    except ValueError:
        return None
    return read.replace(tzinfo=INDIA) if read.tzinfo is None and 2000 <= read.year < 2100 else None


def _told_replay(code: str, wish: OneAgain | RangeAgain, count: int, *, stopped: bool) -> str:
    if not count and isinstance(wish, OneAgain):
        return f"That event is owed to {code} as it is."
    if not count:
        return f"Nothing happened then that {code} is told of, or all of it is owed to it as it is."
    what = "1 event goes" if count == 1 else f"{grouped(count)} events go"
    return f"{what} out to {code} once more{', when it is enabled again' if stopped else ''}."


ROUTES = [log_page, again, try_out, rotate, enable, try_now, remove]
