"""What jobs work with, and the two ways in which one does not come to its end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from bilty.aggregator import Aggregator
from bilty.intake import IntakeRules
from bilty.oms.sending import Send
from bilty.shipping_provider import Connector
from bilty.store.database import Pool
from bilty.store.labels import LabelStore
from bilty.store.secrets import Vault
from bilty.turn import Rules

Stopping: TypeAlias = Callable[[], bool]
NO_STORE = "Bilty's label store cannot be {done} ({why}). Nothing was printed: run `bilty doctor`, then print again."


@dataclass(frozen=True, slots=True)
class Tools:
    """`aggregator` speaks with a connector's credentials. `pickup_again`: a pickup that is past is asked for anew.

    `calls_max`: how many calls of jobs may be out at once at a provider whose connector does not say.
    `reconcile_every`: between two reconciliations; None for never.
    """

    pool: Pool
    vault: Vault
    labels: LabelStore
    aggregator: Callable[[Connector], Aggregator]
    rules: Rules
    sender: Send
    pickup_again: bool = True
    calls_max: int = 200
    reconcile_every: timedelta | None = None
    intake: IntakeRules = field(default_factory=IntakeRules)


class StoppedEarly(Exception):  # noqa: N818 - nothing went wrong
    """The worker stops; whoever takes the job next goes on with what is left."""


class CannotFinish(Exception):  # noqa: N818 - said to a person as it stands
    """One sentence: what is in the way of the whole job, and the remedy."""


def stop_here(stopping: Stopping) -> None:
    """Between two steps. Raises StoppedEarly."""
    if stopping():
        raise StoppedEarly
