"""The two forms that ask ClickPost something: Test connection and Show priorities. Each begins a job, and shows it."""

from litestar import post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.intake import Fault, Rejected, parse_pincode
from bilty.store import jobs
from bilty.store.jobs import JobKind
from bilty.store.places import places
from bilty.web.forms import form_of
from bilty.web.page import told
from bilty.web.sessions import actor, administering, from_our_pages, user
from bilty.web.settings_pages import standings
from bilty.web.settings_pages.connector import show
from bilty.web.settings_pages.providers import PATH
from bilty.web.settings_pages.standings import Row
from bilty.web.settings_pages.wording import labelled
from bilty.web.tools import AnyRequest, tools_of

LANE_LABELS = {"facility": "Facility", "pincode": "Destination PIN"}


@post(f"{PATH}/{{code:str}}/test", guards=[administering, from_our_pages], include_in_schema=False)
async def test_connection(request: AnyRequest, code: FromPath[str]) -> Redirect:
    """With what is stored: a key that was only typed is nobody's yet."""
    row = await _row(request, code)
    if row.username is None:
        return _first_update(request, row)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        job_id = await jobs.begin(connection, JobKind.TEST_CONNECTION, {"provider": code}, actor(request))
    return Redirect(f"{PATH}/{code}/connector?test={job_id}#test", status_code=303)


@post(f"{PATH}/{{code:str}}/priorities", guards=[administering, from_our_pages], include_in_schema=False)
async def show_priorities(request: AnyRequest, code: FromPath[str]) -> Template | Redirect:
    form, row = await form_of(request), await _row(request, code)
    if row.username is None:
        return _first_update(request, row)
    facility, pincode = form.get("facility", ""), parse_pincode(form.get("pincode", ""))
    faults = list(pincode.faults) if isinstance(pincode, Rejected) else []
    async with tools_of(request).pool.acquire() as connection:
        known = {place.facility.code for place in await places(connection, user(request).facilities)}
    if facility not in known:
        faults.insert(0, Fault("facility", facility, f'facility is "{facility[:40]}": choose one of those listed.'))
    if faults:
        return await show(request, code, form, labelled(faults, LANE_LABELS))
    asked = {"provider": code, "facility": facility, "pincode": pincode}
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        job_id = await jobs.begin(connection, JobKind.PRIORITIES, asked, actor(request))
    return Redirect(f"{PATH}/{code}/connector?priorities={job_id}#priorities", status_code=303)


async def _row(request: AnyRequest, code: str) -> Row:
    tools = tools_of(request)
    async with tools.pool.acquire() as connection:
        return await standings.row(connection, tools.vault, code, user(request).facilities)


def _first_update(request: AnyRequest, row: Row) -> Redirect:
    sentence = f"{row.name} has no username and key yet. Give them here and choose Update Connector first."
    return told(request, f"{PATH}/{row.code}/connector", sentence, well=False)


ROUTES = [test_connection, show_priorities]
