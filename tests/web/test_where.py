"""Where a page leads back to: one of ours, whatever its address or a form says."""

import pytest

from bilty.web.where import ADDRESS_CHARS_MAX, back_of
from web.house import House

ELSEWHERE = (
    "",
    "//evil.example/x",
    "/\\evil.example/x",
    "/\t/evil.example/x",
    "/\n/evil.example",
    "\t//evil.example",
    "\\/evil.example",
    "https://evil.example/shipments",
    "javascript:alert(1)",
    "evil.example/shipments",
    "shipments",
    "/shipments/..//evil.example",
    "/shipments\t",
    "/shipments\x7f",
    "/shipments /1",
    "/shipments\u2028",
    "/shipmentsx",
    "/sign-out",
    "/static/bilty.css",
    "/api/v1/shipments",
    "/",
    "/shipments?find=" + "x" * ADDRESS_CHARS_MAX,
)
OURS = ("/shipments", "/shipments/7?label=all#label", "/attention?kind=late&below=1-2", "/jobs", "/account", "/today")


@pytest.mark.parametrize("given", ELSEWHERE)
def test_what_is_no_page_of_ours_is_left(given: str) -> None:
    assert back_of(given, "/today") == "/today"


@pytest.mark.parametrize("given", OURS)
def test_a_page_of_ours_is_gone_back_to(given: str) -> None:
    assert back_of(given, "/settings") == given


@pytest.mark.parametrize("given", ["/\t/evil.example/x", "//evil.example/x", "/\\evil.example/x"])
async def test_no_page_and_no_form_leads_elsewhere(furnished: House, given: str) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in()
    asking = await furnished.browser.get(f"/shipments/{shipment_id}/acts/cancel", params={"back": given})
    assert asking.status_code == 200
    assert "evil.example" not in asking.text
    for path, fields in (
        (f"/shipments/{shipment_id}/acts/cancel", {}),
        ("/jobs", {"kind": "print"}),
        ("/shipments/row-height", {"height": "comfortable"}),
        ("/sign-in", {}),
    ):
        answer = await furnished.browser.post(
            path, params={"back": given}, data={**fields, "back": given, "to": given}, headers={"Origin": furnished.url}
        )
        assert answer.status_code in {303, 422}
        assert "evil.example" not in answer.text + answer.headers.get("location", "")
