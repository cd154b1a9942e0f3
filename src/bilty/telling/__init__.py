"""What happened, what happens next, and what the reader can do: sentences for the API and the panel, and nothing else.

Pure: facts and `now` are given, clock times are told in the zone of the facility. ClickPost's own words follow what
they mean, and its code follows them in brackets. A person who is on the telephone to a courier reads these aloud.
"""

from bilty.telling.phrases import STATUS_WORDS, clock, span
from bilty.telling.problems import Problem, problem
from bilty.telling.providers import told_provider
from bilty.telling.strip import Cell, cell, strip
from bilty.telling.timeline import told_moment
from bilty.telling.turns import next_courier, told_briefly, told_status, told_turn

__all__ = [
    "STATUS_WORDS",
    "Cell",
    "Problem",
    "cell",
    "clock",
    "next_courier",
    "problem",
    "span",
    "strip",
    "told_briefly",
    "told_moment",
    "told_provider",
    "told_status",
    "told_turn",
]
