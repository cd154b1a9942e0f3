"""What a running Bilty consists of, put together: database, label store, dispatcher, deliverer, panel. `bilty.cli`
starts it.

    ground    database, vault and label store: what every command needs
    parts     what dispatcher, deliverer and jobs work with
    server    panel and API as they listen
    serving   all of it, from start to stop
"""

from bilty.running.ground import CannotStart, Database, Opened, database, opened
from bilty.running.parts import delivery_tools, dispatch_tools, endpoints_of, job_tools
from bilty.running.serving import run

__all__ = [
    "CannotStart",
    "Database",
    "Opened",
    "database",
    "delivery_tools",
    "dispatch_tools",
    "endpoints_of",
    "job_tools",
    "opened",
    "run",
]
