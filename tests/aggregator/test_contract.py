"""What every aggregator does, the scripted one and ClickPost over the sandbox alike, in each of ClickPost's styles."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Literal, Protocol, TypeAlias

import pytest
from msgspec.structs import replace
from pypdf import PdfReader

from aggregator.samples import FACILITY, NOW, SHIPMENT, booking
from bilty.aggregator import Aggregator, AtRest, Booking, EwaybillTold, Listed, Pdf, PickupBooked
from bilty.aggregator.clickpost import ClickPost, CreateStyle, Endpoints
from bilty.aggregator.scripted import FOR_EVER, Scripted, accepted, label, refused, unclear
from bilty.children import match_children
from bilty.outgoing.http import Http
from bilty.reply import Accepted, Cancelled, Label, NotYet, PickedUp, Ranking, Refusal, Refused, Unclear, Unknown
from bilty.shipment import Shipment
from bilty.shipping_provider import Connector
from bilty_sandbox import Kind, ManualClock, Options, Policy, Rule, Sandbox, serve

Story: TypeAlias = Literal["label", "accepted", "refused", "refused later", "booked unheard", "unheard"]
WAIT_S = 300.0
NOWHERE = replace(SHIPMENT, consignee=replace(SHIPMENT.consignee, pincode="744301"))
STORIES: dict[Story, Kind] = {
    "label": Kind.AT_ONCE,
    "accepted": Kind.ASYNC,
    "refused": Kind.REFUSE_319,
    "refused later": Kind.FAIL_LATER,
    "booked unheard": Kind.BOOKED_RESET,
    "unheard": Kind.UNBOOKED_RESET,
}


class World(Protocol):
    """An aggregator, and the strings behind it."""

    @property
    def aggregator(self) -> Aggregator: ...

    def tell(self, story: Story) -> None:
        """What becomes of everything that is asked from now on."""

    def wait(self) -> None:
        """Until whatever was in the works is done."""

    def serve_nobody(self) -> None:
        """No courier goes to NOWHERE."""

    def pick_up(self, awb: str) -> None: ...

    def lock_out(self) -> None:
        """Our credentials are no good any more."""

    @property
    def booked(self) -> int: ...


class ScriptedWorld:
    def __init__(self) -> None:
        self.aggregator = self.scripted = Scripted()

    def tell(self, story: Story) -> None:
        plan = {
            "label": label(),
            "accepted": accepted(FOR_EVER),
            "refused": refused(),
            "refused later": accepted(FOR_EVER, Refused(Refusal.COURIER, code=420, message="no docket left")),
            "booked unheard": unclear(booked=True),
            "unheard": unclear(booked=False),
        }[story]
        for courier in self.scripted.couriers:
            self.scripted.plan(courier, plan)

    def wait(self) -> None:
        for booked in self.scripted.bookings.values():
            booked.not_yets = 0

    def serve_nobody(self) -> None:
        self.scripted.couriers = ()

    def pick_up(self, awb: str) -> None:
        booked = self.scripted.find(awb)
        assert booked is not None
        booked.picked_up = True

    def lock_out(self) -> None:
        no = Refused(Refusal.ACCOUNT, code=301, message="no such account")
        for call in ("rank", "ask", "inquire", "accounts", "tell_ewaybill", "ask_pickup"):
            self.scripted.say(call, no)

    @property
    def booked(self) -> int:
        return len(self.scripted.bookings)


class SandboxWorld:
    def __init__(self, sandbox: Sandbox, clock: ManualClock, style: CreateStyle, http: Http) -> None:
        self._sandbox, self._clock, self._http = sandbox, clock, http
        self._endpoints = Endpoints(sandbox.url, create_style=style, allow_private_addresses=True)
        self.aggregator: Aggregator = self._account(sandbox.key)

    def _account(self, key: str) -> ClickPost:
        return ClickPost(Connector(self._sandbox.username, key), self._endpoints, self._http)

    def tell(self, story: Story) -> None:
        self._sandbox.world.policy = Policy(enabled=False, rules=(Rule(kinds=(STORIES[story],)),))

    def wait(self) -> None:
        self._clock.advance(WAIT_S)

    def serve_nobody(self) -> None:
        pass

    def pick_up(self, awb: str) -> None:
        booked = self._sandbox.book.find_by_awb(awb, self._clock.now())
        assert booked is not None
        booked.picked_up_by_hand_at = self._clock.now()

    def lock_out(self) -> None:
        self.aggregator = self._account("b1171e00-0000-4000-8000-000000000000")

    @property
    def booked(self) -> int:
        return sum(
            one.taken_in_at is not None and one.plan.books_after is not None for one in self._sandbox.book.bookings()
        )


@asynccontextmanager
async def sandbox_world(style: CreateStyle) -> AsyncIterator[World]:
    clock = ManualClock()
    async with serve(Options(policy=Policy.none()), clock) as sandbox, Http() as http:
        yield SandboxWorld(sandbox, clock, style, http)


@pytest.fixture(params=["scripted", *CreateStyle])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "scripted":
        yield ScriptedWorld()
        return
    async with sandbox_world(CreateStyle(request.param)) as with_sandbox:
        yield with_sandbox


async def first_courier(world: World, shipment: Shipment = SHIPMENT) -> Booking:
    """A booking that is ready to be asked for, with P1."""
    ranking = (await world.aggregator.rank(booking(shipment))).reply
    assert isinstance(ranking, Ranking)
    return booking(shipment, courier=ranking.couriers[0])


def with_label(asked: Booking, heard: Label) -> Booking:
    assert asked.courier is not None
    return booking(asked.shipment, courier=asked.courier, awb=heard.awb, label_url=heard.label_url)


async def booked(world: World) -> Booking:
    asked = await first_courier(world)
    heard = (await world.aggregator.ask(asked)).reply
    assert isinstance(heard, Label)
    return with_label(asked, heard)


async def test_couriers_are_ranked_best_first(world: World) -> None:
    ranking = (await world.aggregator.rank(booking())).reply
    assert isinstance(ranking, Ranking)
    assert len(ranking.couriers) >= 3
    assert all(courier.account_code and courier.name for courier in ranking.couriers)
    again = (await world.aggregator.rank(booking())).reply
    assert again == ranking


async def test_a_lane_that_nobody_serves_has_an_empty_ranking(world: World) -> None:
    world.serve_nobody()
    ranking = (await world.aggregator.rank(booking(NOWHERE))).reply
    assert isinstance(ranking, Ranking)
    assert ranking.couriers == ()


async def test_a_label_at_once(world: World) -> None:
    world.tell("label")
    asked = await first_courier(world)
    heard = (await world.aggregator.ask(asked)).reply
    assert isinstance(heard, Label)
    assert world.booked == 1
    inquired = (await world.aggregator.inquire(asked)).reply
    assert isinstance(inquired, Label)
    assert (inquired.awb, frozenset(inquired.children)) == (heard.awb, frozenset(heard.children))


async def test_every_box_gets_its_own_waybill(world: World) -> None:
    world.tell("label")
    heard = (await world.aggregator.ask(await first_courier(world))).reply
    assert isinstance(heard, Label)
    matched = match_children(SHIPMENT, heard.children, heard.awb)
    assert (matched.warning, matched.documents) == ("", ())
    assert [number for number, _ in matched.by_box] == [1, 2, 3]
    assert len({awb for _, awb in matched.by_box}) == 3


async def test_a_label_that_is_waited_for(world: World) -> None:
    world.tell("accepted")
    asked = await first_courier(world)
    assert isinstance((await world.aggregator.ask(asked)).reply, Accepted)
    assert isinstance((await world.aggregator.inquire(asked)).reply, NotYet)
    assert isinstance((await world.aggregator.ask(asked)).reply, Accepted)
    world.wait()
    heard = (await world.aggregator.inquire(asked)).reply
    assert isinstance(heard, Label)
    repeated = (await world.aggregator.ask(asked)).reply
    assert isinstance(repeated, Label)
    assert repeated.awb == heard.awb


async def test_asking_again_under_a_reference_books_nothing_again(world: World) -> None:
    world.tell("label")
    asked = await first_courier(world)
    awbs = set()
    for _ in range(3):
        heard = (await world.aggregator.ask(asked)).reply
        assert isinstance(heard, Label)
        awbs.add(heard.awb)
    assert (len(awbs), world.booked) == (1, 1)


async def test_a_courier_that_refuses(world: World) -> None:
    world.tell("refused")
    heard = (await world.aggregator.ask(await first_courier(world))).reply
    assert isinstance(heard, Refused)
    assert heard.refusal is Refusal.COURIER
    assert heard.message
    assert world.booked == 0


async def test_a_courier_that_refuses_later(world: World) -> None:
    world.tell("refused later")
    asked = await first_courier(world)
    assert isinstance((await world.aggregator.ask(asked)).reply, Accepted)
    world.wait()
    heard = (await world.aggregator.inquire(asked)).reply
    assert isinstance(heard, Refused)
    assert heard.refusal is Refusal.COURIER


async def test_booked_though_nobody_heard(world: World) -> None:
    world.tell("booked unheard")
    asked = await first_courier(world)
    heard = (await world.aggregator.ask(asked)).reply
    assert isinstance(heard, Unclear)
    assert heard.silent
    found = (await world.aggregator.inquire(asked)).reply
    assert isinstance(found, Label)
    assert world.booked == 1


async def test_not_booked_and_nobody_heard(world: World) -> None:
    world.tell("unheard")
    asked = await first_courier(world)
    assert isinstance((await world.aggregator.ask(asked)).reply, Unclear)
    assert isinstance((await world.aggregator.inquire(asked)).reply, Unknown)


async def test_inquiring_about_what_was_never_asked_books_nothing(world: World) -> None:
    asked = await first_courier(world)
    assert isinstance((await world.aggregator.inquire(asked)).reply, Unknown)
    assert world.booked == 0


async def test_the_label_is_a_pdf(world: World) -> None:
    world.tell("label")
    found = await booked(world)
    for one in (found, dataclasses.replace(found, label_url="")):
        heard = (await world.aggregator.fetch_label(one)).reply
        assert isinstance(heard, Pdf)
        assert PdfReader(BytesIO(heard.content)).pages


async def test_cancelling_twice_is_cancelled_twice(world: World) -> None:
    world.tell("label")
    found = await booked(world)
    assert isinstance((await world.aggregator.track(found)).reply, AtRest)
    for _ in range(2):
        assert isinstance((await world.aggregator.cancel(found)).reply, Cancelled)
    assert isinstance((await world.aggregator.track(found)).reply, AtRest)


async def test_what_was_picked_up_is_told_and_brought_back_by_a_cancel(world: World) -> None:
    world.tell("label")
    found = await booked(world)
    world.pick_up(found.awb)
    assert isinstance((await world.aggregator.track(found)).reply, PickedUp)
    for _ in range(2):
        assert isinstance((await world.aggregator.cancel(found)).reply, Cancelled)
    assert isinstance((await world.aggregator.track(found)).reply, PickedUp)


async def test_a_waybill_of_nobodys_is_not_at_rest_and_not_cancelled(world: World) -> None:
    asked = await first_courier(world)
    assert asked.courier is not None
    nobodys = booking(courier=asked.courier, awb="NOBODYS1")
    assert isinstance((await world.aggregator.track(nobodys)).reply, Unknown)
    assert isinstance((await world.aggregator.cancel(nobodys)).reply, Unknown | Refused)
    assert isinstance((await world.aggregator.fetch_label(nobodys)).reply, Refused)


async def test_an_ewaybill_may_be_told_twice_and_of_nobodys_waybill_not_at_all(world: World) -> None:
    world.tell("label")
    found = await booked(world)
    for _ in range(2):
        told = await world.aggregator.tell_ewaybill(found, SHIPMENT.invoices[0])
        assert isinstance(told.reply, EwaybillTold)
    nobodys = dataclasses.replace(found, awb="NOBODYS1")
    assert isinstance((await world.aggregator.tell_ewaybill(nobodys, SHIPMENT.invoices[0])).reply, Refused)


async def test_a_pickup_that_is_asked_for_twice_has_two_numbers(world: World) -> None:
    world.tell("label")
    found = await booked(world)
    replies = [(await world.aggregator.ask_pickup(found, NOW)).reply for _ in range(2)]
    numbers = {reply.confirmation for reply in replies if isinstance(reply, PickupBooked)}
    assert len(numbers - {""}) == 2


async def test_accounts_are_listed(world: World) -> None:
    heard = (await world.aggregator.accounts()).reply
    assert isinstance(heard, Listed)
    assert heard.couriers


async def test_a_wrong_key_is_refused_as_such_by_every_call(world: World) -> None:
    asked = await first_courier(world)
    world.lock_out()
    for said in (
        await world.aggregator.rank(asked),
        await world.aggregator.ask(asked),
        await world.aggregator.inquire(asked),
        await world.aggregator.accounts(),
        await world.aggregator.tell_ewaybill(asked, SHIPMENT.invoices[0]),
        await world.aggregator.ask_pickup(asked, NOW),
    ):
        assert isinstance(said.reply, Refused)
        assert said.reply.refusal is Refusal.ACCOUNT
    assert world.booked == 0


async def test_a_saved_location_is_enough(world: World) -> None:
    saved = replace(FACILITY, location_code="WH-7")
    courier = (await first_courier(world)).courier
    assert courier is not None
    assert isinstance((await world.aggregator.ask(booking(facility=saved, courier=courier))).reply, Label)
