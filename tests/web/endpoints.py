"""What tests of hand-off endpoints need: one that is set up, events that happened, and calls that came to something."""

import base64
from datetime import datetime, timedelta

from bilty.reply import Label, Paper
from bilty.store.hand_off.signing import SEALED, secrets_of
from web.house import PDF, RANKED, Document, House

URL = "https://oms.example.com/bilty"
ALL = [
    "shipment.label_requested",
    "shipment.label_ready",
    "shipment.courier_changed",
    "shipment.changed",
    "shipment.dispatched",
    "shipment.needs_attention",
    "shipment.failed",
    "shipment.cancelled",
]
PATH = "/hand-off-endpoints"


def given_secret(seed: int) -> str:
    return "whsec_" + base64.b64encode(bytes([seed] * 24)).decode()


async def put(house: House, code: str = "oms", **changed: object) -> Document:
    answer = await house.call("PUT", f"{PATH}/{code}", {"url": URL, "events": ALL, **changed})
    assert answer.status_code in {200, 201}, answer.text
    document: Document = answer.json()
    return document


async def signs(house: House, code: str = "oms", *, later: timedelta = timedelta(0)) -> tuple[str, ...]:
    """The secrets that sign, now or later."""
    row = await house.tools.pool.fetchrow(f"SELECT {SEALED} FROM endpoints WHERE code = $1", code)
    assert row is not None
    return secrets_of(house.tools.vault, dict(row), await house.now() + later)


async def labelled(house: House, number: str = "SO-1001", awb: str = "AWB77", **changed: object) -> int:
    """A shipment whose label is there: it was told that it is."""
    shipment_id = await house.takes_in(number=number, schedule=True, **changed)
    sha256 = await house.tools.labels.put(PDF)
    await house.hears(RANKED, Label(awb), Paper(sha256, 1))
    return shipment_id


async def came_of(
    house: House, state: str, *, status: int | None = None, why: str = "", tries: int = 1, at: datetime | None = None
) -> None:
    """Every delivery that waits came to this, as the deliverer writes it."""
    now = at or await house.now()
    await house.tools.pool.execute(
        """UPDATE deliveries SET state = $1, status = $2, why = $3, tries = $4, first_at = $5, last_at = $5
            WHERE state = 'waiting'""",
        state,
        status,
        why,
        tries,
        now,
    )
    due_at = now + timedelta(minutes=5) if state == "waiting" else None
    await house.tools.pool.execute("UPDATE lanes SET due_at = $1 WHERE due_at IS NOT NULL", due_at)


async def disabled(house: House, code: str = "oms", why: str = "nothing was received for 3 days") -> None:
    """As Bilty does it after long failure."""
    await house.tools.pool.execute(
        """UPDATE endpoints SET failing_since = now() - interval '3 days', disabled_at = now(), disabled_why = $2
            WHERE code = $1""",
        code,
        why,
    )
