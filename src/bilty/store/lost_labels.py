"""Labels that the store no longer has, or no longer as they were: they are fetched again."""

from datetime import datetime

from bilty.deciding.lost_label import label_lost
from bilty.store.database import Connection
from bilty.store.progress import changing


async def fetch_again(connection: Connection, shipment_id: int, sha256: str, now: datetime) -> bool:
    """Whether it will be: not of boxes that are on their way, nor a label that is not the shipment's any more.

    The caller holds a transaction. Said twice, the second changes nothing.
    """
    async with changing(connection, [shipment_id], now) as courses:
        course = courses.get(shipment_id)
        if course is None:
            return False
        course.after = label_lost(course.before, sha256, now)
        return course.after != course.before
