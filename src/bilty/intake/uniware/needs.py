"""What a facility never sends without: looked for in a shipment, whoever put it right."""

from collections.abc import Mapping

from bilty.intake.uniware.customs import label
from bilty.intake.uniware.defaults import Defaults, Need
from bilty.shipment import DATA_MISSING, Shipment
from bilty.words import listed

WORDS: Mapping[Need, str] = {
    Need.GSTIN: f"the consignee's GSTIN ({label('gstin')})",
    Need.PURCHASE_ORDER: f"the purchase order ({label('purchase_order')})",
    Need.GST_SPLIT: "the invoice's value before taxes and its taxes "
    f"({label('taxable_value')}, cgst and sgst, or igst)",
}


def hold_of(lacking: list[str], remedy: str = "") -> str:
    """The hold that these words make, blank where there are none. Nobody's word lifts it, only the data."""
    if not lacking:
        return ""
    return f"{DATA_MISSING}{listed(lacking)}. Give it in Uniware and ask for the waybill again{remedy}."


def still_held(shipment: Shipment, defaults: Defaults) -> str:
    """Why a shipment that was held for want of data is held still; blank where all of it is there."""
    taxed = all(
        each.taxable_value is not None and not (each.igst is None and each.cgst is None) for each in shipment.invoices
    )
    is_there = {
        Need.GSTIN: bool(shipment.consignee.gstin),
        Need.PURCHASE_ORDER: bool(shipment.purchase_orders),
        Need.GST_SPLIT: taxed,
    }
    return hold_of([WORDS[need] for need in Need if need in defaults.needs and not is_there[need]])
