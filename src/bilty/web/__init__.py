"""The panel and the API: requests in, rows written, sentences out. A request never calls a courier."""

from bilty.web.app import make_app
from bilty.web.changes import Changes
from bilty.web.tools import WebTools

__all__ = ["Changes", "WebTools", "make_app"]
