"""What may be decided about a shipment, as the API answers it."""

from bilty import telling
from bilty.deciding import ActKind, Offer
from bilty.reply import Courier
from bilty.shipment import standing
from bilty.store.access import Scope
from bilty.store.showing import Seen
from bilty.turn import Turn
from bilty.web.documents import Document

CHARGED = frozenset({ActKind.ORDER_RETURN})
"""What costs money beyond the booking: an admin's to decide."""


class CourierNamed(Document, frozen=True, kw_only=True):
    cp_id: int
    account_code: str
    name: str


class DecisionAnswer(Document, frozen=True, kw_only=True):
    act: ActKind
    reference: str
    courier: CourierNamed | None
    awb: str
    words: str
    risk: str
    wait: str
    needs: tuple[str, ...]
    couriers: tuple[CourierNamed, ...]
    scope: Scope
    method: str
    url: str


class DecisionsAnswer(Document, frozen=True, kw_only=True):
    items: tuple[DecisionAnswer, ...]
    next: None = None


def scope_of(kind: ActKind) -> Scope:
    return Scope.ADMIN if kind in CHARGED else Scope.DISPATCH


def decision_answer(seen: Seen, offer: Offer, base_url: str, *, printed: str) -> DecisionAnswer:
    turn = next((turn for turn in seen.progress.turns if turn.reference == offer.reference), None)
    button = telling.button(seen.progress, offer, printed=printed)
    path = f"{base_url}/api/v1/shipments/{seen.id}"
    uploads = offer.kind is ActKind.USE_PAPER
    return DecisionAnswer(
        act=offer.kind,
        reference=offer.reference,
        courier=_courier(turn),
        awb=turn.awb if turn else "",
        words=button.words,
        risk=button.risk,
        wait=offer.wait,
        needs=_needs(seen, offer.kind),
        couriers=tuple(_named(courier) for courier in offer.couriers),
        scope=scope_of(offer.kind),
        method="PUT" if uploads else "POST",
        url=f"{path}/turns/{offer.reference}/label.pdf" if uploads else f"{path}/decisions",
    )


def _needs(seen: Seen, kind: ActKind) -> tuple[str, ...]:
    if kind is ActKind.ENTER_AWB:
        return ("awb",)
    return ("without_ewaybill",) if kind is ActKind.SCHEDULE and standing(seen.progress.hold) else ()


def _courier(turn: Turn | None) -> CourierNamed | None:
    return _named(turn.courier) if turn and turn.courier else None


def _named(courier: Courier) -> CourierNamed:
    return CourierNamed(cp_id=courier.cp_id, account_code=courier.account_code, name=courier.name)
