"""What Uniware is told of a shipment: its AWB and label, or why there is none and what to do."""

from datetime import UTC, datetime, timedelta

from litestar import Response

from bilty import telling
from bilty.oms import label_link
from bilty.shipment import may_be_waived, standing
from bilty.store.showing import Seen
from bilty.turn import State
from bilty.web.tools import AnyRequest, base_url, tools_of
from bilty.web.uniware.answers import SUCCESS, Body, failed
from bilty.web.waiting import UNDER_WAY
from bilty.words import INDIA
from bilty.workflow import Status, status

AGAIN = (
    "Ask for the waybill of the same code again in a few minutes: it is answered as soon as it is there, "
    "and nothing is booked twice."
)
EWAYBILL = "In Uniware, give custom field ewaybill_number and ask for the waybill again."
ANEW = "Asking for the waybill of the same code again asks the couriers anew."
SETTLE = "Somebody has to see to it in Bilty; then ask for the waybill of the same code again."


def told(request: AnyRequest, seen: Seen) -> Response[Body]:
    """In the shape of `/waybill`."""
    holder = seen.progress.holder
    if holder and holder.state is State.WON and holder.courier:
        return Response(
            {
                "status": SUCCESS,
                "waybill": holder.awb,
                "shippingLabel": _label(request, seen, holder.label_sha256),
                "courierName": holder.courier.name,
            },
            status_code=200,
        )
    return failed(why_not(request, seen))


def _label(request: AnyRequest, seen: Seen, sha256: str) -> str:
    """Uniware keeps the link and opens it when somebody prints, which may be days later."""
    tools = tools_of(request)
    expires_at = datetime.now(UTC) + timedelta(days=tools.settings.uniware_link_days)
    return label_link.link(tools.vault, base_url(request), seen.id, sha256, expires_at)


def why_not(request: AnyRequest, seen: Seen) -> str:
    progress, rules = seen.progress, tools_of(request).settings.rules
    shown = status(progress)
    stands = telling.told_status(progress, rules, datetime.now(UTC), INDIA)
    problem = telling.problem(progress, rules)
    if shown in UNDER_WAY:
        return f"It is being booked. {stands} {AGAIN}"
    if shown is Status.ON_HOLD:
        return f"{progress.hold} {EWAYBILL}" if may_be_waived(standing(progress.hold)) else progress.hold
    if shown in (Status.FAILED, Status.NOT_SERVICEABLE) and problem:
        return f"{problem.message} {ANEW}"
    if shown is Status.NEEDS_ATTENTION:
        return f"{problem.message if problem else stands} {SETTLE}"
    if shown in (Status.CANCELLING, Status.CANCELLED):
        return "This shipment is cancelled, and Bilty books no cancelled shipment again: send it under another code."
    return stands
