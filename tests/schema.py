"""The whole schema as one file for readers: what the migrations make, as PostgreSQL itself writes it down."""

import importlib.util
import os
import re
import subprocess
from pathlib import Path

from bilty.postgres.programs import INSTALLATION, PACKAGE

FILE = Path(__file__).parents[1] / "docs" / "schema.sql"
RENEW = "RENEW_SCHEMA"
HEAD = "-- What the files of src/bilty/store/migrations make. Renewed by: RENEW_SCHEMA=1 ./run test -k schema_sql\n"
_NOISE = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\..*|\\.*)\n", re.MULTILINE)


def dumped(dsn: str) -> str:
    """The schema of the database at `dsn`, without what differs from one installation to another."""
    program = _carried() / "bin/pg_dump"
    command = [str(program), "--schema-only", "--no-owner", "--no-privileges", dsn]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    return HEAD + re.sub(r"\n{3,}", "\n\n", "\n" + _NOISE.sub("", said)).rstrip() + "\n"


def renewed(schema: str) -> bool:
    """Whether a person asked for the file to be written anew; then it is."""
    if os.environ.get(RENEW):
        FILE.write_text(schema)
        return True
    return False


def _carried() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    assert found
    assert found.origin
    return Path(found.origin).parent / INSTALLATION
