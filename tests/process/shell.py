"""A guide's commands, typed as they stand by somebody in a hurry: in order, in one shell, beside a demo."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bilty import postgres
from process.programs import WITHIN_S
from process.town import EXAMPLES, first_orders

DEMO = "./run demo\n"
SAMPLES = 3


@contextmanager
def checkout_in(folder: Path) -> Iterator[Path]:
    """A folder with the examples of a checkout. The demo's server is ended with it."""
    shutil.copytree(EXAMPLES, folder / "examples")
    first_orders(SAMPLES, folder / "examples" / "orders.csv")
    yield folder
    if (folder / ".demo" / "postgres" / "postmaster.pid").exists():
        with postgres.running(folder / ".demo"):
            pass


@dataclass
class Shell:
    """What is typed runs until its end is heard; a command that fails ends the shell, and so the test."""

    process: Process
    said: str = ""
    typed: int = 0

    async def type(self, commands: str) -> str:
        """Returns what was said since."""
        before, self.typed = len(self.said), self.typed + 1
        assert self.process.stdin is not None
        self.process.stdin.write(f"{commands}\necho; echo 'typed {self.typed}'\n".encode())
        await self.process.stdin.drain()
        await self.hears(rf"typed {self.typed}$")
        return self.said[before:]

    async def hears(self, pattern: str) -> re.Match[str]:
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(WITHIN_S):
                while (found := re.search(pattern, self.said, re.MULTILINE)) is None:
                    chunk = await self.process.stdout.read(65_536)
                    assert chunk, f"the shell ended before {pattern!r}:\n{self.said}"
                    self.said += chunk.decode()
        except TimeoutError:
            raise AssertionError(f"{pattern!r} was not heard:\n{self.said}") from None
        return found


@asynccontextmanager
async def shell_in(folder: Path) -> AsyncIterator[Shell]:
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", stdin=PIPE, stdout=PIPE, stderr=STDOUT, cwd=folder, start_new_session=True
    )
    try:
        yield Shell(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and what it has in the background
        await process.communicate()


def here(commands: str, ports: dict[str, str]) -> str:
    """As it stands but for the ports, of which this machine may have others in use, and where Bilty lies."""
    for port, free in ports.items():
        commands = re.sub(rf"\b{port}\b", free, commands)
    return commands.replace("./run bilty", f"{sys.executable} -m bilty")


def pattern_of(line: str) -> str:
    """A line of the guide, in which … stands for what is another's each time."""
    return re.escape(line).replace("…", r"\S+") + "$"
