"""Sheets between the papers of two couriers, or two shipments, of one print job: torn off, they part the pile."""

from dataclasses import dataclass

from reportlab.lib.units import mm

from bilty.documents.type import BOLD, LABEL_PAGE, Column, Paper

MARGIN = 8 * mm
ALL = Column(MARGIN, LABEL_PAGE[0] - 2 * MARGIN)


@dataclass(frozen=True, slots=True)
class Separator:
    """`title` is what comes behind it; `lines` say more of that, one each."""

    title: str
    lines: tuple[str, ...] = ()


def add_separator(paper: Paper, separator: Separator) -> None:
    paper.begin_page()
    width, height = LABEL_PAGE
    for bottom in (0.0, height - 6 * mm):
        paper.canvas.rect(0, bottom, width, 6 * mm, stroke=0, fill=1)
    top = paper.text(separator.title, ALL, height - 40 * mm, 30, font=BOLD, lines=3) - 4 * mm
    for line in separator.lines:
        top = paper.text(line, ALL, top, 13, lines=2) - 1 * mm
