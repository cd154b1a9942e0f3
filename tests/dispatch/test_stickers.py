"""What stickers say: a thousand shipments of five boxes, whose waybills come shuffled, one too many or one short."""

import random
from collections import Counter
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from msgspec.structs import replace

from bilty.aggregator.clickpost import ClickPost, Endpoints
from bilty.concerns import Concern, concerns
from bilty.outgoing.http import Http
from bilty.shipping_provider import Connector
from bilty.store import papers, providers
from bilty.store.database import Pool
from bilty_sandbox import Kind, ManualClock, Options, Policy, Rule, serve
from bilty_sandbox.book import Booking
from dispatch.bench import MINUTE, Bench, make_bench, shipment

SHIPMENTS, BOXES = 1_000, 5


class Sent(StrEnum):
    """What the courier sends of five waybills."""

    ALL = "all"
    AND_ONE_OF_PAPERS = "and one of papers"
    AND_ANOTHER_OF_A_BOX = "and another of a box"
    ONE_SHORT = "one short"


def disturb(booking: Booking, sent: Sent, dice: random.Random) -> dict[int, str]:
    """Each box's own waybill, as the courier knows it; those that it sends are shuffled."""
    own = {child.box: child.awb for child in booking.children if child.box}
    children = list(booking.children)
    if sent is Sent.AND_ONE_OF_PAPERS:
        children.append(replace(children[0], awb=f"{booking.awb}9", box=0, reference="", description="Documents"))
    if sent is Sent.AND_ANOTHER_OF_A_BOX:
        children.append(replace(dice.choice(children), awb=f"{booking.awb}9"))
    if sent is Sent.ONE_SHORT:
        children.remove(dice.choice(children))
    dice.shuffle(children)
    booking.children = tuple(children)
    return own


async def test_no_sticker_has_another_boxs_number(pool: Pool, tmp_path: Path) -> None:
    dice, clock = random.Random(7), ManualClock()
    options = Options(policy=Policy(enabled=False, rules=(Rule((Kind.ASYNC,)),)))
    numbers = {f"S{number}": dice.choice(tuple(Sent)) for number in range(SHIPMENTS)}
    async with serve(options, clock) as sandbox, Http() as http:
        account = Connector(sandbox.username, sandbox.key)
        aggregator = ClickPost(account, Endpoints(base_url=sandbox.url, allow_private_addresses=True), http)
        bench = await make_bench(pool, tmp_path, aggregator=aggregator)
        async with pool.acquire() as connection:
            await providers.put_connector(connection, bench.vault, "clickpost-b2b", account)
        await bench.schedule(*(shipment(number, boxes=BOXES) for number in numbers))
        await bench.work()
        own = {}
        for booking in sandbox.book.bookings():
            number = booking.reference.rpartition("-")[0]
            own[number] = disturb(booking, numbers[number], dice)
        end = bench.now + timedelta(minutes=8)
        while bench.now < end:
            clock.advance(60)
            await bench.until(bench.now + MINUTE)
    await look_at(bench, numbers, own)


async def look_at(bench: Bench, numbers: dict[str, Sent], own: dict[str, dict[int, str]]) -> None:
    """No sticker is wrong; one whose box is not sure has our own number, and its shipment waits for a person."""
    wrong, said = 0, Counter[tuple[Sent, int, bool]]()
    async with bench.pool.acquire() as connection:
        found = await papers.sources(connection, list(bench.ids.values()))
    for number, sent in numbers.items():
        source = found[bench.ids[number]]
        stickers, listed = papers.stickers(source), concerns(source.seen.progress)
        wrong += sum(each.is_awb and each.code != own[number][each.number] for each in stickers)
        wrong += sum(not each.is_awb and each.code != f"{number}-{each.number}" for each in stickers)
        said[sent, sum(each.is_awb for each in stickers), Concern.MISCOUNTED in dict(listed)] += 1
    assert wrong == 0
    assert set(said) == {
        (Sent.ALL, BOXES, False),
        (Sent.AND_ONE_OF_PAPERS, BOXES, False),
        (Sent.AND_ANOTHER_OF_A_BOX, BOXES - 1, True),
        (Sent.ONE_SHORT, BOXES - 1, True),
    }
