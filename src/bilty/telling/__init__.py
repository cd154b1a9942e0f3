"""What happened, what happens next, and what the reader can do: sentences for the API and the panel, and nothing else.

Pure: facts and `now` are given, clock times are told in the zone of the facility. ClickPost's own words follow what
they mean, and its code follows them in brackets. A person who is on the telephone to a courier reads these aloud.
"""

from bilty.telling.acts import Button, button, told_done
from bilty.telling.changes import changed_fields, told_changes
from bilty.telling.hours import hour_of, told_hours
from bilty.telling.phrases import STATUS_WORDS, clock, span
from bilty.telling.problems import CONCERN_WORDS, Problem, problem
from bilty.telling.providers import told_notice, told_provider
from bilty.telling.standing import Piece, told_standing
from bilty.telling.strip import Cell, cell, strip
from bilty.telling.terms import doubt_of, told_hour, told_slot, told_terms
from bilty.telling.timeline import told_faster, told_moment
from bilty.telling.turns import next_courier, told_briefly, told_return, told_status, told_turn
from bilty.telling.window import Window, window

__all__ = [
    "CONCERN_WORDS",
    "STATUS_WORDS",
    "Button",
    "Cell",
    "Piece",
    "Problem",
    "Window",
    "button",
    "cell",
    "changed_fields",
    "clock",
    "doubt_of",
    "hour_of",
    "next_courier",
    "problem",
    "span",
    "strip",
    "told_briefly",
    "told_changes",
    "told_done",
    "told_faster",
    "told_hour",
    "told_hours",
    "told_moment",
    "told_notice",
    "told_provider",
    "told_return",
    "told_slot",
    "told_standing",
    "told_status",
    "told_terms",
    "told_turn",
    "window",
]
