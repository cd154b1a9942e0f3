"""Every act in every situation: allowed with its effect at the sandbox, or refused with its sentence.

What comes of each stands in docs/acts.md, drawn from these very runs.
"""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bilty.aggregator.clickpost import ClickPost, Endpoints
from bilty.outgoing.http import Http
from bilty.shipping_provider import Connector
from bilty.store.database import Pool
from bilty.turn import Rules
from bilty_sandbox import ManualClock, Options, Policy, serve
from dispatch.acts_in_states import ACTS, AFTERWARDS, SITUATIONS, Stage, begin, press, what_came
from dispatch.bench import MINUTE, NOON, make_bench

PAGE = Path(__file__).parents[2] / "docs" / "acts.md"
HEAD = """# What a person may do, when, and what comes of it

Drawn from runs of the tests against the sandbox; renewed by: RENEW_ACTS=1 .venv/bin/python -m pytest -k every_act

Each act is done to a shipment of its own in that situation, and nobody does anything else for a day. Then the first
words say what is shown (in brackets what waits for a person), and the others which AWBs the couriers have given out for
it. A shipment here has 3 boxes; `amend` puts a fourth to it and has it booked. What is refused is refused in the words
given, in the panel as by `POST /shipments/{id}/decisions`."""
RULES = Rules(watch_interval=10 * MINUTE)


@pytest.fixture
async def stage(pool: Pool, tmp_path: Path) -> AsyncIterator[Stage]:
    clock = ManualClock(NOON.timestamp())
    options = Options(policy=Policy(enabled=False), plain_labels=True, outage_every=0)
    async with serve(options, clock) as sandbox, Http() as http:
        endpoints = Endpoints(sandbox.url, allow_private_addresses=True)
        account = ClickPost(Connector(sandbox.username, sandbox.key), endpoints, http)
        yield Stage(await make_bench(pool, tmp_path, aggregator=account, rules=RULES), sandbox, clock)


@pytest.mark.parametrize("name", SITUATIONS)
async def test_every_act_in_every_situation(stage: Stage, name: str) -> None:
    situation = SITUATIONS[name]
    numbers = [f"SO-{number}" for number in range(len(ACTS))]
    await begin(stage, situation, numbers)
    for number in numbers:
        turns = (await stage.bench.progress(number)).turns
        assert situation.state is None or situation.state in {turn.state for turn in turns}, [t.state for t in turns]
    refusals = {
        act: await press(stage, number, act, situation.state) for act, number in zip(ACTS, numbers, strict=True)
    }
    await stage.waits(AFTERWARDS / MINUTE)
    allowed: list[str] = []
    refused: dict[str, list[str]] = {}
    for act, number in zip(ACTS, numbers, strict=True):
        if refusals[act]:
            refused.setdefault(plainly(refusals[act]), []).append(act)
        else:
            allowed.append(f"| {act} | {await what_came(stage, number)} |")
    _compare(name, section(name, situation.told, allowed, refused))


def section(name: str, told: str, allowed: list[str], refused: dict[str, list[str]]) -> str:
    lines = [f"## {name}: {told}", "", "| done | a day later |", "|---|---|", *allowed, ""]
    lines += [f'- {", ".join(acts)}: "{sentence}"' for sentence, acts in refused.items()]
    return "\n".join(lines).strip()


def plainly(sentence: str) -> str:
    """AWBs and references are another's each time."""
    return re.sub(r"\b(AWB|reference) [A-Z0-9-]{5,}", r"\1 …", sentence)


def _compare(name: str, shown: str) -> None:
    parts = PAGE.read_text(encoding="utf-8").split("\n\n## ") if PAGE.exists() else [HEAD]
    known = {part.partition(":")[0]: f"## {part}".strip() for part in parts[1:]}
    if os.environ.get("RENEW_ACTS"):
        known[name] = shown
        ordered = [known[each] for each in SITUATIONS if each in known]
        PAGE.write_text("\n\n".join([HEAD, *ordered]) + "\n", encoding="utf-8")
    assert known.get(name) == shown
