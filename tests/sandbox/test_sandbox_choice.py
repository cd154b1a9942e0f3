"""Who decides what befalls a booking: a marker, a rule or chance; and that chance repeats."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from sandbox_caller import B2B, MPS, b2b_order, calling, mps_order

from bilty_sandbox import DEMO_KEY, DEMO_USERNAME, Family, Kind, ManualClock, Options, Policy, Rule
from bilty_sandbox.app import respond
from bilty_sandbox.couriers import ACCOUNTS, ranking
from bilty_sandbox.dice import Dice
from bilty_sandbox.kinds import FAMILIES, FAMILY_OF
from bilty_sandbox.mischief import Asked, BadMarkerError, choose
from bilty_sandbox.plan import FAILURES, make_plan
from bilty_sandbox.server import Request
from bilty_sandbox.world import World


def asked(reference: str = "R-1", *, remarks: str = "", **others: Any) -> Asked:
    about: dict[str, Any] = {"marks": reference, "cp_id": 129, "account_code": "Bluedart-Surface", "priority": 1}
    return Asked(reference=reference, remarks=remarks, **about | others)


@pytest.mark.parametrize(
    ("remarks", "priority", "kinds"),
    [
        ("[sandbox: p1=async p2=refuse_319]", 1, {Kind.ASYNC}),
        ("Bazaar Retail [sandbox: p1=async p2=refuse_319]", 2, {Kind.REFUSE_319}),
        ("[sandbox: p1=never all=late]", 3, {Kind.LATE}),
        ("[sandbox: p1=never all=late]", None, {Kind.LATE}),
        ("[sandbox: p1=async+children_reversed]", 1, {Kind.ASYNC, Kind.CHILDREN_REVERSED}),
        ("[sandbox: p1=child_extra]", 1, {Kind.AT_ONCE, Kind.CHILD_EXTRA}),
        ("[sandbox: p2=never]", 1, {Kind.AT_ONCE}),
    ],
)
def test_a_marker_in_the_order_decides_before_rules_and_dice(
    remarks: str, priority: int | None, kinds: set[Kind]
) -> None:
    policy = Policy(rules=(Rule((Kind.BOOKED_RESET,)),))
    assert set(choose(policy, 1, asked(remarks=remarks, priority=priority)).kinds) == kinds


@pytest.mark.parametrize("remarks", ["[sandbox: p1=explode]", "[sandbox: async]", "[sandbox: p0=async]"])
def test_a_marker_that_says_nothing_known_is_refused(remarks: str) -> None:
    with pytest.raises(BadMarkerError):
        choose(Policy(), 1, asked(remarks=remarks))


async def test_a_marker_works_from_the_consignee_the_purchase_order_and_the_box() -> None:
    box = "shipment_info__box_info__0__"
    async with calling() as caller:
        for nth, (place, text) in enumerate(
            (
                ("drop_info__name", "Manager [sandbox: all=refuse_319]"),
                ("drop_info__organisation", "[sandbox: all=refuse_319]"),
                (f"{box}description", "Shirts [sandbox: all=refuse_319]"),
                ("shipment_info__purchase_order_info__0__number", "[sandbox: all=refuse_319]"),
            )
        ):
            changed: dict[str, object] = {place: text} | {f"{box}purchase_order_info": []}
            assert (await caller.post(B2B, b2b_order(f"ORDER{nth}-P1", boxes=1, changed=changed))).code == 319
        assert (await caller.post(B2B, b2b_order("BAD-P1", changed={"drop_info__name": "[sandbox: x]"}))).code == 422


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        (Rule((Kind.NEVER,)), True),
        (Rule((Kind.NEVER,), reference_prefix="R-"), True),
        (Rule((Kind.NEVER,), reference_prefix="S-"), False),
        (Rule((Kind.NEVER,), cp_id=129, account_code="Bluedart-Surface", priority=1), True),
        (Rule((Kind.NEVER,), cp_id=113), False),
        (Rule((Kind.NEVER,), account_code="Delhivery-B2B"), False),
        (Rule((Kind.NEVER,), priority=2), False),
    ],
)
def test_a_rule_fits_by_all_that_it_names(rule: Rule, fits: bool) -> None:
    chosen = choose(Policy(enabled=False, rules=(rule,)), 1, asked())
    assert chosen.kinds == ((Kind.NEVER,) if fits else (Kind.AT_ONCE,))


def test_a_rule_about_the_host_decides_on_no_booking() -> None:
    policy = Policy(enabled=False, rules=(Rule((Kind.STATUS_404,)), Rule((Kind.LATE,))))
    assert choose(policy, 1, asked()).kinds == (Kind.LATE,)


async def test_a_rule_by_priority_goes_by_the_lanes_ranking() -> None:
    async with calling() as caller:
        seed = caller.sandbox.world.options.seed
        second = ranking(seed, "411013", "201301")[1]
        await caller.bare(
            "PUT", "/sandbox/mischief", b'{"enabled": false, "rules": [{"kinds": ["late"], "priority": 2}]}'
        )
        codes = {}
        for account in ranking(seed, "411013", "201301"):
            changed = {
                "shipment_info__courier_partner": account.cp_id,
                "shipment_info__account_code": account.account_code,
            }
            heard = await caller.post(B2B, b2b_order(f"ORDER001-{account.account_id}", changed=changed))
            codes[account.account_code] = heard.code
    assert [account for account, code in codes.items() if code == 102] == [second.account_code]


async def test_mischief_is_put_whole_and_a_wrong_word_is_named() -> None:
    async with calling() as caller:
        wrong = await caller.bare("PUT", "/sandbox/mischief", b'{"rules": [{"kinds": ["explode"]}]}')
        right = await caller.bare("PUT", "/sandbox/mischief", b'{"off": ["never"], "weights": {"late": 50}}')
        shown = await caller.bare("GET", "/sandbox/mischief")
    assert wrong.status == 400
    assert "explode" in wrong.json["error"]
    assert right.json == shown.json
    assert (shown.json["enabled"], shown.json["off"], shown.json["weights"]) == (True, ["never"], {"late": 50})


# Chance


def story(policy: Policy, seed: int, orders: int = 3000) -> list[tuple[Kind, ...]]:
    return [choose(policy, seed, asked(f"R{n}-1")).kinds for n in range(orders)]


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    assert story(Policy(), 7, 200) == story(Policy(), 7, 200)
    assert story(Policy(), 7, 200) != story(Policy(), 8, 200)


@pytest.mark.parametrize(("path", "make_order"), [(B2B, b2b_order), (MPS, mps_order)])
def test_an_orders_story_does_not_depend_on_the_clients_own_part_of_the_reference(path: str, make_order: Any) -> None:
    told = []
    for tail in ("AAAA", "BBBB"):
        world = World(Options(policy=Policy(), seed=5), ManualClock())
        query = {"username": DEMO_USERNAME, "key": DEMO_KEY}
        for nth in range(50):
            body = msgspec.json.encode(make_order(f"N{nth}-{tail}"))
            respond(world, Request("POST", path, query, body, "sandbox.test"))
        told.append([booking.plan for booking in world.book.bookings()])
    assert told[0] == told[1]
    assert len({plan.outcome for plan in told[0]}) > 5


def test_left_to_itself_every_kind_with_a_weight_occurs_and_most_orders_get_an_awb() -> None:
    told = story(Policy(), 1)
    happened = Counter(kind for kinds in told for kind in kinds)
    of_bookings = {kind for family, weights in FAMILIES.items() if family is not Family.HOST for kind in weights}
    weighted = {kind for kind in of_bookings if Policy().weight(kind)}
    assert set(happened) == weighted
    refused = sum(any(kind in FAILURES or kind is Kind.NEVER for kind in kinds) for kinds in told)
    assert 0.10 < refused / len(told) < 0.35


@pytest.mark.parametrize("kind", [kind for kind in Kind if FAMILY_OF[kind] is not Family.HOST])
def test_each_kind_has_its_off_switch(kind: Kind) -> None:
    assert all(kind not in kinds for kinds in story(Policy(off=(kind,)), 1, 600))


def test_with_mischief_off_all_is_well() -> None:
    assert set(story(Policy(enabled=False), 1, 100)) == {(Kind.AT_ONCE,)}
    plan = make_plan(choose(Policy(enabled=False), 1, asked()), Dice(1))
    assert (plan.books_after, plan.label_after, plan.fault, plan.done_code) == (0.0, 0.0, None, 200)


def test_some_orders_are_refused_by_every_courier() -> None:
    doomed = 0
    for n in range(500):
        kinds = [
            choose(Policy(), 1, asked(f"R{n}-1", cp_id=account.cp_id, account_code=account.account_code)).kinds
            for account in ACCOUNTS
        ]
        doomed += all(any(kind.startswith("refuse_") for kind in each) for each in kinds)
    assert 5 < doomed < 50


def test_policies_survive_being_written_down() -> None:
    policy = Policy(rules=(Rule((Kind.LATE, Kind.CHILD_EXTRA), cp_id=113, times=3),), off=(Kind.SLOW,))
    assert msgspec.json.decode(msgspec.json.encode(policy), type=Policy) == policy
