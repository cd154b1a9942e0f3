"""What the pages of Settings say alike: faults under the labels of the form, and who changed a thing last."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bilty.intake import Fault
from bilty.store.setting_up import Change
from bilty.web.forms import Form
from bilty.words import INDIA, day, grouped


def labelled(faults: Sequence[Fault], labels: Mapping[str, str]) -> list[Fault]:
    """Intake's sentences begin with a field's name; a person knows it by its label."""
    return [
        replace(fault, message=labels[fault.field] + fault.message.removeprefix(fault.field))
        if fault.field in labels and fault.message.startswith(f"{fault.field} ")
        else fault
        for fault in faults
    ]


def moment(at: datetime) -> str:
    local = at.astimezone(INDIA)
    return f"{day(local.date())}, {local:%H:%M}"


def changed_last(change: Change | None) -> str:
    """Blank where nobody has: what a command or the sample data set up may have no line."""
    return f"Changed last by {change.actor}, {moment(change.at)}." if change else ""


def overtaken(form: Form, change: Change | None) -> str:
    """What to tell whoever saved over a change that this form did not show yet. The last one wins, and knows it."""
    seen = form.get("seen", "")
    if change is None or not seen.isdecimal() or change.id <= int(seen):
        return ""
    return f" {change.actor} had changed it at {moment(change.at)}, after you opened the form: your values stand now."


def seen_mark(change: Change | None) -> str:
    """What the form sends along, for `overtaken`."""
    return str(change.id if change else 0)


def at_most(count: int, most: int) -> str:
    return f"{grouped(most)}+" if count > most else grouped(count)
