"""The tests can fail: each rule is broken on purpose in the source, and the scenarios or the walk must notice.

A mutation names the rule that it breaks. Where `walk` is set, the walk notices by itself, without any scenario: it
breaks one of the promises that hold in every scene. `pytest -rP tests/workflow/test_mutations.py` tells what noticed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import pytest

from workflow import test_specification
from workflow.machine import Machine, impatient, load, source
from workflow.walk import MOVE_PROMISES, SCENE_PROMISES, walk
from workflow.world import World

SCENES_MAX = 40_000


@dataclass(frozen=True, slots=True)
class Mutation:
    rule: str
    file: str
    old: str
    new: str
    walk: bool = False


MUTATIONS = [
    # 1. written before it is said
    Mutation(
        "1: a claim does not mark the turn",
        "hearing",
        "return replace(turn, state=State.UNCLEAR, asks=turn.asks + 1, unknowns=0, polls_done=0, asked_at=now)",
        "return turn",
        walk=True,
    ),
    Mutation(
        "1: two accounts of one carrier are asked under the same reference",
        "workflow",
        "version, run, *identity)",
        "version, run, *identity[:1])",
        walk=True,
    ),
    Mutation(
        "1: a new run reuses the references", "workflow", "version, run, *identity)", "version, *identity)", walk=True
    ),
    Mutation("1: a new version reuses the references", "workflow", "progress.version, run,", "run,"),
    Mutation(
        "1: two installations use the same references", "workflow", "map(str, (progress.installation, ", "map(str, ("
    ),
    Mutation("1: a reference is too long", "workflow", ".decode()[:HASH_CHARS]", ".decode()[:12]"),
    Mutation(
        "1: a reference has letters that ClickPost may refuse",
        "workflow",
        "c if c.isascii() and c.isalnum() else",
        "c if c.isalnum() else",
    ),
    # 2. unclear is not refused
    Mutation(
        "2: unclear falls over",
        "turn",
        "        Heard.NO_VERDICT: State.UNCLEAR,\n",
        "        Heard.NO_VERDICT: State.REFUSED,\n",
        walk=True,
    ),
    Mutation(
        "2: no verdict by the end of the window falls over",
        "turn",
        "Heard.LAST_NO_VERDICT: State.UNDECIDED,\n        Heard.SILENCE: State.UNCLEAR,",
        "Heard.LAST_NO_VERDICT: State.LAPSED,\n        Heard.SILENCE: State.UNCLEAR,",
        walk=True,
    ),
    Mutation("2: unknown once is enough", "hearing", "if turn.unknowns == 0:", "if turn.unknowns < 0:", walk=True),
    Mutation(
        "2: unknown twice is refused without asking again",
        "turn",
        "Heard.UNKNOWN_TWICE: State.ASKING",
        "Heard.UNKNOWN_TWICE: State.REFUSED",
    ),
    Mutation(
        "2: unknown is asked again for ever", "hearing", "if turn.asks <= 1 else Heard.UNKNOWN_AFTER_ALL", "", walk=True
    ),
    Mutation(
        "2: unclear is asked again, not about",
        "turn",
        "State.UNCLEAR: (Kind.OPEN, Step.INQUIRE)",
        "State.UNCLEAR: (Kind.OPEN, Step.ASK)",
        walk=True,
    ),
    Mutation(
        "2: the early inquiries come late",
        "hearing",
        "INQUIRY_GAPS = (0.25, 0.25, 0.5)",
        "INQUIRY_GAPS = (0.5, 0.5, 1)",
    ),
    Mutation(
        "2: the window of an unclear turn is short",
        "hearing",
        "len(INQUIRY_GAPS) + rules.polls_max - 1",
        "rules.polls_max",
    ),
    Mutation(
        "2: an accepted turn that is unknown is refused",
        "hearing",
        "if turn.state not in (State.UNCLEAR, State.UNDECIDED):",
        "if turn.state is State.LAPSED:",
    ),
    Mutation(
        "2: nothing sent unsays what was sent before",
        "hearing",
        "unsaid = step is Step.ASK and (turn.state is State.UNCLEAR or turn.asks <= 1)",
        "unsaid = step is Step.ASK",
    ),
    Mutation(
        "2: nothing sent is unclear",
        "hearing",
        "return Heard.NOTHING_SENT if unsaid else Heard.SILENCE",
        "return Heard.SILENCE",
    ),
    Mutation(
        "2: nothing sent to an inquiry unsays the asking",
        "hearing",
        "unsaid = step is Step.ASK and (turn.state is State.UNCLEAR or turn.asks <= 1)",
        "unsaid = turn.state is State.UNCLEAR",
    ),
    Mutation("2: the wait for a busy host does not grow", "hearing", "2 ** (turn.tries - 1)", "1"),
    Mutation(
        "2: Retry-After is not honoured",
        "hearing",
        "if due_at and isinstance(reply, Busy):",
        "if due_at is None and isinstance(reply, Busy):",
    ),
    # 3. only an answer counts as a poll
    Mutation(
        "3: silence counts as a poll",
        "hearing",
        "counted = not entered and not silent and turn.planned_due is None",
        "counted = not entered and turn.planned_due is None",
    ),
    Mutation(
        "3: silence while waiting is not yet",
        "hearing",
        "        return Heard.LAST_NO_VERDICT\n    return Heard.SILENCE\n",
        "        return Heard.LAST_NO_VERDICT\n    return _read_not_yet(turn, step, rules)\n",
        walk=True,
    ),
    Mutation(
        "3: poll now counts",
        "hearing",
        "counted = not entered and not silent and turn.planned_due is None",
        "counted = not entered and not silent",
    ),
    Mutation(
        "3: poll now may end the window",
        "hearing",
        "last = polls_max is not None and turn.planned_due is None and",
        "last = polls_max is not None and",
    ),
    Mutation(
        "3: poll now shifts the rhythm",
        "hearing",
        "return max(before.planned_due, now)",
        "return now + rules.poll_interval",
    ),
    Mutation(
        "3: poll now sends away the planned poll",
        "workflow",
        "return replace(turn, planned_due=turn.due_at, due_at=now)",
        "return replace(turn, due_at=now)",
    ),
    Mutation(
        "3: a late poll lengthens the window",
        "hearing",
        "beat = (before.due_at or now) + rules.poll_interval",
        "beat = now + rules.poll_interval",
    ),
    Mutation(
        "3: a desk that was down polls in a burst",
        "hearing",
        "return beat if beat > now else now + rules.poll_interval",
        "return beat",
    ),
    Mutation("3: one poll more", "hearing", "turn.polls_done + 1 >= polls_max", "turn.polls_done >= polls_max"),
    Mutation(
        "3: a no at a poll only lapses the turn",
        "turn",
        "Heard.LAST_NOT_YET: State.LAPSED,\n        Heard.REFUSED: State.REFUSED,",
        "Heard.LAST_NOT_YET: State.LAPSED,\n        Heard.REFUSED: State.LAPSED,",
    ),
    # 4. lapsed is not over
    Mutation(
        "4: a lapsed turn is over",
        "turn",
        "Heard.LAST_NOT_YET: State.LAPSED,",
        "Heard.LAST_NOT_YET: State.REFUSED,",
        walk=True,
    ),
    Mutation(
        "4: a lapsed turn is not watched",
        "hearing",
        "        return watch_due(turn, now, rules)\n",
        "        return None\n",
    ),
    Mutation(
        "4: a lapsed turn is asked, not inquired about",
        "turn",
        "State.LAPSED: (Kind.WATCHED, Step.INQUIRE)",
        "State.LAPSED: (Kind.WATCHED, Step.ASK)",
        walk=True,
    ),
    Mutation(
        "4: a lapsed turn is watched for a day only",
        "hearing",
        "if since < WATCH_DAILY else None",
        "if since < WATCH_OFTEN else None",
    ),
    Mutation(
        "4: a lapsed turn is watched for ever", "hearing", "if since < WATCH_DAILY else None", "if since else None"
    ),
    Mutation(
        "4: a late label wins though the run differs",
        "workflow",
        "current = turn.run == progress.run and",
        "current = ",
    ),
    Mutation(
        "4: a late label wins though the content differs", "workflow", "and turn.digest == progress.digest and", "and"
    ),
    Mutation("4: a late label wins though failed was told", "workflow", " and not progress.failed_told\n", "\n"),
    Mutation("4: a new run cannot win once failed was told", "workflow", "failed_told=False, turns=", "turns="),
    Mutation(
        "4: a late label does not win",
        "workflow",
        "return Heard.AWB if current else Heard.AWB_OFFERED",
        "return Heard.AWB_OFFERED",
    ),
    Mutation(
        "4: the open turn goes on beside the winner",
        "workflow",
        "        progress = _step_aside(progress, now, rules)\n",
        "        pass\n",
        walk=True,
    ),
    Mutation(
        "4: a turn that steps aside is forgotten",
        "workflow",
        "lapsed = _lapsed(turn, now)\n",
        "lapsed = replace(turn, state=State.WITHDRAWN)\n",
        walk=True,
    ),
    Mutation("4: what was never said is watched", "workflow", "said = turn.asks > 0", "said = True"),
    Mutation("4: what was said once is withdrawn", "workflow", "said = turn.asks > 0", "said = False"),
    Mutation(
        "4: an offered label stays on offer beside the winner",
        "workflow",
        "progress = _with(progress, replace(turn, state=State.SURPLUS, due_at=now))",
        "pass",
    ),
    Mutation(
        "4: an offered label is no reason to wait",
        "workflow",
        "(State.STOPPED, State.CONFLICT, State.OFFERED)",
        "(State.STOPPED, State.CONFLICT)",
    ),
    # 5. never cancelled blindly, never replaced
    Mutation(
        "5: there is a second holder",
        "workflow",
        "if progress.cancel_asked or progress.holder:\n        return Heard.AWB_SURPLUS",
        "if progress.cancel_asked:\n        return Heard.AWB_SURPLUS",
        walk=True,
    ),
    Mutation(
        "5: the newest label replaces the one that is there",
        "workflow",
        "    after = moved(turn, heard, reply, now, rules)\n",
        """\
    if heard is Heard.AWB_SURPLUS and progress.holder:
        heard = Heard.AWB
        progress = _with(progress, replace(progress.holder, state=State.SURPLUS, due_at=now))
    after = moved(turn, heard, reply, now, rules)
