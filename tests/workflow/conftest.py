import pytest

from workflow.machine import Machine, real


@pytest.fixture(scope="session")
def machine() -> Machine:
    return real()
