"""PDFs of many labels that were made for a person, of which some are void by now."""

from bilty.store.database import Connection
from bilty.store.prints import GOOD
from bilty.store.turn_rows import GOOD_LABEL


async def void_in(connection: Connection, job_id: int) -> list[str]:
    """The numbers of shipments whose label in this job's PDF is no longer theirs, in the PDF's order."""
    rows = await connection.fetch(
        f"""SELECT s.number FROM prints p JOIN turns t ON t.id = p.turn_id JOIN shipments s ON s.id = p.shipment_id
              JOIN job_items i ON i.job_id = p.job_id AND i.shipment_id = p.shipment_id
            WHERE p.job_id = $1 AND p.at IS NOT NULL AND NOT ({GOOD}) ORDER BY i.position""",  # noqa: S608 - constant
        job_id,
        GOOD_LABEL,
    )
    return [row["number"] for row in rows]
