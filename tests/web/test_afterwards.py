"""What was said to ClickPost after the AWB, as people and order systems see it."""

from bilty.aggregator.scripted import P1
from bilty.reply import Ranking
from bilty.store.afterwards import STEPS, Kind, State
from web.house import House

PICKUP_AT = "2026-11-23T13:10:00Z"
WARNING = "Delhivery was not told e-way bill 181000609282 of invoice INV-1."


async def ready(house: House) -> tuple[int, int]:
    """A shipment whose label is here, and the turn that brought it."""
    shipment_id = await house.takes_in(schedule=True)
    await house.hears(Ranking((P1,)))
    await house.labels("AWB-1")
    turn_id = await house.tools.pool.fetchval("SELECT id FROM turns WHERE state = 'won'")
    return shipment_id, turn_id


async def note(house: House, shipment_id: int, turn_id: int, kind: Kind, state: State, **told: str) -> None:
    await house.tools.pool.execute(
        """INSERT INTO afterwards (shipment_id, turn_id, kind, state, owed_at, pickup_at, confirmation, warning)
           VALUES ($1, $2, $3, $4, clock_timestamp(), $5::text::timestamptz, $6, $7)
           ON CONFLICT (turn_id, kind, invoice) DO UPDATE
              SET state = $4, pickup_at = $5::text::timestamptz, confirmation = $6, warning = $7""",
        shipment_id,
        turn_id,
        kind,
        state,
        told.get("pickup_at"),
        told.get("confirmation", ""),
        told.get("warning", ""),
    )


async def test_a_new_pickup_is_told_by_the_api_and_on_the_page(furnished: House) -> None:
    shipment_id, turn_id = await ready(furnished)
    assert (await furnished.call("GET", f"/shipments/{shipment_id}")).json()["pickup"] is None
    await note(furnished, shipment_id, turn_id, Kind.PICKUP, State.DONE, pickup_at=PICKUP_AT, confirmation="77")
    told = (await furnished.call("GET", f"/shipments/{shipment_id}")).json()
    assert told["pickup"] == {"at": PICKUP_AT, "confirmation": "77"}
    await furnished.sign_in()
    page = await furnished.page(f"/shipments/{shipment_id}")
    assert "New pickup asked for: 23 Nov 2026, 18:40, number 77." in page


async def test_what_a_person_must_see_to_is_a_warning_while_that_courier_has_the_shipment(furnished: House) -> None:
    shipment_id, turn_id = await ready(furnished)
    await note(furnished, shipment_id, turn_id, Kind.EWAYBILL, State.REFUSED, warning=WARNING)
    told = (await furnished.call("GET", f"/shipments/{shipment_id}")).json()
    assert told["warnings"][-1] == WARNING
    await furnished.tools.pool.execute("UPDATE turns SET state = 'surplus' WHERE id = $1", turn_id)
    told = (await furnished.call("GET", f"/shipments/{shipment_id}")).json()
    assert WARNING not in told["warnings"]


async def test_what_was_said_stands_with_the_turn_in_words(furnished: House) -> None:
    shipment_id, turn_id = await ready(furnished)
    for step in STEPS.values():
        await furnished.tools.pool.execute(
            """INSERT INTO exchanges (turn_id, at, step, request, status, answer, duration_ms)
               VALUES ($1, clock_timestamp(), $2, 'POST /', 200, '{}', 7)""",
            turn_id,
            step,
        )
    await furnished.sign_in()
    page = await furnished.page(f"/shipments/{shipment_id}/turns/{turn_id}/exchanges")
    assert "Told the e-way bill" in page
    assert "Asked for a new pickup" in page


async def test_its_line_of_the_timeline_is_the_sentence_that_was_kept(furnished: House) -> None:
    shipment_id, _ = await ready(furnished)
    await furnished.tools.pool.execute(
        "INSERT INTO timeline (shipment_id, at, state, message) VALUES ($1, clock_timestamp(), 'ewaybill_refused', $2)",
        shipment_id,
        WARNING,
    )
    told = (await furnished.call("GET", f"/shipments/{shipment_id}/timeline")).json()["items"][-1]
    assert (told["state"], told["told"]) == ("ewaybill_refused", WARNING)
    await furnished.sign_in()
    assert WARNING in await furnished.page(f"/shipments/{shipment_id}")
