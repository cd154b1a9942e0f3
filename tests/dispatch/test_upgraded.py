"""What an older program left behind moves by the rules of this one, after the migration."""

import importlib.resources
from datetime import UTC, datetime, timedelta

from bilty.aggregator.scripted import P1, P2, P3, label, never
from bilty.deciding import Cancel
from bilty.store.amending import Amending
from bilty.turn import State
from bilty.workflow import Status
from dispatch.bench import MINUTE, NOON, Bench, shipment
from dispatch.test_versions import change
from dispatch.test_versions_begin import act

MIGRATION = importlib.resources.files("bilty.store") / "migrations" / "0015_upgraded.sql"


async def upgrade(bench: Bench) -> None:
    await bench.pool.execute(MIGRATION.read_text())


async def test_a_late_label_that_waited_for_ever_is_cancelled_in_its_time(bench: Bench) -> None:
    for courier in (P1, P2, P3):
        bench.aggregator.plan(courier, never(), label())
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 60 * MINUTE)
    old = await bench.turn("S1", 1)
    await bench.pool.execute("UPDATE shipments SET failed_told = true")
    bench.aggregator.bookings[old.reference].not_yets = 0
    await bench.until(NOON + 75 * MINUTE)
    await bench.pool.execute("UPDATE turns SET due_at = NULL WHERE state = 'offered'")
    await upgrade(bench)
    late = await bench.turn("S1", 1)
    assert (late.state, late.due_at is not None) == (State.OFFERED, True)
    bench.now = datetime.now(UTC) + timedelta(minutes=31)
    await bench.until(bench.now + 5 * MINUTE)
    assert (await bench.turn("S1", 1)).state is State.CANCELLED


async def test_what_a_person_typed_is_left_to_them(bench: Bench) -> None:
    bench.aggregator.plan(P1, never())
    await bench.schedule(shipment("S1"))
    await bench.work()
    await bench.pool.execute("UPDATE turns SET state = 'offered', entered = true, due_at = NULL WHERE priority = 1")
    await upgrade(bench)
    assert (await bench.turn("S1", 1)).due_at is None


async def test_what_stands_on_a_manifest_is_dispatched(bench: Bench) -> None:
    await bench.schedule(shipment("S1"), shipment("S2"))
    await bench.work()
    assert await act(bench, Cancel()) is None
    await bench.schedule(shipment("S3"), shipment("S4"))
    await bench.work()
    for number in ("S1", "S2", "S3"):
        await _manifested(bench, number)
    await upgrade(bench)
    shown = {number: await bench.status(number) for number in ("S1", "S2", "S3", "S4")}
    assert shown == {
        "S1": Status.CANCELLED,
        "S2": Status.DISPATCHED,
        "S3": Status.DISPATCHED,
        "S4": Status.LABEL_READY,
    }
    assert (await change(bench, shipment("S2", boxes=4))).outcome is Amending.DISPATCHED


async def _manifested(bench: Bench, number: str) -> None:
    """As the program before made a manifest, which dispatched nothing."""
    manifest = await bench.pool.fetchval(
        "INSERT INTO manifests (at, actor, content) VALUES ($1, 'x', '{}') RETURNING id", NOON
    )
    await bench.pool.execute(
        "INSERT INTO manifested (turn_id, manifest_id) SELECT id, $2 FROM turns WHERE shipment_id = $1 AND awb <> ''",
        bench.ids[number],
        manifest,
    )
