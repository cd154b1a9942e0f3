"""The reference page and the small promises of HTTP around the API."""

from html import unescape

import pytest

from bilty.store.access import Role
from bilty.web.describe import OPERATIONS
from bilty.web.describe.common import parameters_of
from bilty.web.describe.events import EVENTS
from web.house import House
from web.page import check_page


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/shipments", "GET, OPTIONS, POST"),
        ("/facilities/BLR-1", "GET, OPTIONS, PUT"),
        ("/hand-off-endpoints/oms", "DELETE, GET, OPTIONS, PUT"),
        ("/key", "GET, OPTIONS"),
    ],
)
async def test_options_names_every_method(house: House, path: str, methods: str) -> None:
    answer = await house.api.options(f"/api/v1{path}")
    assert (answer.status_code, answer.headers["allow"]) == (204, methods)
    answer = await house.call("TRACE", path)
    assert answer.status_code == 405
    assert sorted(answer.headers["allow"].split(", ")) == methods.split(", ")


async def test_the_reference_shows_every_operation_to_anybody(house: House) -> None:
    answer = await house.api.get("/api/v1/reference")
    assert answer.status_code == 200
    check_page(answer)
    assert "<script" not in answer.text
    for operation in OPERATIONS:
        assert f'id="{operation.id}"' in answer.text
        assert f'href="#{operation.id}"' in answer.text
        for parameter in parameters_of(operation):
            assert f">{parameter.name}</th>" in answer.text


async def test_it_tells_field_by_field_what_is_sent_and_answered(house: House) -> None:
    page = (await house.api.get("/api/v1/reference")).text.replace("<wbr>", "")
    assert ">consignee.pincode</th><td>text</td>" in page
    assert ">boxes[].length_cm</th><td>whole number, 1 to 600</td>" in page
    assert ">payment.mode</th><td>prepaid or cod</td>" in page
    assert 'href="#shape-ShipmentAnswer"' in page
    assert 'id="shape-ShipmentAnswer"' in page
    assert "number_taken" in page


async def test_it_shows_every_event_and_links_to_it(house: House) -> None:
    page = (await house.api.get("/api/v1/reference")).text
    assert 'href="#events"' in page
    assert 'id="events"' in page
    for event in EVENTS:
        assert f'id="{event.id}"' in page
        assert f'href="#{event.id}"' in page
        assert f'<span class="code">{event.kind}</span>' in page
        assert event.example.data.event in page
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert f">{name}</th>" in page
    assert 'id="shape-EventMessage"' in page


async def test_the_request_shown_for_a_booking_lifts_no_hold(house: House) -> None:
    """A body that may be left out is shown beside the request, by its name."""
    page = unescape((await house.api.get("/api/v1/reference")).text)
    section = page.partition('<h3 id="scheduleShipment">')[2].partition("</section>")[0]
    request, _, more = section.partition("</pre>")
    assert "curl -X POST" in request
    assert "--data" not in request
    assert "though an e-way bill is missing" in more
    assert '"run": 2' in more


async def test_the_page_of_keys_leads_to_it(furnished: House) -> None:
    await furnished.sign_in(role=Role.ADMIN)
    assert 'href="/api/v1/reference"' in await furnished.page("/settings/api-keys")