""",
        walk=True,
    ),
    Mutation(
        "5: surplus is not cancelled",
        "turn",
        "State.SURPLUS: (Kind.EXTRA, Step.CANCEL)",
        "State.SURPLUS: (Kind.EXTRA, None)",
        walk=True,
    ),
    Mutation(
        "5: an AWB that was heard of is forgotten",
        "hearing",
        "awb=reply.awb if isinstance(reply, Label) else turn.awb",
        "awb=turn.awb",
        walk=True,
    ),
    Mutation(
        "5: what is picked up is cancelled",
        "turn",
        "State.PICKED_UP: (Kind.EXTRA, None)",
        "State.PICKED_UP: (Kind.EXTRA, Step.CANCEL)",
    ),
    Mutation(
        "5: picked up is taken for cancelled",
        "turn",
        "Heard.PICKED_UP: State.PICKED_UP,",
        "Heard.PICKED_UP: State.CANCELLED,",
    ),
    Mutation(
        "5: the AWB of another turn is taken for surplus",
        "workflow",
        "any(reply.awb == other.awb for other in progress.turns if other.reference != turn.reference)",
        "False",
        walk=True,
    ),
    Mutation("5: the AWB of another shipment is taken", "workflow", "if foreign_awb or any(", "if any("),
    Mutation(
        "5: a conflict is no reason to wait",
        "workflow",
        "(State.STOPPED, State.CONFLICT, State.OFFERED)",
        "(State.STOPPED, State.OFFERED)",
        walk=True,
    ),
    Mutation(
        "5: a refused cancel is given up",
        "turn",
        "State.UNCANCELLED: (Kind.EXTRA, Step.CANCEL)",
        "State.UNCANCELLED: (Kind.EXTRA, None)",
    ),
    Mutation(
        "5: a refused cancel is not shown", "workflow", "    State.UNCANCELLED: Concern.UNCANCELLED,\n", "", walk=True
    ),
    Mutation(
        "5: silence is taken for cancelled",
        "turn",
        "State.SURPLUS: {**_CANCEL, Heard.SILENCE: State.SURPLUS}",
        "State.SURPLUS: {**_CANCEL, Heard.SILENCE: State.CANCELLED}",
        walk=True,
    ),
    # 6. an AWB without its label
    Mutation(
        "6: an AWB without its label falls over",
        "turn",
        "Heard.LAST_NOT_YET: State.UNLABELLED,\n        Heard.SILENCE: State.FETCHING",
        "Heard.LAST_NOT_YET: State.LAPSED,\n        Heard.SILENCE: State.FETCHING",
        walk=True,
    ),
    Mutation("6: the label is fetched late", "hearing", "LABEL_GAPS_S = (1, 5, 20)", "LABEL_GAPS_S = (20, 20, 20)"),
    Mutation(
        "6: a refused label ends the fetching",
        "hearing",
        "    if step is Step.FETCH_LABEL:\n        return _read_not_yet(turn, step, rules)\n",
        "",
    ),
    Mutation(
        "6: an unlabelled AWB is given up",
        "turn",
        "State.UNLABELLED: (Kind.HOLDS, Step.FETCH_LABEL)",
        "State.UNLABELLED: (Kind.HOLDS, None)",
    ),
    # 7. our own account
    Mutation(
        "7: the next courier is asked though our account is refused",
        "hearing",
        "stops = reply.refusal is Refusal.ACCOUNT or (",
        "stops = (",
    ),
    Mutation(
        "7: the setting for faulty data does nothing",
        "hearing",
        "(reply.refusal is Refusal.DATA and rules.stop_on_faulty_data)",
        "False",
    ),
    Mutation(
        "7: the setting stops on everything",
        "hearing",
        "(reply.refusal is Refusal.DATA and rules.stop_on_faulty_data)",
        "rules.stop_on_faulty_data",
    ),
    Mutation(
        "7: a stopped turn is no reason to wait",
        "workflow",
        "(State.STOPPED, State.CONFLICT, State.OFFERED)",
        "(State.CONFLICT, State.OFFERED)",
        walk=True,
    ),
    Mutation(
        "7: an inquiry that our account may not make refuses the booking",
        "hearing",
        "if step is not Step.ASK and reply.refusal is Refusal.ACCOUNT:",
        "if False:",
        walk=True,
    ),
    # 8, 10, 15
    Mutation(
        "8: failed is said while one may still come",
        "workflow",
        "all(turn.kind is Kind.OVER for turn in progress.turns)",
        "True",
        walk=True,
    ),
    Mutation(
        "8: failed is said while one of an earlier run may still come",
        "workflow",
        "all(turn.kind is Kind.OVER for turn in progress.turns)",
        "all(turn.kind is Kind.OVER for turn in progress.run_turns)",
    ),
    Mutation(
        "8: a courier's last words are lost", "hearing", "message=reply.message or turn.message", "message=turn.message"
    ),
    Mutation(
        "10: the couriers are not in ClickPost's order",
        "hearing",
        "return tuple(first[identity] for identity in dict.fromkeys(c.identity for c in couriers))",
        "return tuple(first[identity] for identity in sorted(first))",
    ),
    Mutation(
        "10: a courier is asked twice",
        "hearing",
        "dict.fromkeys(c.identity for c in couriers)",
        "[c.identity for c in couriers]",
    ),
    Mutation("10: a fourth courier is asked", "hearing", "COURIERS_MAX = 3", "COURIERS_MAX = 4"),
    Mutation(
        "10: a lane that nobody serves is failed",
        "turn",
        "Heard.NOBODY: State.UNSERVICEABLE",
        "Heard.NOBODY: State.RANKED",
    ),
    Mutation(
        "10: a silent ranking is for a person", "turn", "Heard.SILENCE: State.RANKING", "Heard.SILENCE: State.STOPPED"
    ),
    Mutation(
        "10: schedule twice is two runs",
        "workflow",
        "if progress.open_turn or progress.holder or progress.hold",
        "if progress.holder or progress.hold",
        walk=True,
    ),
    Mutation(
        "10: a booked shipment is scheduled again",
        "workflow",
        "if progress.open_turn or progress.holder or progress.hold",
        "if progress.open_turn or progress.hold",
    ),
    Mutation(
        "14: a held shipment is scheduled",
        "workflow",
        "progress.holder or progress.hold or progress.cancel_asked:\n        return progress\n    run",
        "progress.holder or progress.cancel_asked:\n        return progress\n    run",
    ),
    Mutation(
        "15: what needs attention has no concern",
        "workflow",
        "if not shown and attention:",
        "if not attention:",
        walk=True,
    ),
    # cancelled by a person
    Mutation(
        "cancel: it is asked again under a cancel",
        "workflow",
        "    if heard is Heard.UNKNOWN_TWICE and progress.cancel_asked:",
        "    if False:",
    ),
    Mutation(
        "cancel: nothing sent is said again under a cancel",
        "workflow",
        "return _ask_nobody(progress, now) if progress.cancel_asked else _begin_next",
        "return _begin_next",
        walk=True,
    ),
    Mutation(
        "cancel: what was to be asked is asked",
        "workflow",
        "_ask_nobody(replace(progress, cancel_asked=True), now)",
        "replace(progress, cancel_asked=True)",
        walk=True,
    ),
    Mutation(
        "cancel: the next courier is asked under a cancel",
        "workflow",
        "return _ask_nobody(progress, now) if progress.cancel_asked else _begin_next(progress, now)",
        "return _begin_next(_ask_nobody(progress, now) if progress.cancel_asked else progress, now)",
        walk=True,
    ),
    Mutation(
        "cancel: an AWB that comes is taken",
        "workflow",
        "if progress.cancel_asked or progress.holder:\n        return Heard.AWB_SURPLUS",
        "if progress.holder:\n        return Heard.AWB_SURPLUS",
        walk=True,
    ),
    Mutation(
        "cancel: the label stays",
        "workflow",
        "if turn.kind is Kind.HOLDS or turn.state is State.OFFERED:",
        "if turn.state is State.OFFERED:",
        walk=True,
    ),
    Mutation(
        "cancel: what has left the house is cancelled",
        "workflow",
        "    if progress.dispatched:\n        return progress\n",
        "",
    ),
    Mutation(
        "aside: a reply to a step that is no longer owed is heard",
        "workflow",
        "    if turn.step is not asked:\n        return progress\n",
        "",
        walk=True,
    ),
]


def scenarios() -> Iterator[tuple[str, Callable[..., None], dict[str, Any]]]:
    """The specification's tests, each with one of its lists' entries."""
    for name, scenario in vars(test_specification).items():
        if not name.startswith("test_"):
            continue
        lists = [mark.args for mark in getattr(scenario, "pytestmark", []) if mark.name == "parametrize"]
        for entries in product(*(values for _, values in lists)):
            given: dict[str, Any] = {}
            for (names, _), entry in zip(lists, entries, strict=True):
                given.update({names: entry} if isinstance(names, str) else zip(names, entry, strict=True))
            yield name, scenario, given


def noticed_by_scenario(machine: Machine) -> str:
    for name, scenario, given in scenarios():
        try:
            scenario(machine, **given)
        except Exception as fault:  # noqa: BLE001 - a machine that was broken may break in any way
            return f"{name}: {type(fault).__name__}"
    return ""


def noticed_by_walk(machine: Machine) -> str:
    try:
        for world in (World(machine, terse=True), World(machine, couriers=1, runs=2, calls_out=1, terse=True)):
            walk(world, SCENES_MAX)
    except Exception as fault:  # noqa: BLE001 - as above
        return str(fault).splitlines()[0]
    return ""


def mutated(mutation: Mutation) -> Machine:
    text = source(mutation.file)
    assert text.count(mutation.old) == 1, f"{mutation.file}.py has {text.count(mutation.old)} of {mutation.old!r}"
    return load({mutation.file: text.replace(mutation.old, mutation.new)})


@cache
def noticed(mutation: Mutation) -> str:
    machine = mutated(mutation)
    return noticed_by_walk(machine) if mutation.walk else noticed_by_scenario(machine)


def test_nothing_is_noticed_where_nothing_is_broken() -> None:
    assert noticed_by_scenario(load({})) == ""
    assert noticed_by_walk(load(impatient())) == ""


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_a_broken_rule_is_noticed(mutation: Mutation) -> None:
    assert noticed(mutation), "nothing noticed"
    print(noticed(mutation))  # noqa: T201 - shown by `pytest -rP`


def test_every_promise_of_the_walk_can_be_broken() -> None:
    assert {noticed(mutation) for mutation in MUTATIONS if mutation.walk} >= {*SCENE_PROMISES, *MOVE_PROMISES}
