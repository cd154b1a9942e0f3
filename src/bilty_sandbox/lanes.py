"""The recommendation call and the list of accounts: which couriers there are, and who comes first on a lane."""

import msgspec

from bilty_sandbox import wire
from bilty_sandbox.couriers import ACCOUNTS, Account, preferences, serviceable
from bilty_sandbox.order import RefusedError, check_pin, check_texts, decode_fault, require
from bilty_sandbox.server import Answer, Request
from bilty_sandbox.wire import Json
from bilty_sandbox.world import World

LANES_MAX = 100


class Lane(msgspec.Struct):
    reference_number: str
    item: str
    pickup_pincode: str
    drop_pincode: str
    order_type: str
    delivery_type: str
    invoice_value: float


_DECODER = msgspec.json.Decoder(list[Lane])


def recommend(world: World, request: Request) -> Answer:
    """A PIN that nobody serves is no error here: 200, `success`, and an empty result."""
    try:
        lanes = _read(request.body)
    except RefusedError as refused:
        return wire.envelope(refused.code, refused.message, result=None)
    served = [lane for lane in lanes if serviceable(lane.drop_pincode)]
    for lane in served:
        world.book.pickup_pins[lane.drop_pincode] = lane.pickup_pincode
    if not served:
        return wire.envelope(200, "Pin code not serviceable", result=[])
    return wire.envelope(200, "SUCCESS", result=[_recommendation(world, lane) for lane in served])


def _read(body: bytes) -> list[Lane]:
    try:
        lanes = _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise decode_fault(error) from error
    require(0 < len(lanes) <= LANES_MAX, 400, f"1 to {LANES_MAX} entries")
    for lane in lanes:
        check_texts(314, "recommendation", reference_number=lane.reference_number, item=lane.item)
        check_pin(lane.pickup_pincode, "pickup_pincode")
        check_pin(lane.drop_pincode, "drop_pincode")
        require(lane.order_type in {"PREPAID", "COD"}, 307, "order_type must be PREPAID or COD")
        require(lane.delivery_type in {"FORWARD", "RVP"}, 309, "delivery_type must be FORWARD or RVP")
    return lanes


def _recommendation(world: World, lane: Lane) -> Json:
    listed = preferences(world.options.seed, lane.pickup_pincode, lane.drop_pincode)
    return {
        "reference_number": lane.reference_number,
        "pincode_serviceable": True,
        "request_details": {},
        "form_tax_details": [],
        "preference_array": [_preference(priority, account) for priority, account in listed],
        "filters_ran": {},
    }


def _preference(priority: int, account: Account) -> Json:
    return {
        "priority": priority,
        "cp_id": account.cp_id,
        "cp_name": account.courier,
        "courier_name": "",
        "account_code": account.account_code,
        "account_id": account.account_id,
        "async": account.is_async,
        "shipping_charge": None,
        "scores_computation": {},
    }


def accounts(world: World, request: Request) -> Answer:
    del world
    only_active = request.query.get("active", "").lower() == "true"
    listed: list[Json] = [
        {
            "courier_partner_id": account.cp_id,
            "courier_name": account.courier,
            "account_code": account.account_code,
            "account_active": account.active,
        }
        for account in ACCOUNTS
        if account.active or not only_active
    ]
    return wire.envelope(200, "SUCCESS", result={"accounts": listed})
