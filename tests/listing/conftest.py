import random
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from bilty.store.database import Connection, Pool
from bilty.workflow import Status
from listing.shelf import BEGAN, Article, Shelf

COURIERS = ("", "Blue Dart", "DTDC", "Gati")
NAMES = ("Sahyadri Distributors", "sahyadri Traders", "Malnad Traders", "ÉTOILE Agencies", "Om Traders")


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        yield connection


@pytest.fixture
async def full(connection: Connection) -> Shelf:
    """120 shipments of four days: a bit of everything, and much that is equal."""
    draw = random.Random(20)
    shelf = Shelf()
    await shelf.put(
        connection,
        *(
            Article(
                number=f"{draw.choice(('SO', 'so', 'X/'))}-{draw.randrange(100)}-{n}",
                facility=draw.choice(("BLR-1", "BLR-1", "PNQ-2", "DEL-3")),
                provider=draw.choice(("clickpost-b2b", "clickpost-b2b", "other")),
                courier=draw.choice(COURIERS),
                status=draw.choice([*Status, Status.LABEL_READY]),
                printed=draw.random() < 0.5,
                consignee=draw.choice(NAMES),
                order_number=f"PO-{n // 3}",
                boxes=draw.randrange(1, 5),
                weight_g=draw.randrange(1, 4) * 500,
                value=Decimal(draw.randrange(1, 9)),
                created_at=BEGAN + timedelta(minutes=48 * n),
                codes=(f"SO-REF{n}", f"AWB{n:04}"),
            )
            for n in range(120)
        ),
    )
    return shelf
