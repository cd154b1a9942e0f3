"""Box stickers and packing slips as they are handed out: on the page, by the API, and by the link in an event."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pypdf

from bilty.oms import deliverer
from bilty.oms.sending import Sent
from bilty.reply import Cancelled, Child, Label, Paper
from bilty.store.access import Scope
from web.house import CONNECTOR, PDF, RANKED, House

ADDRESS = "https://bilty.example.com"
CHILDREN = tuple(Child(f"7540911200{number}", f"SO-1001-{number}") for number in (3, 1, 2))


def heads(pdf: bytes) -> list[str]:
    return [page.extract_text().strip().splitlines()[0] for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


async def labelled(house: House, *, packslip: bool) -> int:
    connector = {**CONNECTOR, "packslip_required": packslip}
    assert (await house.call("PUT", "/shipping-providers/clickpost-b2b/connector", connector)).status_code == 200
    shipment_id = await house.takes_in(schedule=True)
    sha256 = await house.tools.labels.put(PDF)
    await house.hears(RANKED, Label("AWB77", children=CHILDREN), Paper(sha256, 3))
    return shipment_id


@dataclass
class Receiver:
    shipments: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, _url: str, _secrets: Sequence[str], _event: str, _at: datetime, body: bytes) -> Sent:
        self.shipments.append(msgspec.json.decode(body)["data"]["shipment"])
        return Sent(204, "", None, 1)


async def told(house: House) -> dict[str, Any]:
    """What an order system hears of the label."""
    receiver = Receiver()
    tools = deliverer.Tools(house.tools.pool, house.tools.vault, receiver, ADDRESS, timedelta(days=7))
    now = (house.at or await house.now()) + timedelta(hours=1)
    while await deliverer.deliver_due(tools, now):
        pass
    (shipment,) = receiver.shipments
    return shipment


async def wants_labels(house: House) -> None:
    wanted = {"url": "https://oms.example.com/bilty", "events": ["shipment.label_ready"]}
    assert (await house.call("PUT", "/hand-off-endpoints/oms", wanted)).status_code == 201


async def test_with_packslip_required_they_are_handed_off_with_the_label(furnished: House) -> None:
    await wants_labels(furnished)
    shipment_id = await labelled(furnished, packslip=True)
    document = (await furnished.call("GET", f"/shipments/{shipment_id}", scope=Scope.READ)).json()
    assert document["papers_url"] == f"{furnished.url}/api/v1/shipments/{shipment_id}/papers.pdf"
    by_key = await furnished.call("GET", f"/shipments/{shipment_id}/papers.pdf", scope=Scope.READ)
    assert by_key.headers["content-disposition"] == 'inline; filename="SO-1001-papers.pdf"'
    assert heads(by_key.content) == ["1 of 3", "2 of 3", "3 of 3", "Packing slip"]
    link = (await told(furnished))["papers_url"].removeprefix(ADDRESS)
    assert link.startswith("/papers/")
    assert heads((await furnished.api.get(link)).content) == ["1 of 3", "2 of 3", "3 of 3", "Packing slip"]


async def test_each_sticker_has_the_number_of_its_own_box(furnished: House) -> None:
    shipment_id = await labelled(furnished, packslip=False)
    pdf = (await furnished.call("GET", f"/shipments/{shipment_id}/papers.pdf")).content
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    for number, page in enumerate(pages[:3], start=1):
        assert [n for n in (1, 2, 3) if f"7540911200{n}" in page] == [number]


async def test_without_it_they_are_made_only_when_they_are_asked_for(furnished: House) -> None:
    await wants_labels(furnished)
    shipment_id = await labelled(furnished, packslip=False)
    assert (await furnished.call("GET", f"/shipments/{shipment_id}")).json()["papers_url"] is None
    assert (await told(furnished))["papers_url"] is None
    await furnished.sign_in()
    assert "Box stickers and packing slips" in await furnished.page(f"/shipments/{shipment_id}")
    shown = await furnished.browser.get(f"/shipments/{shipment_id}/papers.pdf")
    assert heads(shown.content)[0] == "1 of 3"


async def test_they_are_good_for_as_long_as_the_label(furnished: House) -> None:
    await wants_labels(furnished)
    shipment_id = await labelled(furnished, packslip=True)
    link = (await told(furnished))["papers_url"].removeprefix(ADDRESS)
    await furnished.call("POST", f"/shipments/{shipment_id}/cancellation")
    await furnished.hears(Cancelled())
    gone = await furnished.api.get(link)
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:bilty:problem:label_replaced")
    answer = await furnished.call("GET", f"/shipments/{shipment_id}/papers.pdf")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:bilty:problem:no_label")
