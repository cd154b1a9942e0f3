"""Settings, What was done: the audit trail, newest first. It is read here and changed nowhere."""

from dataclasses import dataclass
from urllib.parse import urlencode

from litestar import get
from litestar.response import Template

from bilty.store import trail
from bilty.store.audit import Actor, ActorKind
from bilty.store.trail import Line, Reader
from bilty.telling.trail import told_action, told_changes
from bilty.web.asking import ID_MAX, only, whole
from bilty.web.page import page
from bilty.web.sessions import administering, user
from bilty.web.settings_pages.wording import moment
from bilty.web.tools import AnyRequest, tools_of

PLACE = "/settings/audit"
ROWS = 60
CHOICE_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class TrailRow:
    at: str
    iso: str
    who: str
    action: str
    subject: str
    shipment_id: int | None
    changes: tuple[str, ...]


@get(PLACE, guards=[administering], include_in_schema=False)
async def trail_of_all(request: AnyRequest) -> Template:
    only(request, "who", "what", "before")
    me, query = user(request), request.query_params
    who, what = (query.get(name, "")[:CHOICE_CHARS_MAX].replace("\0", "") for name in ("who", "what"))
    before = whole(request, "before", None, ID_MAX)
    async with tools_of(request).pool.acquire() as connection:
        reader = Reader(me.email, me.facilities)
        found = await trail.page(connection, reader, actor=who, action=what, before_id=before, limit=ROWS + 1)
        actors = await trail.actors(connection) if me.facilities is None else [me.email]
        actions = await trail.actions(connection)
    chosen = {name: value for name, value in (("who", who), ("what", what)) if value}
    return await page(
        request,
        "settings/audit.html",
        nav="settings",
        section="audit",
        rows=[_row(each) for each in found[:ROWS]],
        who=who,
        what=what,
        actors=actors,
        actions=sorted(((each, told_action(each)) for each in actions), key=lambda pair: pair[1]),
        newest=f"{PLACE}?{urlencode(chosen)}" if before else "",
        older=f"{PLACE}?{urlencode({**chosen, 'before': found[ROWS - 1].id})}" if len(found) > ROWS else "",
    )


def _row(line: Line) -> TrailRow:
    return TrailRow(
        at=moment(line.at),
        iso=line.at.isoformat(),
        who=_who(line.actor),
        action=told_action(line.action),
        subject=line.subject,
        shipment_id=line.shipment_id,
        changes=told_changes(line.before, line.after),
    )


def _who(actor: Actor) -> str:
    match actor.kind:
        case ActorKind.KEY:
            return f"API key {actor.name}"
        case ActorKind.COMMAND:
            return "a command on the machine"
        case _:
            return actor.name


ROUTES = [trail_of_all]
