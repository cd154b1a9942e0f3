"""Names, numbers and addresses as long as they may be: what a page must hold without breaking."""

from bilty.shipment import Facility, Party
from bilty.shipping_provider import Kind, ShippingProvider
from bilty.store import access, providers
from bilty.store.access import Role, Scope
from browser.morning import Morning
from web.house import SHIPMENT, Document

NAME = "Chief Stores and Receiving Superintendent, Inward Goods Section, Second Floor"
ORGANISATION = "Thiruvananthapuram Sree Padmanabhaswamy Wholesale Consumers Co-operative Stores and Society Pvt Ltd"
ADDRESS = (
    "Survey No. 1047/2-B(Part), Old No. 18, New No. 36, Kazhakoottam Industrial Development Plot, Behind Government "
    "Higher Secondary School, Opposite Chandrasekharan Nair Memorial Hall"
)
NUMBERS = tuple(f"SO-12{n:03}-2026-27-EXPORT-DIVS/1" for n in range(4))
PLACE = {"city": "Thiruvananthapuram", "state": "Kerala", "pincode": "695001"}
FACILITY = Facility(
    "THIRUVANANTHAPURAM-KAZHAKOOTTAM-PHASE-II",
    Party(name=NAME, organisation=ORGANISATION, phone="9876543210", address=ADDRESS, gstin="29AAGCB7383J1Z4", **PLACE),
    location_code="TVM-KAZHAKOOTTAM-INDUSTRIAL-DEVELOPMENT-PLOT-2-B",
)
PROVIDER = ShippingProvider(
    "clickpost-b2b-southern-region-surface-2", Kind.CLICKPOST_B2B, f"ClickPost, {ORGANISATION}"[:100]
)
BOXES = [{**SHIPMENT["boxes"][0], "count": 300}, SHIPMENT["boxes"][1]]
EMAIL = "subrahmanyan.chandrasekharan.thiruvananthapuram@wholesale-consumers-co-operative.example.com"


async def furnish(morning: Morning) -> None:
    """A facility, a shipping provider, a person and two API keys, one over, none with a short name."""
    async with morning.panel.state.pool.acquire() as connection, connection.transaction():
        await providers.put_facility(connection, FACILITY)
        await providers.put_provider(connection, PROVIDER)
        await access.add_user(connection, EMAIL, Role.VIEWER, morning.now)
        await access.add_key(connection, ORGANISATION[:80], Scope.DISPATCH)
        places = await connection.fetch("SELECT id FROM facilities ORDER BY length(code) DESC LIMIT 3")
        await access.add_key(
            connection, f"{NAME} until then"[:80], Scope.ADMIN, frozenset(row["id"] for row in places), morning.now
        )


def shipment(number: str) -> Document:
    """What differs from the web tests' own."""
    return {
        "number": number,
        "order_number": "PURCHASE-ORDER/THIRUVANANTHAPURAM/2026-27/00010488",
        "facility": FACILITY.code,
        "consignee": {"name": NAME, "organisation": ORGANISATION, "address": ADDRESS, "phone": "9876543210", **PLACE},
        "boxes": BOXES[:1],
    }
