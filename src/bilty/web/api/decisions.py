"""Decisions: what a person may decide about a shipment now, and what was decided, as from the panel's buttons.

What may be decided is looked up under the shipment's lock, as everything is that is then done: whoever comes second is
told by whom and what.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from litestar import Response, get, post, put
from litestar.params import FromPath

from bilty.deciding import Act, ActKind, Cancel, Dispatch, EnterAwb, No, Schedule, plain_act, possible, why_not_now
from bilty.deciding.refusals import NOT_WHILE_ASKED, ranked_before, turn_of, unknown_turn
from bilty.intake import Fault
from bilty.intake.limits import CODE_CHARS_MAX
from bilty.intake.reader import Findings, Reader
from bilty.intake.values import BOOLEAN, choice, text, whole
from bilty.reply import AWB_CHARS_MAX
from bilty.store import acting, showing, whom
from bilty.store.access import Scope
from bilty.store.claims import OUT_AT_MOST
from bilty.store.on_paper import told_printed
from bilty.store.showing import Seen
from bilty.turn import Kind
from bilty.web.act_forms import PDF_BYTES_MAX, paper_of
from bilty.web.api.answering import after_waiting, answer_of, answered, is_id, not_there, seen
from bilty.web.asking import document_of, wait_s
from bilty.web.decision_documents import DecisionsAnswer, decision_answer, scope_of
from bilty.web.documents import ShipmentAnswer
from bilty.web.keys import actor_of, caller, check_scope, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.tools import AnyRequest, base_url, tools_of
from bilty.web.waiting import CHANGING
from bilty.workflow import Progress

FIELDS = frozenset({"act", "reference", "awb", "courier", "without_ewaybill"})
COURIER_FIELDS = frozenset({"cp_id", "account_code"})
OF_THE_SHIPMENT = frozenset({ActKind.SCHEDULE, ActKind.CANCEL, ActKind.DISPATCH})
TAKES = {ActKind.ENTER_AWB: {"awb"}, ActKind.SCHEDULE: {"courier", "without_ewaybill"}}
"""What an act needs or takes besides its turn."""
REFERENCE_CHARS_MAX = 20
CP_ID_MAX = 2**31 - 1
NOT_PDF = "Send the label as it is, with `Content-Type: application/pdf`."
ASKED_AGAIN_S = round(OUT_AT_MOST.total_seconds())
"""A call that is out is answered within it."""
_ACT = choice({kind.value: kind for kind in ActKind}, ActKind.CANCEL)
_REFERENCE = text(REFERENCE_CHARS_MAX)
_AWB = text(2 * AWB_CHARS_MAX)  # copied with blanks in it
_CP_ID, _ACCOUNT_CODE = whole("a whole number", 1, CP_ID_MAX), text(CODE_CHARS_MAX)


@dataclass(frozen=True, slots=True)
class Wish:
    """A decision as it was sent. `courier` is (cp_id, account_code)."""

    kind: ActKind
    reference: str
    awb: str
    courier: tuple[int, str] | None
    without_ewaybill: bool


@get(
    "/shipments/{shipment_id:int}/decisions",
    guards=[needs(Scope.READ)],
    summary="What may be decided about a shipment now",
)
async def listed(request: AnyRequest, shipment_id: FromPath[int]) -> DecisionsAnswer:
    """As the panel shows its buttons; with what only an admin's key may."""
    found = await seen(request, shipment_id)
    async with tools_of(request).pool.acquire() as connection:
        now = await showing.clock(connection)
        out = await acting.calls_out(connection, [shipment_id], now)
        printed = await told_printed(connection, [shipment_id], now)
    offers = possible(found.progress, call_out=out.get(shipment_id, frozenset()))
    base = base_url(request)
    return DecisionsAnswer(items=tuple(decision_answer(found, offer, base, printed=printed) for offer in offers))


@post("/shipments/{shipment_id:int}/decisions", guards=[needs(Scope.DISPATCH)], summary="Decide about a shipment")
async def create(request: AnyRequest, shipment_id: FromPath[int]) -> Response[ShipmentAnswer]:
    """The act is done, or refused with the reason and nothing is changed."""
    waits_s = wait_s(request)
    wish = _wish(await document_of(request))
    check_scope(request, scope_of(wish.kind))
    await _decide(request, shipment_id, lambda progress: _act(wish, progress))
    return await _answered(request, shipment_id, waits_s)


