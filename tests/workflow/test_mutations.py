"""The tests can fail: each rule is broken on purpose in the source, and the scenarios or the walk must notice.

A mutation names the rule that it breaks. Where `walk` is set, the walk notices by itself, without any scenario: it
breaks one of the promises that hold in every scene. `pytest -rP tests/workflow/test_mutations.py` tells what noticed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import pytest

from workflow import test_deciding, test_specification
from workflow.machine import Machine, impatient, load, source
from workflow.test_walk import DECIDES
from workflow.walk import MOVE_PROMISES, SCENE_PROMISES, walk
from workflow.world import World

SCENES_MAX = 40_000
WORLDS: Sequence[Mapping[str, Any]] = ({"terse": True}, {"couriers": 1, "runs": 2, "calls_out": 1, "terse": True})
_QUIET = {"cancels": False, "doubts": False}
_CHANGED = {**_QUIET, "couriers": 1, "changes": 1}
WORLDS_OF: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "a person": ({**DECIDES, **_QUIET, "couriers": 2}, {**DECIDES, **_QUIET, "couriers": 1, "runs": 2}),
    "13": ({**_CHANGED, "calls_out": 1, "holds": True, "terse": True}, {**DECIDES, **_CHANGED}),
    "truck": ({**DECIDES, **_QUIET, "couriers": 2, "dispatches": True, "decides_only": ("fall-over", "order-return")},),
}
"""By the word before the colon of a rule."""


@dataclass(frozen=True, slots=True)
class Mutation:
    rule: str
    file: str
    old: str
    new: str
    walk: bool = False

    @property
    def worlds(self) -> Sequence[Mapping[str, Any]]:
        """Where it would show: what people do is seen where they do it."""
        return WORLDS_OF.get(self.rule.split(":")[0], WORLDS)


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
    Mutation("2: unknown once is enough", "hearing", "if turn.unknowns == 0 or", "if turn.unknowns < 0 or", walk=True),
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
        "deciding.decisions",
        "replace(turn, planned_due=turn.due_at, due_at=now)",
        "replace(turn, due_at=now)",
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
    Mutation("4: a late label wins though failed was told", "workflow", " and not progress.failed_told\n", "\n"),
    Mutation("4: a new run cannot win once failed was told", "workflow", "failed_told=False, turns=", "turns="),
    Mutation(
        "4: a late label does not win",
        "workflow",
        "return Heard.AWB if current and not progress.live_extras else Heard.AWB_OFFERED",
        "return Heard.AWB_OFFERED",
    ),
    Mutation(
        "4: the open turn goes on beside the winner",
        "workflow",
        "        progress = step_aside(progress, now, rules)\n",
        "        pass\n",
        walk=True,
    ),
    Mutation(
        "4: a turn that steps aside is forgotten",
        "workflow",
        "put(progress, lapsed(turn, now, now + rules.watch_interval))",
        "put(progress, replace(turn, state=State.WITHDRAWN, due_at=None))",
        walk=True,
    ),
    Mutation("4: what was never said is watched", "workflow", "said = turn.asks > 0", "said = True"),
    Mutation("4: what was said once is withdrawn", "workflow", "said = turn.asks > 0", "said = False"),
    Mutation(
        "4: an offered label stays on offer beside the winner",
        "workflow",
        "progress = put(progress, replace(turn, state=State.SURPLUS, due_at=now))",
        "pass",
    ),
    Mutation(
        "4: an offered label is no reason to wait",
        "workflow",
        "if turn.kind is Kind.EXTRA and not turn.settled)",
        "if turn.kind is Kind.EXTRA and turn.state is not State.OFFERED and not turn.settled)",
        walk=True,
    ),
    # 5. never cancelled blindly, never replaced
    Mutation(
        "5: there is a second holder",
        "workflow",
        "if progress.cancel_asked or progress.holder or turn.version",
        "if progress.cancel_asked or turn.version",
        walk=True,
    ),
    Mutation(
        "5: the newest label replaces the one that is there",
        "workflow",
        "    after = moved(turn, heard, reply, now, rules)\n",
        """\
    if heard is Heard.AWB_SURPLUS and progress.holder:
        heard = Heard.AWB
        progress = put(progress, replace(progress.holder, state=State.SURPLUS, due_at=now))
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
        "if turn.kind is Kind.EXTRA and not turn.settled)",
        "if turn.kind is Kind.EXTRA and turn.state is not State.CONFLICT and not turn.settled)",
        walk=True,
    ),
    Mutation(
        "5: a refused cancel is given up",
        "turn",
        "State.UNCANCELLED: (Kind.EXTRA, Step.CANCEL)",
        "State.UNCANCELLED: (Kind.EXTRA, None)",
    ),
    Mutation(
        "5: a refused cancel is not shown", "concerns", "    State.UNCANCELLED: Concern.UNCANCELLED,\n", "", walk=True
    ),
    Mutation(
        "5: silence is taken for cancelled",
        "turn",
        "State.SURPLUS: {**_CANCEL, Heard.SILENCE: State.SURPLUS}",
        "State.SURPLUS: {**_CANCEL, Heard.SILENCE: State.CANCELLED}",
        walk=True,
    ),
    Mutation(
        "5: silence is taken for the courier's reason",
        "hearing",
        'spoken = "" if silent and state is State.UNCANCELLED else reply.message',
        "spoken = reply.message",
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
        "turn.settled or turn.state is State.STOPPED for",
        "turn.settled for",
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
        "all(turn.kind is Kind.OVER or turn.settled for turn in progress.turns)",
        "True",
        walk=True,
    ),
    Mutation(
        "8: failed is said while one of an earlier run may still come",
        "workflow",
        "all(turn.kind is Kind.OVER or turn.settled for turn in progress.turns)",
        "all(turn.kind is Kind.OVER or turn.settled for turn in progress.run_turns)",
    ),
    Mutation("8: a courier's last words are lost", "hearing", "message=spoken or turn.message", "message=turn.message"),
    Mutation(
        "10: the couriers are not in ClickPost's order",
        "hearing",
        "[first[identity] for identity in dict.fromkeys(c.identity for c in couriers)]",
        "[first[identity] for identity in sorted(first)]",
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
        "taken = progress.holder or progress.open_turn or",
        "taken = progress.holder or",
        walk=True,
    ),
    Mutation(
        "10: a booked shipment is scheduled again",
        "workflow",
        "taken = progress.holder or progress.open_turn or",
        "taken = progress.open_turn or",
    ),
    Mutation(
        "14: a held shipment is scheduled",
        "workflow",
        "if taken or progress.hold or progress.cancel_asked:",
        "if taken or progress.cancel_asked:",
    ),
    Mutation(
        "15: what needs attention has no concern",
        "concerns",
        "if not shown and attention:",
        "if not attention:",
        walk=True,
    ),
    # cancelled by a person
    Mutation(
        "cancel: it is asked again under a cancel",
        "workflow",
        "if heard is Heard.UNKNOWN_TWICE and (progress.cancel_asked or",
        "if heard is Heard.UNKNOWN_TWICE and (False or",
    ),
    Mutation(
        "cancel: nothing sent is said again under a cancel",
        "workflow",
        "    if progress.cancel_asked or progress.outdated:\n        progress = _ask",
        "    if progress.outdated:\n        progress = _ask",
        walk=True,
    ),
    Mutation(
        "cancel: what was to be asked is asked",
        "deciding.decisions",
        "return go_on(_nobodys(replace(progress, cancel_asked=True, schedule_asked=False), now), now)",
        "return _nobodys(replace(progress, cancel_asked=True, schedule_asked=False), now)",
        walk=True,
    ),
    Mutation(
        "cancel: the next courier is asked under a cancel",
        "workflow",
        "    if progress.cancel_asked:\n        return progress\n    progress = _begin_next",
        "    progress = _begin_next",
        walk=True,
    ),
    Mutation(
        "cancel: an AWB that comes is taken",
        "workflow",
        "if progress.cancel_asked or progress.holder or turn.version",
        "if progress.holder or turn.version",
        walk=True,
    ),
    Mutation(
        "cancel: the label stays",
        "deciding.decisions",
        "if turn.kind is Kind.HOLDS or (turn.state",
        "if (turn.state",
        walk=True,
    ),
    Mutation(
        "cancel: what has left the house is cancelled",
        "deciding.decisions",
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
    # what a person decides
    Mutation(
        "a person: who is fallen over from is forgotten",
        "deciding.decisions",
        "return go_on(put(progress, ended), now)",
        "return go_on(put(progress, replace(turn, state=State.REFUSED, due_at=None)), now)",
        walk=True,
    ),
    Mutation(
        "a person: falling over asks nobody",
        "deciding.decisions",
        "return go_on(put(progress, ended), now)",
        "return put(progress, ended)",
    ),
    Mutation(
        "a person: an answer that is under way is not waited for",
        "deciding.refusals",
        "if kind not in NOT_WHILE_ASKED or turn.reference not in call_out:",
        "if kind not in NOT_WHILE_ASKED or turn.reference:",
    ),
    Mutation(
        "a person: an answer that is under way is waited for by all",
        "deciding.refusals",
        "if kind not in NOT_WHILE_ASKED or turn.reference not in call_out:",
        "if turn.reference not in call_out:",
    ),
    Mutation(
        "a person: there is nobody to fall over to",
        "deciding.refusals",
        "if turn.priority >= len(progress.couriers):",
        "if turn.priority > len(progress.couriers):",
    ),
    Mutation(
        "a person: a run that is settled is fallen over in",
        "deciding.refusals",
        "or (other.settled and other.run == turn.run):",
        "or False:",
    ),
    Mutation(
        "a person: the next is asked for what is cancelled",
        "deciding.refusals",
        '    """Were `turn` to end now."""\n    if progress.cancel_asked:',
        '    """Were `turn` to end now."""\n    if False:',
    ),
    Mutation(
        "a person: an AWB that is not wanted is forgotten",
        "deciding.decisions",
        "return replace(turn, state=State.SURPLUS, polls_done=0, tries=0, due_at=now)",
        "return replace(turn, state=State.CANCELLED, polls_done=0, tries=0, due_at=None)",
        walk=True,
    ),
    Mutation(
        "a person: a label that may be on the boxes is given up",
        "deciding.refusals",
        "case ActKind.GIVE_UP_AWB if turn.state is State.WON and not turn.miscount:",
        "case ActKind.GIVE_UP_AWB if False:",
        walk=True,
    ),
    Mutation(
        "a person: the next is asked beside the AWB that is given up",
        "workflow",
        "if progress.holder or progress.open_turn or progress.extras or waits:",
        "if progress.holder or progress.open_turn or waits:",
        walk=True,
    ),
    Mutation(
        "a person: it is scheduled beside the AWB that is given up",
        "workflow",
        "or progress.extras or progress.outdated\n",
        "or progress.outdated\n",
    ),
    Mutation(
        "a person: it is scheduled beside a late label",
        "workflow",
        "or progress.extras or progress.outdated\n",
        "or progress.live_extras or progress.outdated\n",
        walk=True,
    ),
    Mutation(
        "a person: there is a button to schedule beside a late label",
        "deciding.refusals",
        "    if progress.extras:\n        return f",
        "    if progress.live_extras:\n        return f",
    ),
    Mutation(
        "a person: the next is asked beside a late label",
        "workflow",
        "if progress.holder or progress.open_turn or progress.extras or waits:",
        "if progress.holder or progress.open_turn or progress.live_extras or waits:",
        walk=True,
    ),
    Mutation(
        "a person: unknown, asked in a hurry, is a no",
        "hearing",
        "if turn.unknowns == 0 or turn.planned_due is not None:",
        "if turn.unknowns == 0:",
        walk=True,
    ),
    Mutation(
        "a person: unknown, asked in a hurry, is half a no",
        "hearing",
        "(heard is Heard.UNKNOWN and turn.planned_due is None)",
        "(heard is Heard.UNKNOWN)",
    ),
    Mutation(
        "a person: a silent host is asked in a burst",
        "hearing",
        "if silent and not entered and state is State.WAITING else None",
        "if silent and not entered else None",
    ),
    Mutation(
        "a person: a typed AWB that is too many is cancelled at once",
        "workflow",
        "return Heard.AWB_OFFERED if turn.entered else Heard.AWB_SURPLUS",
        "return Heard.AWB_SURPLUS",
        walk=True,
    ),
    Mutation(
        "a person: a typed AWB is cancelled because another took the shipment",
        "workflow",
        "elif turn.state is State.OFFERED and not turn.entered:",
        "elif turn.state is State.OFFERED:",
    ),
    Mutation(
        "a person: a typed AWB on offer is cancelled with the shipment",
        "deciding.decisions",
        "(turn.state is State.OFFERED and not turn.entered)",
        "turn.state is State.OFFERED",
    ),
    Mutation(
        "a person: it is not noted that an AWB was typed",
        "deciding.decisions",
        "replace(turn, settled=False, entered=True)",
        "replace(turn, settled=False)",
    ),
    Mutation(
        "a person: what ClickPost said is taken back",
        "deciding.refusals",
        "case ActKind.WRONG_AWB if not turn.entered:",
        "case ActKind.WRONG_AWB if not turn.awb:",
    ),
    Mutation(
        "a person: a typed AWB that is taken back stays",
        "deciding.decisions",
        'replace(turn, awb="", entered=False, ',
        "replace(turn, entered=False, ",
    ),
    Mutation(
        "a person: whose AWB is taken back is open beside the holder",
        "deciding.decisions",
        "if turn.lapsed_at or (elsewhere and elsewhere is not turn):",
        "if turn.lapsed_at:",
    ),
    Mutation(
        "a person: whose AWB is taken back is undecided though it had lapsed",
        "deciding.decisions",
        "if turn.lapsed_at or (elsewhere and elsewhere is not turn):",
        "if elsewhere and elsewhere is not turn:",
    ),
    Mutation(
        "a person: whose AWB is taken back is forgotten",
        "deciding.decisions",
        "        return lapsed(blank, now, due_at)\n",
        "        return replace(blank, state=State.WITHDRAWN, due_at=None)\n",
        walk=True,
    ),
    Mutation(
        "a person: a late label wins beside the AWB that is given up",
        "workflow",
        "if current and not progress.live_extras else",
        "if current else",
    ),
    Mutation(
        "a person: the status hides that an AWB is given up",
        "workflow",
        "any(turn.state is State.SURPLUS for turn in progress.extras)",
        "False",
        walk=True,
    ),
    Mutation(
        "a person: a late label is used beside the open turn",
        "deciding.decisions",
        "return step_aside(put(progress, holds), now, rules)",
        "return put(progress, holds)",
        walk=True,
    ),
    Mutation(
        "a person: what was picked up is used beside the label",
        "deciding.refusals",
        "    if progress.holder:\n        return stands(progress.holder)\n    if turn.version",
        "    if turn.version",
        walk=True,
    ),
    Mutation(
        "a person: what was picked up is used for what is cancelled",
        "deciding.refusals",
        "_why_not_use(progress: Progress, turn: Turn) -> str:\n    if progress.cancel_asked:",
        "_why_not_use(progress: Progress, turn: Turn) -> str:\n    if False:",
    ),
    Mutation(
        "a person: a late label is used beside an AWB that is not void",
        "deciding.refusals",
        'return stands(others[0]) if others else ""',
        'return ""',
    ),
    Mutation(
        "a person: another turn's AWB is entered",
        "deciding.decisions",
        "if other.awb == act.awb and other is not turn:",
        "if not other.awb and other is not turn:",
    ),
    Mutation(
        "a person: anything is entered as an AWB",
        "deciding.acts",
        "return _AWB.fullmatch(self.awb) is not None",
        "return _AWB.match(self.awb) is not None",
    ),
    Mutation(
        "a person: an entered AWB is not heard",
        "deciding.decisions",
        "return hear(put(progress, turn), turn, Step.INQUIRE, Label(act.awb), now, rules)",
        "return put(progress, replace(turn, state=state, awb=act.awb, due_at=now))",
        walk=True,
    ),
    Mutation(
        "a person: poll now is pressed twice",
        "deciding.refusals",
        "case ActKind.POLL_NOW | ActKind.ASK_AGAIN if turn.planned_due is not None:",
        "case ActKind.POLL_NOW | ActKind.ASK_AGAIN if turn.planned_due is None and turn.due_at is None:",
    ),
    Mutation(
        "a person: an unclear booking is asked about in a hurry",
        "deciding.acts",
        "ActKind.ASK_AGAIN: {State.UNDECIDED",
        "ActKind.ASK_AGAIN: {State.UNCLEAR: State.UNCLEAR, State.UNDECIDED",
    ),
    Mutation(
        "a person: a settled turn's late label wins",
        "workflow",
        "current = turn.run == progress.run and not turn.settled and",
        "current = turn.run == progress.run and",
    ),
    Mutation(
        "a person: what is settled stays so whatever it brings",
        "hearing",
        "settled=turn.settled and (TRAITS[state][0] is Kind.OVER or TRAITS[state][1] is turn.step),",
        "settled=turn.settled,",
    ),
    Mutation(
        "a person: what is settled comes back at the next answer",
        "hearing",
        "settled=turn.settled and (TRAITS[state][0] is Kind.OVER or TRAITS[state][1] is turn.step),",
        "settled=False,",
    ),
    Mutation(
        "a person: a run that is settled goes on of itself",
        "workflow",
        "waits = any(turn.settled or turn.state is",
        "waits = any(turn.state is",
    ),
    Mutation(
        "a person: what waited for it does not go on once it is settled",
        "deciding.decisions",
        "return go_on(_settled(progress, turn), now)",
        "return _settled(progress, turn)",
    ),
    Mutation(
        "a person: each lapsed turn is settled by itself",
        "deciding.decisions",
        "if one_matter else [turn]",
        "if False else [turn]",
    ),
    Mutation(
        "a person: anything lapsed may be settled",
        "deciding.refusals",
        "case ActKind.SETTLED if turn.reference not in {shown.reference for _, shown in concerns(progress)}:",
        "case ActKind.SETTLED if turn.settled:",
    ),
    Mutation(
        "a person: what is settled needs attention for ever",
        "workflow",
        "all(turn.kind is Kind.OVER or turn.settled for turn in progress.turns)",
        "all(turn.kind is Kind.OVER for turn in progress.turns)",
        walk=True,
    ),
    Mutation(
        "a person: a refused cancel has no button",
        "deciding.acts",
        "        State.UNCANCELLED: State.UNCANCELLED,\n",
        "",
        walk=True,
    ),
    Mutation(
        "a person: there are buttons that do nothing",
        "deciding.refusals",
        "if turn.state in states and not why_not_turn(progress, kind, turn)",
        "if turn.state in states",
        walk=True,
    ),
    Mutation(
        "a person: going on asks nobody",
        "deciding.decisions",
        "return go_on(put(progress, replace(turn, state=state)), now)",
        "return put(progress, replace(turn, state=state))",
    ),
    Mutation(
        "a person: going on forgets who refused",
        "deciding.acts",
        "ActKind.GO_ON: {State.STOPPED: State.REFUSED}",
        "ActKind.GO_ON: {State.STOPPED: State.WITHDRAWN}",
        walk=True,
    ),
    # 4. a late label stands half an hour
    Mutation(
        "4: a late label that nobody uses stands for ever",
        "hearing",
        "return None if turn.entered else now + rules.late_label_wait",
        "return None",
    ),
    Mutation(
        "4: a late label is cancelled at once",
        "hearing",
        "return None if turn.entered else now + rules.late_label_wait",
        "return None if turn.entered else now",
    ),
    Mutation(
        "a person: a typed AWB is cancelled because nobody used it",
        "hearing",
        "return None if turn.entered else now + rules.late_label_wait",
        "return now + rules.late_label_wait",
        walk=True,
    ),
    Mutation(
        "4: a late label that is being cancelled may be used",
        "hearing",
        "    if turn.state is State.OFFERED:\n        return replace(turn, state=State.SURPLUS)\n",
        "",
        walk=True,
    ),
    # 13. what a shipment is may change
    Mutation(
        "13: what was booked as it was is kept",
        "deciding.decisions",
        "    return go_on(_nobodys(renewed, now), now)\n",
        "    return go_on(renewed, now)\n",
        walk=True,
    ),
    Mutation(
        "13: the run begins before the old is over",
        "workflow",
        "or progress.extras or progress.outdated\n",
        "or progress.extras\n",
    ),
    Mutation(
        "13: the run begins before the old AWB is void",
        "workflow",
        "or progress.extras or progress.outdated\n",
        "or progress.outdated\n",
        walk=True,
    ),
    Mutation(
        "13: what merely lapsed does not count",
        "workflow",
        "if turn.kind in (Kind.OPEN, Kind.WATCHED))",
        "if turn.kind is Kind.OPEN)",
        walk=True,
    ),
    Mutation(
        "13: what a person has seen to counts for ever",
        "workflow",
        "if turn.version < self.version and not turn.settled]",
        "if turn.version < self.version]",
    ),
    Mutation(
        "13: an AWB of what it was takes the shipment",
        "workflow",
        "if progress.cancel_asked or progress.holder or turn.version < progress.version:",
        "if progress.cancel_asked or progress.holder:",
    ),
    Mutation(
        "13: it is asked once more for what it was",
        "workflow",
        "(progress.cancel_asked or turn.version < progress.version):\n        heard",
        "progress.cancel_asked:\n        heard",
    ),
    Mutation(
        "13: what was to be asked for is asked for",
        "workflow",
        "if progress.cancel_asked or progress.outdated:\n        progress = _ask",
        "if progress.cancel_asked:\n        progress = _ask",
        walk=True,
    ),
    Mutation(
        "13: what is changed is booked though nobody asked",
        "workflow",
        "return schedule(progress, now) if progress.schedule_asked else progress",
        "return schedule(progress, now) if progress.run else progress",
    ),
    Mutation(
        "13: what is changed is not booked of itself",
        "workflow",
        "return schedule(progress, now) if progress.schedule_asked else progress",
        "return progress",
    ),
    Mutation(
        "13: it is booked anew again and again",
        "workflow",
        "run=run, schedule_asked=False, failed_told",
        "run=run, failed_told",
    ),
    Mutation(
        "13: what is cancelled is still to be booked",
        "deciding.decisions",
        "cancel_asked=True, schedule_asked=False)",
        "cancel_asked=True)",
    ),
    Mutation(
        "13: a change before anybody was asked is a version",
        "deciding.decisions",
        "    if progress.run == 0:\n        return replace(progress, digest=digest, hold=hold)\n",
        "",
    ),
    Mutation(
        "13: a change after somebody was asked is none",
        "deciding.decisions",
        "    if progress.run == 0:\n        return replace(progress, digest",
        "    if progress.run <= 1:\n        return replace(progress, digest",
    ),
    Mutation(
        "13: what is held no more waits on",
        "deciding.decisions",
        "return go_on(replace(progress, hold=why), now)",
        "return replace(progress, hold=why)",
        walk=True,
    ),
    Mutation(
        "13: a change does not wait for the answer",
        "deciding.refusals",
        'return _under_way(asked[0]) if asked else ""',
        'return ""',
    ),
    Mutation(
        "13: a change waits for every answer",
        "deciding.refusals",
        "if turn.kind in (Kind.OPEN, Kind.HOLDS) and turn.reference in call_out]",
        "if turn.reference in call_out]",
    ),
    Mutation(
        "13: what has left the house is changed",
        "deciding.refusals",
        '    if progress.dispatched:\n        return f"{DISPATCHED} What',
        '    if False:\n        return f"{DISPATCHED} What',
    ),
    Mutation(
        "13: what is cancelled is changed",
        "deciding.refusals",
        "        return CANCELLED\n    asked = ",
        "        pass\n    asked = ",
    ),
    Mutation(
        "13: an old AWB makes a new label late",
        "workflow",
        "own = [turn for turn in self.extras if turn.version == self.version]",
        "own = self.extras",
    ),
    Mutation(
        "13: the next is asked for what it was",
        "deciding.refusals",
        '    if turn.version < progress.version:\n        return f"The shipment was changed',
        '    if False:\n        return f"The shipment was changed',
    ),
    Mutation(
        "13: a label of what it was is used",
        "deciding.refusals",
        '    if turn.version < progress.version:\n        return f"The shipment has changed',
        '    if False:\n        return f"The shipment has changed',
        walk=True,
    ),
    Mutation(
        "13: nobody's word is enough that it was not booked",
        "deciding.decisions",
        "replace(turn, settled=turn.version < progress.version), now",
        "turn, now",
    ),
    Mutation(
        "13: what kept it from being booked is not shown",
        "concerns",
        "(Concern.OUTDATED, turn) for turn in progress.outdated if turn.state is State.LAPSED",
        "(Concern.OUTDATED, turn) for turn in progress.outdated if turn.state is State.OFFERED",
    ),
    Mutation(
        "13: one courier's word is every courier's",
        "deciding.decisions",
        "one_matter = turn.state is State.LAPSED and turn.version == progress.version",
        "one_matter = turn.state is State.LAPSED",
    ),
    Mutation(
        "13: a word from before the change stands after it",
        "deciding.decisions",
        "return replace(turn, settled=False)\n    if turn.entered",
        "return turn\n    if turn.entered",
    ),
    Mutation(
        "13: each change forgets every word",
        "deciding.decisions",
        "if turn.state is State.LAPSED and turn.version == progress.version:",
        "if turn.state is State.LAPSED:",
    ),
    Mutation(
        "13: while the old boxes are on a truck the new are booked",
        "deciding.decisions",
        "    if turn.state is State.PICKED_UP and turn.version < progress.version:\n",
        "    if False:\n",
    ),
    Mutation(
        "13: a change cancels what a person typed",
        "deciding.decisions",
        "if turn.entered and turn.state in (State.FETCHING, State.UNLABELLED):",
        "if False:",
    ),
    Mutation(
        "13: what a person typed stays though its label is here",
        "deciding.decisions",
        "if turn.entered and turn.state in (State.FETCHING, State.UNLABELLED):",
        "if turn.entered and turn.kind is Kind.HOLDS:",
    ),
    Mutation(
        "13: an AWB that is taken back keeps the new run waiting",
        "deciding.decisions",
        "settled = turn.version < progress.version and bool(progress.run_turns)",
        "settled = False",
    ),
    Mutation(
        "13: what nobody was asked to carry is said to be failed",
        "workflow",
        "    if not states:\n        return _status_between_runs(progress)\n",
        "",
        walk=True,
    ),
    Mutation(
        "13: what it was is shown as its own",
        "workflow",
        "if (turn.run, turn.version) == (self.run, self.version))",
        "if turn.run == self.run)",
    ),
    Mutation(
        "13: nothing is said of what the old one waits for",
        "workflow",
        "    if old - {State.SURPLUS, State.UNCLEAR, State.WAITING}:\n        return Status.NEEDS_ATTENTION\n",
        "",
    ),
    # on the truck
    Mutation(
        "truck: a late AWB takes what is dispatched",
        "workflow",
        "if progress.cancel_asked or progress.holder or turn.version",
        "if progress.cancel_asked or turn.version",
        walk=True,
    ),
    Mutation(
        "truck: what has no label is dispatched",
        "deciding.refusals",
        'return "" if holder and holder.state is State.WON else',
        'return "" if holder else',
        walk=True,
    ),
    Mutation(
        "truck: a return is ordered of what is in the house",
        "deciding.refusals",
        "case ActKind.ORDER_RETURN if not progress.dispatched:",
        "case ActKind.ORDER_RETURN if False:",
        walk=True,
    ),
    Mutation(
        "truck: a return is a cancelling",
        "turn",
        "State.RETURNING: (Kind.HOLDS, Step.RETURN)",
        "State.RETURNING: (Kind.HOLDS, Step.CANCEL)",
        walk=True,
    ),
    Mutation(
        "truck: a return that is refused is forgotten",
        "concerns",
        "    State.UNRETURNED: Concern.UNRETURNED,\n",
        "",
    ),
    Mutation(
        "truck: a return is ordered once, heard or not",
        "turn",
        "        Heard.SILENCE: State.RETURNING,\n",
        "        Heard.SILENCE: State.RETURNED,\n",
    ),
    Mutation(
        "truck: what is cancelled is dispatched",
        "deciding.refusals",
        "        return CANCELLED\n    holder = progress.holder\n",
        "        pass\n    holder = progress.holder\n",
    ),
    Mutation(
        "truck: an AWB that was typed later cannot be taken back",
        "deciding.refusals",
        "if progress.dispatched and turn.kind is Kind.HOLDS:",
        "if progress.dispatched:",
    ),
]


def scenarios() -> Iterator[tuple[str, Callable[..., None], dict[str, Any]]]:
    """The specification's tests, each with one of its lists' entries."""
    for name, scenario in (vars(test_specification) | vars(test_deciding)).items():
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


def noticed_by_walk(machine: Machine, worlds: Sequence[Mapping[str, Any]]) -> str:
    try:
        for world in worlds:
            walk(World(machine, **world), SCENES_MAX)
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
    if mutation.walk:
        return noticed_by_walk(machine, mutation.worlds)
    return noticed_by_scenario(machine)


def test_nothing_is_noticed_where_nothing_is_broken() -> None:
    assert noticed_by_scenario(load({})) == ""
    assert noticed_by_walk(load(impatient()), WORLDS) == ""


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_a_broken_rule_is_noticed(mutation: Mutation) -> None:
    assert noticed(mutation), "nothing noticed"
    print(noticed(mutation))  # noqa: T201 - shown by `pytest -rP`


def test_every_promise_of_the_walk_can_be_broken() -> None:
    assert {noticed(mutation) for mutation in MUTATIONS if mutation.walk} >= {*SCENE_PROMISES, *MOVE_PROMISES}
