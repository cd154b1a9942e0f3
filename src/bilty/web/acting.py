"""People's acts: a button each, a page that tells the risk where there is one, and the form behind both.

Every act works without script. What asks first is a link to its page: there the risk is read, what the act needs is
given, and a button does it. Whatever the page said, the act is decided anew when it is done.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlencode

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty import telling
from bilty.concerns import concerns
from bilty.deciding import ActKind, No, Offer, possible, why_not_now
from bilty.intake import Fault
from bilty.reply import AWB_CHARS_MAX
from bilty.shipment import standing
from bilty.store import acting, showing, whom
from bilty.store.access import Role
from bilty.store.on_paper import told_printed
from bilty.store.showing import Seen
from bilty.turn import State, Turn
from bilty.web.act_forms import PDF_BYTES_MAX, courier_value, read_act, too_large
from bilty.web.decision_documents import CHARGED
from bilty.web.forms import form_of
from bilty.web.page import page, shipment_of, told
from bilty.web.problems import ProblemError
from bilty.web.sessions import actor, check_role, dispatching, from_our_pages, user
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.where import back_of
from bilty.workflow import Progress

UPLOAD_BYTES_MAX = PDF_BYTES_MAX + 64 * 1024
"""With what a browser wraps around the file."""
LAST = (ActKind.SETTLED, ActKind.CANCEL)
"""What ends it comes after what goes on."""


@dataclass(frozen=True, slots=True)
class ActButton:
    """`asks`: it leads to a page of its own. `wait`: why not this very moment. `rare`: kept out of the way."""

    kind: ActKind
    reference: str
    words: str
    asks: bool
    wait: str
    rare: bool

    def address(self, shipment_id: int, back: str) -> str:
        return address(shipment_id, self.kind, self.reference, back)


def address(shipment_id: int, kind: ActKind, reference: str, back: str) -> str:
    given = {"reference": reference, "back": back}
    return f"/shipments/{shipment_id}/acts/{kind}?" + urlencode({name: value for name, value in given.items() if value})


def acts_of(progress: Progress, *, call_out: Collection[str] = (), admin: bool = False) -> tuple[ActButton, ...]:
    """All that may be done to a shipment, its turns' acts first. `call_out`: of these references a call is out.

    `admin`: with what is an admin's to decide.
    """
    return _buttons(progress, _offers(progress, call_out, admin=admin))


def acts_on_concerns(
    progress: Progress, *, call_out: Collection[str] = (), admin: bool = False
) -> tuple[ActButton, ...]:
    """What may be done about that for which a shipment waits."""
    concerned = {turn.reference for _, turn in concerns(progress)}
    offers = _offers(progress, call_out, admin=admin)
    return _buttons(progress, [o for o in offers if o.reference in concerned or o.kind is ActKind.SCHEDULE])


def _offers(progress: Progress, call_out: Collection[str], *, admin: bool) -> list[Offer]:
    offers = possible(progress, call_out=frozenset(call_out))
    return [offer for offer in offers if admin or offer.kind not in CHARGED]


def _buttons(progress: Progress, offers: Collection[Offer]) -> tuple[ActButton, ...]:
    turns = {turn.reference: turn for turn in progress.turns}
    # That no label came is one matter, however many turns have lapsed.
    lapsed = [o for o in offers if o.kind is ActKind.SETTLED and turns[o.reference].state is State.LAPSED]
    shown = [offer for offer in offers if offer not in lapsed[1:]]
    shown.sort(key=lambda offer: offer.kind in LAST)
    many = {kind for kind, count in Counter(offer.kind for offer in shown).items() if count > 1}
    return tuple(_button(progress, offer, turns.get(offer.reference), named=offer.kind in many) for offer in shown)


def _button(progress: Progress, offer: Offer, turn: Turn | None, *, named: bool) -> ActButton:
    told = telling.button(progress, offer)
    whose = f": {turn.courier.name}" if named and turn and turn.courier else ""
    rare = offer.kind is ActKind.ENTER_AWB and turn is not None and turn.state is State.LAPSED
    return ActButton(offer.kind, offer.reference, told.words + whose, told.asks, offer.wait, rare)


@get("/shipments/{shipment_id:int}/acts/{kind:str}", guards=[dispatching], include_in_schema=False)
async def ask(request: AnyRequest, shipment_id: FromPath[int], kind: FromPath[str]) -> Template | Redirect:
    """What may come of it, what it needs, and the button that does it."""
    found = await shipment_of(request, shipment_id)
    return await _ask(request, found, _kind(request, kind))


@post(
    "/shipments/{shipment_id:int}/acts/{kind:str}",
    guards=[dispatching, from_our_pages],
    include_in_schema=False,
    request_max_body_size=UPLOAD_BYTES_MAX,
)
async def do(request: AnyRequest, shipment_id: FromPath[int], kind: FromPath[str]) -> Template | Redirect:
    """Fields: courier, awb or file, as the act needs. `reference` and `back` are in the address."""
    found, what, tools = await shipment_of(request, shipment_id), _kind(request, kind), tools_of(request)
    if int(request.headers.get("content-length") or 0) > UPLOAD_BYTES_MAX:
        return await _ask(request, found, what, too_large())
    form = await form_of(request)
    offer = await _offer(request, found, what)
    if isinstance(offer, No):
        return _refused(request, found, offer)
    wish = await read_act(form, offer, tools, held=bool(standing(found.progress.hold)))
    if isinstance(wish, Fault):
        return await _ask(request, found, what, wish)
    async with tools.pool.acquire() as connection, connection.transaction():
        now = await showing.clock(connection)
        answers = await acting.act(connection, {found.id: wish}, actor(request), now, tools.settings.rules)
    answer = answers[found.id]
    if answer and what is ActKind.ENTER_AWB:
        return await _ask(request, found, what, Fault("awb", form.get("awb", ""), answer.reason))
    if answer:
        return _refused(request, found, answer)
    return told(request, _back(request, found), telling.told_done(found.progress, what, offer.reference))


def _kind(request: AnyRequest, given: str) -> ActKind:
    if given not in set(ActKind):
        raise ProblemError(404, "not_found", f"There is no act {given[:40]!r}.")
    if given in CHARGED:
        check_role(user(request), Role.ADMIN)
    return ActKind(given)


async def _offer(request: AnyRequest, found: Seen, kind: ActKind) -> Offer | No:
    """The act as it may be done now, or why it may not."""
    reference = request.query_params.get("reference", "")
    async with tools_of(request).pool.acquire() as connection:
        now = await showing.clock(connection)
        out = await acting.calls_out(connection, [found.id], now)
        if why := why_not_now(found.progress, kind, reference, call_out=out.get(found.id, frozenset())):
            faster = await whom.told(connection, {found.id: whom.Wanted(kind, reference)}, now)
            return No(" ".join(filter(None, [faster.get(found.id), why])))
    return next(
        offer for offer in possible(found.progress) if offer.kind is kind and offer.reference in (reference, "")
    )


async def _ask(request: AnyRequest, found: Seen, kind: ActKind, fault: Fault | None = None) -> Template | Redirect:
    offer = await _offer(request, found, kind)
    if isinstance(offer, No):
        return _refused(request, found, offer)
    async with tools_of(request).pool.acquire() as connection:
        printed = await told_printed(connection, [found.id], await showing.clock(connection))
    back = _back(request, found)
    return await page(
        request,
        "act.html",
        nav="attention" if back.startswith("/attention") else "shipments",
        status_code=422 if fault else 200,
        shipment=found,
        button=telling.button(found.progress, offer, printed=printed),
        kind=kind.value,
        couriers=[("", "As ClickPost ranks them now")] + [(courier_value(c), c.name) for c in offer.couriers],
        typed=fault.value if fault else "",
        fault=fault.message if fault else "",
        awb_room=2 * AWB_CHARS_MAX,  # copied with blanks in it
        size_max=f"{PDF_BYTES_MAX // 1024**2} MB",
        back=back,
        address=address(found.id, kind, offer.reference, back),
    )


def _refused(request: AnyRequest, found: Seen, answer: No) -> Redirect:
    return told(request, _back(request, found), f"Nothing was changed. {answer.reason}", well=False)


def _back(request: AnyRequest, found: Seen) -> str:
    return back_of(request.query_params.get("back", ""), f"/shipments/{found.id}")


ROUTES = [ask, do]
