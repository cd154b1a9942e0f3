"""How a drawing tells the time: briefly, and with seconds or a day only where they say something."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from bilty.turn import Rules
from bilty.words import MONTHS

SECONDS_BELOW = timedelta(minutes=5)
"""Where a whole window is shorter, its seconds are told."""


@dataclass(frozen=True, slots=True)
class Dial:
    now: datetime
    zone: tzinfo
    tells_seconds: bool = False

    def hour(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone)
        return f"{local:%H:%M:%S}" if self.tells_seconds else f"{local:%H:%M}"

    def date(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def day(self, moment: datetime) -> str:
        date = self.date(moment)
        return f"{date.day} {MONTHS[date.month - 1]}"

    def told(self, moment: datetime) -> str:
        """10:02, and with its day where it is another."""
        is_today = self.date(moment) == self.date(self.now)
        return self.hour(moment) if is_today else f"{self.day(moment)} {self.hour(moment)}"


def dial(rules: Rules, now: datetime, zone: tzinfo) -> Dial:
    return Dial(now, zone, rules.poll_interval * rules.polls_max < SECONDS_BELOW)
