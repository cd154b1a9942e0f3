"""Box stickers and packing slips of the courier's own: links that came with an AWB, and what was fetched from them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bilty.reply import OwnPaper, PaperKind
from bilty.store.database import Connection


@dataclass(frozen=True, slots=True)
class CourierPaper:
    """`sha256` is blank until it was fetched; `provider` is the shipping provider that booked it."""

    id: int
    turn_id: int
    kind: PaperKind
    url: str
    sha256: str
    provider: str


async def keep_links(connection: Connection, told: Sequence[tuple[int, OwnPaper]]) -> None:
    """By turn. Said again: as it was."""
    if told:
        await connection.executemany(
            "INSERT INTO courier_papers (turn_id, kind, url) VALUES ($1, $2, $3) ON CONFLICT (turn_id, url) DO NOTHING",
            [(turn_id, each.kind, each.url) for turn_id, each in told],
        )


async def of_turns(connection: Connection, turn_ids: Sequence[int]) -> dict[int, tuple[CourierPaper, ...]]:
    """By turn, those that have any, in the order in which ClickPost named them."""
    rows = await connection.fetch(
        """SELECT c.id, c.turn_id, c.kind, c.url, c.sha256, q.code AS provider
             FROM courier_papers c JOIN turns t ON t.id = c.turn_id JOIN shipments s ON s.id = t.shipment_id
             JOIN shipping_providers q ON q.id = s.provider_id
            WHERE c.turn_id = ANY($1) ORDER BY c.id""",
        list(turn_ids),
    )
    found: dict[int, tuple[CourierPaper, ...]] = {}
    for row in rows:
        paper = CourierPaper(
            row["id"], row["turn_id"], PaperKind(row["kind"]), row["url"], row["sha256"], row["provider"]
        )
        found[paper.turn_id] = (*found.get(paper.turn_id, ()), paper)
    return found


async def fetched(connection: Connection, paper_id: int, sha256: str) -> None:
    """It is in the store, under this hash."""
    await connection.execute("UPDATE courier_papers SET sha256 = $2 WHERE id = $1", paper_id, sha256)
