"""All that a route needs to know, in one place, and the options that a sandbox starts with."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

from bilty_sandbox.book import Book
from bilty_sandbox.clock import Clock
from bilty_sandbox.dice import Dice
from bilty_sandbox.kinds import Kind
from bilty_sandbox.labels import Labels
from bilty_sandbox.mischief import Policy

DEMO_USERNAME: Final = "demo"
DEMO_KEY: Final = "b1171e00-5a2d-4b0c-8d3e-0c11c4057000"
"""A key for everybody to know: it opens nothing but a sandbox."""

LATENCY_SECONDS: Final = (0.05, 3.0)
OUTAGE_EVERY_SECONDS: Final = 600.0
OUTAGE_FOR_SECONDS: Final = 20.0
OutageStyle = Literal["both", "reset", "hang"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`outage_every` and `outage_for` are seconds of the sandbox's time, `idle_exit` real ones; 0 means never."""

    host: str = "127.0.0.1"
    port: int = 0
    username: str = DEMO_USERNAME
    key: str = DEMO_KEY
    seed: int = 1
    speed: float = 1.0
    policy: Policy = field(default_factory=Policy)
    outage_every: float = 0.0
    outage_for: float = 0.0
    outage_style: OutageStyle = "both"
    ewaybill_required: bool = False
    plain_labels: bool = False
    idle_exit: float = 0.0
    state_file: str = ""


@dataclass(slots=True)
class World:
    options: Options
    clock: Clock
    policy: Policy = field(init=False)
    book: Book = field(init=False)
    labels: Labels = field(init=False)
    calls: Counter[str] = field(init=False)
    kinds: Counter[Kind] = field(init=False)
    refusals: Counter[int] = field(init=False)
    """Create calls turned down for what their payload said, by code."""
    started_at: float = field(init=False)
    silent_until: float = field(init=False)
    requests: int = field(init=False)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As it was at the start: nothing booked, nothing counted, the rules it was given on its command line."""
        self.policy = self.options.policy
        self.book = Book()
        self.labels = Labels(plain=self.options.plain_labels)
        self.calls = Counter()
        self.kinds = Counter()
        self.refusals = Counter()
        self.started_at = self.clock.now()
        self.silent_until = 0.0
        self.requests = 0

    def silent(self, now: float) -> bool:
        """Whether the whole host is out: by hand, or on its round. The first round begins with a good spell."""
        if now < self.silent_until:
            return True
        every, lasts = self.options.outage_every, self.options.outage_for
        if not every or not lasts or not self.policy.host_does(Kind.OUTAGE):
            return False
        return (now - self.started_at) % every >= every - lasts

    def latency(self, path: str) -> float:
        """Most answers are quick, a few are not."""
        if not self.policy.host_does(Kind.SLOW):
            return 0.0
        low, high = LATENCY_SECONDS
        return low + (high - low) * Dice(self.options.seed, "latency", self.requests).share(path) ** 4
