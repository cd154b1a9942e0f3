"""What other systems send and ClickPost's B2B payload has no place for. Refused by name: nobody must count on it."""

from bilty.intake.reader import Reader

FREIGHT_REASON = (
    "ClickPost's B2B payload cannot carry freight that the consignee pays; give prepaid or cod as the payment mode, "
    "and agree to-pay freight with the courier outside Bilty"
)
RISK_REASON = (
    "ClickPost's B2B payload cannot carry risk cover (ROV); leave it out, and agree the cover with the courier, "
    "whose contract with the ClickPost account decides it"
)
REVERSE_REASON = (
    "ClickPost's B2B payload cannot carry what a reverse pickup needs; leave it out for a forward shipment, "
    "and book the return in ClickPost's own dashboard"
)

NOT_CARRIED = {
    **dict.fromkeys(("freight", "freight_mode", "to_pay", "topay", "fod"), FREIGHT_REASON),
    **dict.fromkeys(("rov", "rov_insurance", "risk", "risk_type"), RISK_REASON),
    **dict.fromkeys(("delivery_type", "reverse", "reverse_pickup", "rvp"), REVERSE_REASON),
}
NAMES = frozenset(NOT_CARRIED)

HARMLESS = {"delivery_type": {"forward"}, "freight": {"paid", "prepaid"}, "freight_mode": {"paid", "prepaid"}}
"""Words that ask for what is done anyway. So do null, false and blank, under each of the names."""


def refuse_not_carried(reader: Reader) -> None:
    for name in reader.among(NAMES):
        given = reader.raw(name)
        word = given.strip().lower() if isinstance(given, str) else ""
        if reader.has(name) and given is not False and word not in HARMLESS.get(name, set()) | {"false", "no"}:
            reader.refuse(name, NOT_CARRIED[name])
