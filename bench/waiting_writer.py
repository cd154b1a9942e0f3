"""The writer of `bench/waiting.py`, in a process of its own: settles labels as a dispatcher does, at an even pace.

waiting_writer.py DATABASE SECRET LABELS_A_SECOND
"""

import asyncio
import sys
import time
from dataclasses import dataclass, field

from bilty.reply import Courier, Label, Paper, Ranking
from bilty.store import claims, settlements
from bilty.store.claims import Claim
from bilty.store.database import connect_pool
from bilty.store.providers import Keyring
from bilty.store.secrets import Vault
from bilty.store.settlements import Outcome
from bilty.turn import Rules, Step

BEHIND_MAX_S = 0.1
"""What it is late by it catches up with at once, up to this: its stalls are not to be measured as bursts."""
COURIER = Courier(4, "main", "Delhivery B2B")


@dataclass(slots=True)
class Writer:
    """Brings shipments up to their label at once, and the labels themselves at its pace."""

    dsn: str
    secret: str
    labels_a_second: float
    ready: list[Claim] = field(default_factory=list)

    async def run(self) -> None:
        """Prints a line a label: the shipment's id, and the moments before and behind the commit."""
        pool = await connect_pool(self.dsn, size=2)
        keyring, rules = Keyring(Vault(self.secret)), Rules()
        due = time.monotonic()
        while True:
            claimed = await claims.claim(pool, keyring, calls_max=10_000, calls_out={})
            self.ready += [each for each in claimed if each.step is Step.FETCH_LABEL]
            asked = [Outcome(each, self._reply(each), ()) for each in claimed if each.step is not Step.FETCH_LABEL]
            if asked:
                await settlements.settle(pool, asked, rules)
            now = time.monotonic()
            due = max(due, now - BEHIND_MAX_S)
            count = min(len(self.ready), int((now - due) * self.labels_a_second))
            if count:
                due += count / self.labels_a_second
                labelled, self.ready = self.ready[:count], self.ready[count:]
                await settlements.settle(pool, [Outcome(each, Paper("0" * 64, 3), ()) for each in labelled], rules)
                after = time.monotonic()
                for each in labelled:
                    print(each.shipment_id, now, after)
                sys.stdout.flush()
            await asyncio.sleep(max(0.0, due + 1 / self.labels_a_second - time.monotonic()))

    def _reply(self, claim: Claim) -> Ranking | Label:
        return Ranking((COURIER,)) if claim.step is Step.RANK else Label(f"AWB{claim.turn_id}")


if __name__ == "__main__":
    asyncio.run(Writer(sys.argv[1], sys.argv[2], float(sys.argv[3])).run())
