"""ClickPost B2B, behind the seam of `bilty.aggregator`.

`request` says what is asked and `answer` what was heard, both pure; `connector` puts them in order around the call.
Two ways to create an order are known, see `CreateStyle`; `docs/brief-gaps.md` tells what is assumed.
"""

from bilty.aggregator.clickpost.connector import ClickPost
from bilty.aggregator.clickpost.request import CreateStyle, Endpoints, StatusStyle

__all__ = ["ClickPost", "CreateStyle", "Endpoints", "StatusStyle"]
