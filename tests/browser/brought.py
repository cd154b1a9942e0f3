"""Files that somebody has brought in, as far as each may be on its way."""

from pathlib import Path

from bilty.jobs import work
from bilty.store import imports
from bilty.store.access import Role
from bilty.store.audit import Actor, ActorKind
from bilty.store.labels import Shelf
from browser.morning import Morning
from browser.panel import EMAILS
from process.town import EXAMPLES
from web.orders import order, written

BY = Actor(ActorKind.USER, EMAILS[Role.DISPATCHER])


async def files(morning: Morning, folder: Path) -> None:
    """One with a fault, one whose columns nobody knows, one taken in, one that differs, and one not yet read."""
    await brings(morning, EXAMPLES / "orders.xlsx")
    strange = written(order("SO-12001"), names={"weight_g": "Heavy", "facility": "From", "boxes": "Pkts"})
    await brings(morning, _file(folder, "Dispatch register, November.csv", strange))
    taken = await brings(morning, _file(folder, "evening.csv", written(order("SO-12001"), order("SO-12002"))))
    async with morning.panel.state.pool.acquire() as connection, connection.transaction():
        assert not await imports.take_in(connection, taken, BY, schedule=False)
    await _works(morning, taken)
    changed = written(order("SO-12001", consignee_city="Nashik", weight_g="9000"), order("SO-12002"))
    await brings(morning, _file(folder, "evening, corrected.csv", changed))
    await brings(morning, _file(folder, "late.csv", written(order("SO-12003"))), read=False)


async def brings(morning: Morning, path: Path, *, read: bool = True) -> int:
    """The import's id; it is checked, or waits for a person."""
    state = morning.panel.state
    sha256 = await state.labels.put_file(path, Shelf.IMPORTS)
    form = path.suffix.removeprefix(".")
    async with state.pool.acquire() as connection, connection.transaction():
        import_id = await imports.create(connection, path.name, sha256, form, 0, BY, None)
    if read:
        await _works(morning, import_id)
    return import_id


async def _works(morning: Morning, import_id: int) -> None:
    async with morning.panel.state.pool.acquire() as connection:
        found = await imports.import_of(connection, import_id)
    assert found is not None, "it was brought"
    assert found.job_id is not None, "it was begun"
    await work(morning.job_tools, found.job_id, lambda: False)


def _file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
