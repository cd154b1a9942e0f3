"""A disk that is full, under what a program says of itself: found by the chaos run, which fills it."""

import os
import subprocess
import sys
from pathlib import Path

FULL = Path("/dev/full")
"""Takes nothing: every write to it fails as one to a full disk does."""
SAYS = """
import logging, structlog
from bilty.cli.ground import configure_logs

configure_logs(quiet=False)
log = structlog.get_logger()
log.warning("database.away", why="a reason")
try:
    raise OSError("the label store is full, too")
except OSError:
    log.exception("label.not_kept")
logging.getLogger("uvicorn").error("and so on")
print("goes on", flush=True)
"""


def test_logs_that_cannot_be_written_stop_nobody() -> None:
    """A worker that says that it waits for its database must wait for it, not end because it could not say so."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BILTY_")}
    with FULL.open("wb") as full:
        said = subprocess.run(
            [sys.executable, "-c", SAYS], stdout=subprocess.PIPE, stderr=full, env=environment, check=False, timeout=60
        )
    assert said.stdout == b"goes on\n"
