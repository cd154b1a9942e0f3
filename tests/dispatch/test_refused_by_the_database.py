"""What must not be, the database itself refuses, whatever a program believes."""

import asyncpg
import pytest

from bilty.aggregator.scripted import P1, never
from bilty.turn import TRAITS, Kind, State
from dispatch.bench import Bench, shipment

COPY_OF_A_TURN = """
    INSERT INTO turns (shipment_id, provider_id, version, run, priority, cp_id, account_code, courier_name,
                       reference, state)
    SELECT shipment_id, provider_id, version, run, 3, 999, 'x', 'x', 'ANOTHER', $1 FROM turns WHERE priority = 1"""


@pytest.mark.parametrize("state", [s for s in State if TRAITS[s][0] is Kind.OPEN])
async def test_two_open_turns(bench: Bench, state: State) -> None:
    bench.aggregator.plan(P1, never())
    await bench.schedule(shipment("S1"))
    await bench.work()
    with pytest.raises(asyncpg.UniqueViolationError, match="turns_one_open"):
        await bench.pool.execute(COPY_OF_A_TURN, state)


@pytest.mark.parametrize("state", [s for s in State if TRAITS[s][0] is Kind.HOLDS])
async def test_two_winners(bench: Bench, state: State) -> None:
    await bench.schedule(shipment("S1"))
    await bench.work()
    with pytest.raises(asyncpg.UniqueViolationError, match="turns_one_holder"):
        await bench.pool.execute(COPY_OF_A_TURN, state)


async def test_a_box_numbered_twice(bench: Bench) -> None:
    await bench.schedule(shipment("S1"))
    with pytest.raises(asyncpg.UniqueViolationError):
        await bench.pool.execute(
            "INSERT INTO boxes (shipment_id, version, number, reference) SELECT shipment_id, version, 1, 'x' FROM boxes"
        )


async def test_one_reference_for_two_turns(bench: Bench) -> None:
    await bench.schedule(shipment("S1"))
    with pytest.raises(asyncpg.UniqueViolationError, match="reference"):
        await bench.pool.execute(
            """INSERT INTO turns (shipment_id, provider_id, version, run, priority, reference, state)
               SELECT shipment_id, provider_id, version, 2, 0, reference, 'refused' FROM turns"""
        )


async def test_a_number_twice_in_a_facility(bench: Bench) -> None:
    await bench.schedule(shipment("S1"))
    with pytest.raises(asyncpg.UniqueViolationError):
        await bench.pool.execute(
            """INSERT INTO shipments (facility_id, provider_id, number, order_number, consignee, city, box_count,
                                      weight_g, value, status, courier_id)
               SELECT facility_id, provider_id, number, 'other', 'x', 'x', 1, 1, 1, 'created', courier_id
                     FROM shipments"""
        )
