"""What became of each row, and at last of them all: lines of JSON, told in the order in which rows came in."""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from bilty import telling
from bilty.store.access import Caller
from bilty.store.shipments import Intake
from bilty.turn import Rules
from bilty.web.arriving import Taken
from bilty.web.bulk.reading import Refusal, Row
from bilty.web.documents import Document
from bilty.web.problems import ProblemError, plain
from bilty.web.refusing import refused
from bilty.words import grouped
from bilty.workflow import Status, status


class RowError(Document, frozen=True, kw_only=True):
    line: int
    field: str
    value: str
    message: str


class RowTaken(Document, frozen=True, kw_only=True):
    row: int
    rows: tuple[int, int]
    result: Literal["new", "same"]
    id: int
    number: str
    facility: str
    status: Status
    awb: str | None
    label_url: str | None
    problem: telling.Problem | None
    warnings: tuple[str, ...]


class RowRefused(Document, frozen=True, kw_only=True):
    row: int
    rows: tuple[int, int]
    result: Literal["refused"] = "refused"
    id: int | None
    number: str
    type: str
    detail: str
    errors: tuple[RowError, ...]


class AllDone(Document, frozen=True, kw_only=True):
    done: Literal[True] = True
    rows: int
    new: int
    same: int
    refused: int


class BrokenOff(Document, frozen=True, kw_only=True):
    done: Literal[False] = False
    rows: int
    new: int
    same: int
    refused: int
    type: str
    detail: str
    resume: int


@dataclass(slots=True)
class Tally:
    """What was told so far."""

    new: int = 0
    same: int = 0
    refused: int = 0
    last_line: int = 0

    @property
    def rows(self) -> int:
        return self.new + self.same + self.refused


@dataclass(slots=True)
class Telling:
    """Turns what became of rows into lines, and counts them. `is_file`: they stand below a header."""

    whose: Caller
    rules: Rules
    base_url: str
    is_file: bool
    tally: Tally = field(default_factory=Tally)

    def row(self, row: Row, became: Taken | Exception | None) -> bytes:
        """`became` is None for a row that was never brought, and an exception where Bilty failed on it."""
        self.tally.last_line = row.last
        if isinstance(row.verdict, Refusal):
            return self._refused(row, row.verdict)
        if isinstance(became, Exception) or became is None:
            return self._refused(row, Refusal(plain(500)))
        if problem := refused(became, row.verdict.shipment, self.whose):
            return self._refused(row, Refusal(problem), became.shipment_id)
        return self._taken(row, became)

    def _refused(self, row: Row, refusal: Refusal, shipment_id: int = 0) -> bytes:
        self.tally.refused += 1
        problem = refusal.problem
        lines = refusal.lines or (row.first,) * len(problem.faults)
        return _line(
            RowRefused(
                row=row.first,
                rows=(row.first, row.last),
                id=shipment_id or None,
                number=row.number,
                type=problem.type,
                detail=problem.detail,
                errors=tuple(
                    RowError(line=line, field=fault.field, value=fault.value, message=fault.message)
                    for line, fault in zip(lines, problem.faults, strict=True)
                ),
            )
        )

    def _taken(self, row: Row, taken: Taken) -> bytes:
        seen = taken.seen
        assert seen is not None
        is_new = taken.intake is Intake.NEW
        self.tally.new += is_new
        self.tally.same += not is_new
        holder = seen.progress.holder
        ready = holder is not None and holder.label_sha256 != ""
        return _line(
            RowTaken(
                row=row.first,
                rows=(row.first, row.last),
                result="new" if is_new else "same",
                id=seen.id,
                number=seen.shipment.number,
                facility=seen.shipment.facility,
                status=status(seen.progress),
                awb=holder.awb or None if holder else None,
                label_url=f"{self.base_url}/api/v1/shipments/{seen.id}/label.pdf" if ready else None,
                problem=telling.problem(seen.progress, self.rules),
                warnings=seen.to_look_at,
            )
        )

    def last(self, problem: ProblemError | None, resume: int | None) -> bytes:
        """Without a problem all is done."""
        tally = self.tally
        if problem is None:
            return _line(AllDone(rows=tally.rows, new=tally.new, same=tally.same, refused=tally.refused))
        go_on_from = resume or tally.last_line + 1
        whole = "the header and what stands from line" if self.is_file else "what stands from line"
        return _line(
            BrokenOff(
                rows=tally.rows,
                new=tally.new,
                same=tally.same,
                refused=tally.refused,
                type=problem.type,
                detail=f"{problem.detail} What is told above is settled: send all again, and it is told as `same`; "
                f"or {whole} {grouped(go_on_from)} on.",
                resume=go_on_from,
            )
        )


def _line(document: Document) -> bytes:
    return msgspec.json.encode(document) + b"\n"
