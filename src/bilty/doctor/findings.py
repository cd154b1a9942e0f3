"""What a doctor finds, as values, and how it is said. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import urlsplit

Tell: TypeAlias = Callable[[str], object]
"""Says one line to the person in front of the screen."""

_PASSWORD = re.compile(r"(://[^/@\s:]*):[^/@\s]*@")


class Mark(StrEnum):
    """How a line begins. Only WRONG makes the exit code 1."""

    OK = "ok"
    WRONG = "!!"
    NOTE = "--"  # neither: not tried, or not to be had


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, and where something is wrong the remedy."""

    mark: Mark
    says: str
    remedy: str = ""


def ok(says: str) -> Finding:
    return Finding(Mark.OK, says)


def wrong(says: str, remedy: str) -> Finding:
    return Finding(Mark.WRONG, says, remedy)


def note(says: str, remedy: str = "") -> Finding:
    return Finding(Mark.NOTE, says, remedy)


def lines(finding: Finding) -> list[str]:
    told = [f"{finding.mark}  {finding.says}"]
    return [*told, f"    -> {finding.remedy}"] if finding.remedy else told


def any_wrong(findings: Iterable[Finding]) -> bool:
    return any(finding.mark is Mark.WRONG for finding in findings)


class Verdict(StrEnum):
    CONFIRMED = "confirmed"
    WRONG = "WRONG"
    UNSEEN = "not seen"


@dataclass(frozen=True, slots=True)
class Guess:
    """Something that Bilty assumes of ClickPost, and what the walk showed. `mend` names the setting."""

    verdict: Verdict
    says: str
    mend: str = ""


def guess_line(guess: Guess) -> str:
    mend = f" {guess.mend}" if guess.mend else ""
    return f"{guess.verdict:<9}  {guess.says}{mend}"


def judged(confirmed: bool | None, right: str, otherwise: str, mend: str = "") -> Guess:
    """`confirmed` is None where the walk did not get so far."""
    if confirmed is None:
        return Guess(Verdict.UNSEEN, right)
    return Guess(Verdict.CONFIRMED, right) if confirmed else Guess(Verdict.WRONG, otherwise, mend)


def without_password(url: str) -> str:
    """An address as it may be shown: no password and no query in it."""
    return _PASSWORD.sub(r"\1:…@", url.partition("?")[0])


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def told_settings(changed: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in changed.items()) or "all defaults"
