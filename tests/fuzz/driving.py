"""One run of schemathesis against a running house, as one kind of caller: a process of its own, and its report."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]

METHODS = {"GET", "PUT", "POST", "PATCH", "DELETE"}

# Beside 2xx: what a key may not do (401, 403), what is not there or not so now (404, 409, 412), what no schema can say
# (400 for NUL and the like in an address; 422 for a sum, a check digit, a name that must exist).
ACCEPTED = ["2xx", "304", "400", "401", "403", "404", "409", "412", "422", "428", "429"]
# What may not be read is refused before it is looked at (401, 403, 404), and so is what is not so now (409, 412).
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422", "428", "429"]
CONFIG = """
hooks = "fuzz.hooks"
continue-on-failure = true
base-url = "{url}"
suppress-health-check = ["all"]

[warnings]
enabled = false

[auth.openapi.key]
bearer = "{key}"

[generation]
database = "none"
no-shrink = true

[phases.stateful]
max-steps = 6

[checks.positive_data_acceptance]
expected-statuses = {accepted}

[checks.negative_data_rejection]
expected-statuses = {refused}

[checks.missing_required_header]
expected-statuses = {refused}
{more}
"""
WITHOUT_KEY = """
[checks.ignored_auth]
enabled = false
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """`key` "": nobody who may come in. `facility`: the only one that the key opens, "" for all."""

    name: str
    key: str
    facility: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    caller: str
    cases: int
    failures: list[dict[str, Any]]
    output: str
    seconds: float
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)
    rates: dict[str, Any] = field(default_factory=dict)


async def driven(
    url: str, caller: Caller, folder: Path, *, seed: int, phases: Sequence[str], options: Sequence[str]
) -> Run:
    """Raises RuntimeError when schemathesis itself did not come to its end. `folder`: a new one of this run."""
    config, report, seen = _written(folder, url, caller), folder / "report.json", folder / "seen"
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"),
        f"{url}/api/v1/openapi.json",
        *("--phases", ",".join(phases), "--seed", str(seed), "--no-color"),
        *("--report", "json", "--report-json-path", str(report), *options),
        env={**os.environ, "PYTHONPATH": str(TESTS), "FUZZ_SEEN": str(seen), "FUZZ_FACILITY": caller.facility},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await program.communicate()
    return _told(caller, program.returncode, output.decode(errors="replace"), report, seen)


def _written(folder: Path, url: str, caller: Caller) -> Path:
    folder.mkdir(parents=True)
    config = folder / "schemathesis.toml"
    values = {
        "url": url,
        "key": caller.key or "nobody",
        "accepted": json.dumps(ACCEPTED),
        "refused": json.dumps(REFUSED),
    }
    config.write_text(CONFIG.format(**values, more="" if caller.key else WITHOUT_KEY))
    return config


def _told(caller: Caller, code: int | None, output: str, report: Path, seen: Path) -> Run:
    if code not in {0, 1} or not report.exists():
        raise RuntimeError(output)
    told = json.loads(report.read_text())
    answers = map(json.loads, seen.read_text().splitlines())
    return Run(
        caller.name,
        told["test_cases"]["generated"],
        [*told["failures"], *({**each, "operations": []} for each in told["errors"])],
        output,
        told["running_time"],
        Counter((name, status) for name, method, _, status in answers if method in METHODS),
        told["valid_rates"],
    )
