"""Programs of a test's own, all ended when it is over, whatever happened; and data folders whose server ends too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bilty import postgres
from process.programs import Programs, programs_in


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    if (folder / "postgres" / "postmaster.pid").exists():
        # A program was killed and left its server behind: be its last user, and so end it.
        with postgres.running(folder):
            pass


@pytest.fixture
def programs(tmp_path: Path, data_dir: Path) -> Iterator[Programs]:
    """Ended before `data_dir` looks for servers that are left."""
    with programs_in(tmp_path) as started:
        yield started
