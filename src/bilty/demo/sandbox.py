"""The sandbox as a process beside the demo: started, found again after a crash, and ended."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bilty.running import CannotStart

USERNAME, KEY = "demo", "b1171e00-5a2d-4b0c-8d3e-0c11c4057000"
"""The sandbox's, for everybody to know: they open nothing else."""
SPEED, SEED = 60, 1
IDLE_EXIT_S, ENDS_WITHIN_S = 600, 10


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The aggregator's stand-in: its address, and the process it is."""

    url: str
    pid: int

    def tell(self, path: str) -> dict[str, object]:
        """What a control endpoint says. Raises OSError when the sandbox is not there."""
        address = self.url.removesuffix("/api") + path
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own sandbox on loopback
            return msgspec.json.decode(answer.read(), type=dict[str, object])


@contextmanager
def sandbox_running(card: Path) -> Iterator[Sandbox]:
    """The sandbox that a killed demo left behind, or a new one. `card` says where it is."""
    sandbox = _found(card) or _started(card)
    try:
        yield sandbox
    finally:
        with contextlib.suppress(ProcessLookupError):
            _end(sandbox.pid)
        card.unlink(missing_ok=True)


def _end(pid: int) -> None:
    """Returns when it has ended, so that nothing of the demo is left behind it. Raises ProcessLookupError."""
    process = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGTERM)
        select.select([process], [], [], ENDS_WITHIN_S)
    finally:
        os.close(process)


def _found(card: Path) -> Sandbox | None:
    try:
        sandbox = msgspec.json.decode(card.read_bytes(), type=Sandbox)
        sandbox.tell("/sandbox/healthz")
    except (OSError, msgspec.DecodeError):
        return None
    return sandbox


def _started(card: Path) -> Sandbox:
    command = [sys.executable, "-m", "bilty_sandbox", "--listen", "127.0.0.1:0", "--username", USERNAME, "--key", KEY]
    command += ["--speed", str(SPEED), "--seed", str(SEED), "--idle-exit", str(IDLE_EXIT_S)]
    command += ["--state", str(card.with_suffix(".state"))]
    # In a session of its own: Ctrl-C is for the demo, which ends the sandbox after the last answer is heard.
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.stdout.close()
    if "http://" not in line:
        raise CannotStart("The sandbox did not start; what it printed above says why.")
    sandbox = Sandbox(url=line.split()[-1], pid=process.pid)
    made = card.with_suffix(".new")
    made.write_bytes(msgspec.json.encode(sandbox))
    made.rename(card)
    return sandbox