@put(
    "/shipments/{shipment_id:int}/turns/{reference:str}/label.pdf",
    guards=[needs(Scope.DISPATCH)],
    summary="Upload the courier's PDF",
    request_max_body_size=PDF_BYTES_MAX,
)
async def upload(request: AnyRequest, shipment_id: FromPath[int], reference: FromPath[str]) -> Response[ShipmentAnswer]:
    """For a turn whose AWB is here and whose label does not come. The same again changes nothing."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/pdf":
        raise ProblemError(415, "not_pdf", NOT_PDF)
    found = await seen(request, shipment_id)
    turn = turn_of(found.progress, reference)
    if turn is None:
        raise ProblemError(404, "not_found", unknown_turn(reference))
    content = await request.body()
    if turn.kind is Kind.HOLDS and turn.label_sha256 == hashlib.sha256(content).hexdigest():
        return await _answered(request, shipment_id, 0)
    if why := why_not_now(found.progress, ActKind.USE_PAPER, reference):
        raise await _too_late(request, shipment_id, ActKind.USE_PAPER, reference, why)
    wish = await paper_of(content, "The file", reference, tools_of(request))
    if isinstance(wish, Fault):
        raise rejected([Fault("", "", wish.message)])
    await _decide(request, shipment_id, lambda _: wish)
    return await _answered(request, shipment_id, 0)


async def _too_late(request: AnyRequest, shipment_id: int, kind: ActKind, reference: str, why: str) -> ProblemError:
    """Before anything is kept for it. With who was faster, as where the act itself is refused."""
    async with tools_of(request).pool.acquire() as connection:
        now = await showing.clock(connection)
        faster = await whom.told(connection, {shipment_id: whom.Wanted(kind, reference)}, now)
    return ProblemError(409, "not_possible", f"{faster.get(shipment_id, '')} {why}".lstrip())


async def _decide(request: AnyRequest, shipment_id: int, act_of: Callable[[Progress], Act | Fault]) -> None:
    """Raises ProblemError where it is refused, but only after what the refusal writes is committed."""
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        facilities = caller(request).facilities
        found = await showing.locked(connection, shipment_id, facilities) if is_id(request, shipment_id) else None
        if found is None:
            raise not_there(shipment_id)
        act = act_of(found.progress)
        if isinstance(act, Fault):
            raise rejected([act])
        now = await showing.clock(connection)
        out = (await acting.calls_out(connection, [shipment_id], now)).get(shipment_id, frozenset())
        wish = {shipment_id: act}
        answer = (await acting.act(connection, wish, actor_of(request), now, tools_of(request).settings.rules))[
            shipment_id
        ]
    if answer:
        raise _refusal(found, act, answer, out)


def _refusal(found: Seen, act: Act, answer: No, out: frozenset[str]) -> ProblemError:
    if isinstance(act, EnterAwb) and not act.is_plausible:
        return rejected([Fault("awb", act.awb[:40], answer.reason)])
    reference = acting.reference_of(act)
    asked = act.kind in NOT_WHILE_ASKED and reference in out
    if asked and not why_not_now(found.progress, act.kind, reference):
        return ProblemError(409, "being_asked", answer.reason, headers={"Retry-After": str(ASKED_AGAIN_S)})
    return ProblemError(409, "not_possible", answer.reason)


async def _answered(request: AnyRequest, shipment_id: int, waits_s: float) -> Response[ShipmentAnswer]:
    found, waited_s = await after_waiting(request, shipment_id, waits_s, CHANGING)
    answer = answer_of(request, found)
    return answered(answer, 202 if answer.status in CHANGING else 200, waited_s)


def _wish(document: object) -> Wish:
    """Raises ProblemError, naming each faulty field."""
    findings = Findings()
    reader = Reader(document, FIELDS, findings, noun="The decision")
    kind = reader.need("act", _ACT)
    if not findings.faults:
        _check_fields(reader, kind)
    wish = Wish(
        kind=kind,
        reference=reader.take("reference", _REFERENCE, ""),
        awb=reader.take("awb", _AWB, ""),
        courier=_courier(reader),
        without_ewaybill=reader.take("without_ewaybill", BOOLEAN, default=False),
    )
    if findings.faults:
        raise rejected(findings.faults)
    return wish


def _check_fields(reader: Reader, kind: ActKind) -> None:
    """That nothing is missing which the act is about, and nothing is given which it passes over."""
    if kind is ActKind.USE_PAPER:
        reader.fault("act", "act is 'use-paper': PUT the PDF to the turn's label.pdf, as the list of decisions says.")
        return
    if kind not in OF_THE_SHIPMENT and not reader.has("reference"):
        reader.fault("reference", f"reference is missing: give that of the turn which {kind} is about.")
    if kind is ActKind.ENTER_AWB and not reader.has("awb"):
        reader.fault("awb", "awb is missing: give it as it stands in the ClickPost B2B dashboard.")
    of_turns = frozenset() if kind in OF_THE_SHIPMENT else frozenset({"reference"})
    for name in sorted(FIELDS - {"act"} - of_turns - TAKES.get(kind, set())):
        if reader.has(name):
            reader.fault(name, f"{name} is no field of {kind}: leave it out.")


def _courier(reader: Reader) -> tuple[int, str] | None:
    if not reader.has("courier"):
        return None
    inner = reader.inner("courier", COURIER_FIELDS)
    return inner.need("cp_id", _CP_ID), inner.need("account_code", _ACCOUNT_CODE)


def _act(wish: Wish, progress: Progress) -> Act | Fault:
    match wish.kind:
        case ActKind.CANCEL:
            return Cancel()
        case ActKind.DISPATCH:
            return Dispatch()
        case ActKind.SCHEDULE:
            return _schedule(wish, progress)
        case _ if turn_of(progress, wish.reference) is None:
            return Fault("reference", wish.reference, unknown_turn(wish.reference))
        case ActKind.ENTER_AWB:
            return EnterAwb(wish.reference, "".join(wish.awb.split()))
        case _:
            return plain_act(wish.kind, wish.reference)


def _schedule(wish: Wish, progress: Progress) -> Schedule | Fault:
    if wish.courier is None:
        return Schedule(without_ewaybill=wish.without_ewaybill)
    ranked = {courier.identity: courier for courier in ranked_before(progress)}
    if wish.courier not in ranked:
        given = "/".join(map(str, wish.courier))
        return Fault("courier", given, f"ClickPost has not ranked {given} for this shipment: leave courier out.")
    return Schedule(courier=ranked[wish.courier], without_ewaybill=wish.without_ewaybill)
