"""Order systems that were told, as the deliverer would leave them behind: well, failing, disabled, of any length."""

from datetime import timedelta

from bilty.hand_off import EventKind
from bilty.intake.endpoints import NewEndpoint
from bilty.store.audit import COMMAND
from bilty.store.hand_off import endpoints
from browser import longest
from browser.morning import Morning

OMS, ERP = "oms", "erp"
CLOSED = "http://127.0.0.1:9/hand-off"
"""Nobody listens there."""
FULL = "The receiver answered 507: Insufficient Storage: no space left on device /var/lib/oms."
LONG_URL = "https://hand-off.wholesale-consumers-co-operative.example.com/" + "thiruvananthapuram/" * 12 + "?door=7"
LONG_CODE = longest.FACILITY.code[:40]


async def order_system(
    morning: Morning,
    code: str = OMS,
    url: str = "https://oms.example.com/bilty",
    *,
    kinds: tuple[EventKind, ...] = tuple(EventKind),
    facilities: tuple[str, ...] | None = None,
) -> None:
    """From now on it is told."""
    state = morning.panel.state
    async with state.pool.acquire() as connection, connection.transaction():
        given = NewEndpoint(code, url, tuple(map(str, kinds)), facilities, enabled=True)
        await endpoints.put(connection, state.vault, given, COMMAND)


async def receives(morning: Morning, code: str = OMS, *, all_but: int = 0) -> None:
    """What it is owed, it has, but for the last."""
    pool = morning.panel.state.pool
    await pool.execute(
        """UPDATE deliveries d SET state = 'delivered', status = 200, tries = 1, first_at = e.at + interval '90 ms',
                  last_at = e.at + interval '90 ms'
             FROM events e, endpoints p WHERE e.id = d.event_id AND p.id = d.endpoint_id AND p.code = $1
              AND d.id NOT IN (SELECT id FROM deliveries WHERE endpoint_id = p.id ORDER BY id DESC LIMIT $2)""",
        code,
        all_but,
    )
    await pool.execute(
        """UPDATE lanes l SET due_at = NULL WHERE NOT EXISTS (
               SELECT FROM deliveries d WHERE d.endpoint_id = l.endpoint_id AND d.shipment_id = l.shipment_id
                  AND d.state = 'waiting')"""
    )


async def fails(morning: Morning, code: str, why: str = FULL, *, hours: float = 1.5, disabled: bool = False) -> None:
    """Whatever it is sent; `disabled`: for so long that Bilty no longer tells it anything."""
    pool, began = morning.panel.state.pool, morning.now - timedelta(hours=hours)
    await pool.execute(
        """UPDATE endpoints SET failing_since = $2, disabled_at = CASE WHEN $3 THEN $4::timestamptz END,
                  disabled_why = CASE WHEN $3 THEN $5 ELSE '' END WHERE code = $1""",
        code,
        began,
        disabled,
        morning.now,
        f"For 3 days nothing was received. {why}",
    )
    await pool.execute(
        """UPDATE deliveries d SET status = 507, why = $2, tries = 6, first_at = $3, last_at = $4 FROM endpoints p
            WHERE p.id = d.endpoint_id AND p.code = $1 AND d.state = 'waiting' AND d.id IN (
                SELECT min(id) FROM deliveries WHERE state = 'waiting' GROUP BY endpoint_id, shipment_id)""",
        code,
        why,
        began,
        morning.now - timedelta(minutes=4),
    )
    await pool.execute(
        """UPDATE lanes l SET due_at = $2 FROM endpoints p
            WHERE p.id = l.endpoint_id AND p.code = $1 AND l.due_at IS NOT NULL""",
        code,
        morning.now + timedelta(minutes=26),
    )


async def many(morning: Morning) -> None:
    """A house with an order system a region, one of which is named at length."""
    await order_system(morning, LONG_CODE, LONG_URL, facilities=(longest.FACILITY.code,))
    for nth in range(1, 9):
        kinds = tuple(EventKind)[: nth % 5 + 1]
        await order_system(morning, f"region-{nth}", f"https://region-{nth}.example.com/", kinds=kinds)
