"""A hostile ClickPost B2B to test against. It books nothing and `bilty` never imports it.

    async with bilty_sandbox.serve(Options(seed=7, speed=60)) as sandbox:
        ...  # sandbox.url, sandbox.username, sandbox.key, sandbox.book

It speaks ClickPost's documented shapes over real sockets and, unless told otherwise, behaves as badly as a courier's
host can: see `kinds` for the ways, `mischief` for who decides, `control` for how to steer it and learn the truth.
"""

from bilty_sandbox.app import Sandbox, serve
from bilty_sandbox.clock import FastClock, ManualClock
from bilty_sandbox.kinds import Family, Kind
from bilty_sandbox.mischief import Policy, Rule
from bilty_sandbox.world import DEMO_KEY, DEMO_USERNAME, Options

__all__ = [
    "DEMO_KEY",
    "DEMO_USERNAME",
    "Family",
    "FastClock",
    "Kind",
    "ManualClock",
    "Options",
    "Policy",
    "Rule",
    "Sandbox",
    "serve",
]
