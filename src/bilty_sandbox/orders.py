"""The create calls of both styles, and the calls that ask what has become of an order."""

import zlib
from typing import Final, assert_never

from bilty_sandbox import payload_b2b, payload_mps, wire
from bilty_sandbox.book import Booking, Stage
from bilty_sandbox.couriers import CP_IDS, Account, find_account, priority_of
from bilty_sandbox.dice import Dice
from bilty_sandbox.kinds import Kind
from bilty_sandbox.mischief import Asked, BadMarkerError, choose
from bilty_sandbox.order import Order, RefusedError, Style
from bilty_sandbox.plan import HANG_SECONDS, Fault, make_plan
from bilty_sandbox.server import Answer, Half, Reply, Request, Reset
from bilty_sandbox.world import World

RETRY_AFTER_SECONDS: Final = 30.0
REAL_RETRY_AFTER_SECONDS_MIN: Final = 1

_READERS: Final = {Style.B2B: payload_b2b.read, Style.MPS: payload_mps.read}


def create(world: World, request: Request, style: Style) -> Answer:
    """Same reference, same booking: whatever else the repeat says, it hears of the first one."""
    now = world.clock.now()
    try:
        order = _READERS[style](request.body, ewaybill_required=world.options.ewaybill_required)
        booking = world.book.find(order.reference) or _receive(world, order, request.body, now)
    except RefusedError as refused:
        world.refusals[refused.code] += 1
        return wire.envelope(refused.code, refused.message, result=None)
    first = booking.taken_in_at is None
    _count_post(booking, order, request.body)
    fault = booking.plan.fault if booking.posts <= booking.plan.faulty_posts else None
    if fault is None or booking.plan.takes_faulty_orders:
        world.book.take_in(booking, now)
    if fault is not None and not booking.plan.takes_faulty_orders:
        return _fault_answer(world, fault, b"")
    answer = _story(world, request, booking, now, first=first)
    return answer if fault is None else _fault_answer(world, fault, answer.body)


def status(world: World, request: Request) -> Answer:
    """By reference, or by AWB and courier as the old style also allows. Books nothing, ever."""
    if world.policy.host_does(Kind.STATUS_404):
        return wire.html(404, wire.NOT_FOUND_HTML)
    now = world.clock.now()
    booking = _asked_about(world, request.query, now)
    if booking is None or not booking.known(now):
        return wire.envelope(321, "AWB does not exist for this reference", result=None)
    return _story(world, request, booking, now, first=False, asked=True)


def _asked_about(world: World, query: dict[str, str], now: float) -> Booking | None:
    if "reference_number" in query:
        return world.book.find(query["reference_number"])
    booking = world.book.find_by_awb(query.get("awb", ""), now)
    return booking if booking is not None and str(booking.account.cp_id) == query.get("cp_id") else None


def _receive(world: World, order: Order, body: bytes, now: float) -> Booking:
    account = _account(order)
    seed = world.options.seed
    pickup_pin = order.pickup_pincode or world.book.pickup_pins.get(order.consignee.pincode, "")
    priority = priority_of(seed, pickup_pin, order.consignee.pincode, account)
    asked = Asked(order.reference, order.marks, account.cp_id, account.account_code, priority, order.remarks)
    try:
        chosen = choose(world.policy, seed, asked)
    except BadMarkerError as bad:
        raise RefusedError(422, str(bad)) from bad
    story_dice = Dice(seed, order.marks, account.cp_id, account.account_code, "plan")
    plan = make_plan(chosen, story_dice)
    world.kinds.update(plan.kinds)
    # By reference, not by order: the same order booked twice gets two waybills.
    dice = Dice(seed, order.reference, account.cp_id, account.account_code)
    return world.book.receive(order, account, plan, dice, now, zlib.crc32(body))


def _account(order: Order) -> Account:
    if order.cp_id not in CP_IDS:
        raise RefusedError(302, f"Invalid courier partner id {order.cp_id}")
    account = find_account(order.cp_id, order.account_code)
    if account is None:
        raise RefusedError(351, f"No account {order.account_code} for courier partner {order.cp_id}")
    if not account.active:
        raise RefusedError(353, f"Account {order.account_code} is not active")
    return account


def _count_post(booking: Booking, order: Order, body: bytes) -> None:
    booking.posts += 1
    booking.posts_that_differed += zlib.crc32(body) != booking.body_digest
    asked_of = (order.cp_id, order.account_code)
    booking.posts_to_other_couriers += asked_of != (booking.account.cp_id, booking.account.account_code)


def _story(world: World, request: Request, booking: Booking, now: float, *, first: bool, asked: bool = False) -> Reply:
    """How things stand, to a create call heard for the `first` time, to a repeat, or to a status call (`asked`)."""
    stage = booking.stage(now)
    match stage:
        case Stage.WORKING | Stage.NEVER:
            if booking.plan.outcome is Kind.AWB_FOLLOWS:
                return wire.placed_without_awb(booking)
            # A repeat is told 102, as is the old style's documented way; the first call may hear 202.
            return wire.working(booking, _accepted_code(booking) if first else 102)
        case Stage.FAILED:
            return wire.failed(booking)
        case Stage.BOOKED:
            code = booking.plan.done_code if first or asked else 323
            return wire.placed(booking, code, _label_url(world, request, booking, now), world.options.username)
        case Stage.TURNED_AWAY:
            raise AssertionError("an order is taken in before its story is told")
        case _:
            assert_never(stage)


def _fault_answer(world: World, fault: Fault, true_body: bytes) -> Answer:
    """`true_body` is what should have been said: half an answer is half of that."""
    match fault:
        case Fault.CODE_319:
            # ClickPost's own first try got through, its second is refused: the courier's words alone tell.
            return wire.envelope(319, "{'error': 'duplicate: reference already exists'}", result=None)
        case Fault.CODE_322:
            return wire.envelope(322, "Courier server error 503", result=None)
        case Fault.CODE_329:
            return wire.envelope(329, "Courier API timed out", result=None)
        case Fault.CODE_500:
            return wire.envelope(500, "Internal server error", http=500, result=None)
        case Fault.HTML_502:
            return wire.html(502, wire.BAD_GATEWAY_HTML)
        case Fault.RESET:
            return Reset()
        case Fault.HALF:
            return Half(true_body)
        case Fault.HANG:
            return Reset(wait=HANG_SECONDS)
        case Fault.BUSY:
            return busy(world)
        case _:
            assert_never(fault)


def busy(world: World) -> Reply:
    # The header is read by the client's clock, so it is in real seconds.
    seconds = max(REAL_RETRY_AFTER_SECONDS_MIN, round(RETRY_AFTER_SECONDS / world.clock.speed))
    reply = wire.envelope(429, "Too many requests", http=429, result=None)
    return Reply(reply.body, status=429, headers=(("retry-after", str(seconds)),))


def _accepted_code(booking: Booking) -> int:
    return 202 if booking.order.style is Style.MPS else booking.plan.accepted_code


def _label_url(world: World, request: Request, booking: Booking, now: float) -> str | None:
    if not booking.has_label(now):
        return None
    return link_url(request, world.book.link(booking, now, fresh=False).token)


def link_url(request: Request, token: str) -> str:
    """On the host that was asked, by the name it was asked under."""
    return f"http://{request.host}/labels/{token}.pdf"
