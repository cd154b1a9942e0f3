"""A schedule: the wish that a shipment be booked now. It writes a row; a dispatcher takes it within milliseconds.

It names the run that it begins, so that it may be repeated whatever became of that run meanwhile: one that failed is
not begun anew, and no second AWB is bought, by a client that only lost the answer.
"""

from dataclasses import dataclass

from litestar import Response, post
from litestar.params import FromPath

from bilty.deciding import ActKind, why_not_now
from bilty.intake import Fault
from bilty.intake.limits import RUN_MAX
from bilty.intake.reader import Findings, Reader
from bilty.intake.values import BOOLEAN, whole
from bilty.store import shipments, showing, whom
from bilty.store.access import Scope
from bilty.web.api.answering import after_waiting, answer_of, answered, seen
from bilty.web.asking import document_of, wait_s
from bilty.web.documents import ShipmentAnswer
from bilty.web.keys import actor_of, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.refusing import CANCELLED
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.waiting import CHANGING
from bilty.workflow import Progress

FIELDS = frozenset({"run", "without_ewaybill"})
_RUN = whole("a whole number", 1, RUN_MAX)


@dataclass(frozen=True, slots=True)
class Wanted:
    run: int
    without_ewaybill: bool


@post("/shipments/{shipment_id:int}/schedules", guards=[needs(Scope.DISPATCH)], summary="Book a shipment")
async def create(request: AnyRequest, shipment_id: FromPath[int]) -> Response[ShipmentAnswer]:
    """Begins the run that the body names, the first where there is no body; a run that was begun is as it is."""
    tools, waits_s = tools_of(request), wait_s(request)
    wanted = _wanted(await document_of(request, required=False))
    await seen(request, shipment_id)
    async with tools.pool.acquire() as connection, connection.transaction():
        now = await showing.clock(connection)
        courses = await shipments.schedule_all(
            connection,
            [shipment_id],
            now,
            actor=actor_of(request),
            run=wanted.run,
            without_ewaybill=wanted.without_ewaybill,
        )
        faster = await whom.told(connection, {shipment_id: whom.Wanted(ActKind.SCHEDULE)}, now)
    _refuse_idle(courses[shipment_id], wanted.run, faster.get(shipment_id, ""))
    found, waited_s = await after_waiting(request, shipment_id, waits_s)
    answer = answer_of(request, found)
    return answered(answer, 202 if answer.status in CHANGING else 200, waited_s)


def _wanted(document: object) -> Wanted:
    """By type: to Python 1 is True, and a wish to send goods without their papers is not guessed."""
    findings = Findings()
    reader = Reader({} if document is None else document, FIELDS, findings, noun="The schedule")
    wanted = Wanted(reader.take("run", _RUN, 1), reader.take("without_ewaybill", BOOLEAN, default=False))
    if findings.faults:
        raise rejected(findings.faults)
    return wanted


def _refuse_idle(progress: Progress, run: int, faster: str) -> None:
    """Says why nothing was begun, and `faster` who was; `progress` is as it was left under its lock.

    A run that was there is no reason.
    """
    if progress.run >= run:
        return
    if progress.run + 1 < run:
        message = (
            f"run is {run}: this shipment's next run is {progress.run + 1}. Give that to begin it; "
            "a run that has begun may be named again, and is not begun twice."
        )
        raise rejected([Fault("run", str(run), message)])
    if progress.hold:
        raise ProblemError(409, "on_hold", progress.hold)
    if progress.cancel_asked:
        raise ProblemError(409, "cancelled", f"{faster} {CANCELLED}".lstrip())
    code = "scheduled" if progress.open_turn or progress.holder else "unsettled"
    raise ProblemError(409, code, f"{faster} {why_not_now(progress, ActKind.SCHEDULE, '')}".lstrip())
