"""Who hears of which change."""

import asyncio

from bilty.store.database import CHANGED_CHANNEL, DUE_CHANNEL
from bilty.web import Changes


async def test_each_hears_of_its_own() -> None:
    changes = Changes()
    with changes.watch(1) as one, changes.watch(2) as two, changes.watch() as everyone:
        changes.heard(CHANGED_CHANNEL, "1,3")
        assert await one.next_change(60) == frozenset({1})
        assert await everyone.next_change(60) == frozenset({1, 3})
        assert await two.next_change(0) is None


async def test_what_comes_between_two_waits_is_not_lost() -> None:
    changes = Changes()
    with changes.watch() as watch:
        changes.heard(CHANGED_CHANNEL, "1")
        changes.heard(CHANGED_CHANNEL, "2")
        assert await watch.next_change(0) == frozenset({1, 2})
        assert await watch.next_change(0) is None


async def test_blank_means_all_and_stays_so() -> None:
    changes = Changes()
    with changes.watch(7) as watch:
        changes.heard(CHANGED_CHANNEL, "7")
        changes.heard(CHANGED_CHANNEL, "")
        changes.heard(CHANGED_CHANNEL, "7")
        assert await watch.next_change(0) == frozenset()


async def test_other_channels_wake_nobody() -> None:
    changes = Changes()
    with changes.watch() as watch:
        changes.heard(DUE_CHANNEL, "")
        assert await watch.next_change(0) is None


async def test_closing_wakes_everybody() -> None:
    changes = Changes()
    with changes.watch(1) as one, changes.watch() as everyone:
        waiting = [asyncio.create_task(each.next_change(60)) for each in (one, everyone)]
        changes.close()
        assert await asyncio.gather(*waiting) == [frozenset(), frozenset()]
        assert changes.closed


async def test_nothing_is_kept_of_those_who_left() -> None:
    changes = Changes()
    with changes.watch(1), changes.watch(1):
        pass
    with changes.watch(1) as watch:
        changes.heard(CHANGED_CHANNEL, "1")
        assert await watch.next_change(0) == frozenset({1})
