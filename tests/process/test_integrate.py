"""docs/integrate.md, typed as it stands by somebody in a hurry: each of its commands, in order, in one shell."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import guide
from bilty import postgres
from process.programs import WITHIN_S, Programs, ended, free_port, processes_in
from process.town import EXAMPLES, first_orders

DEMO = "./run demo\n"
SAMPLES = 3


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A folder with the examples of a checkout. The demo's server is ended with the test."""
    folder = tmp_path / "checkout"
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
        await self.hears(rf"^typed {self.typed}$")
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


async def test_the_ten_minutes(programs: Programs, data_dir: Path) -> None:
    guide.needed("curl")
    ports = {"8080": str(free_port()), "9000": str(free_port())}
    demo_too, make_key, receiver, send, read, again, replay, end, change, bulk = guide.blocks("sh")
    assert demo_too == DEMO
    settings = {"BILTY_LISTEN": f"127.0.0.1:{ports['8080']}"}
    demo = programs.bilty("demo", folder=data_dir, settings=settings)
    await asyncio.to_thread(demo.hear, "Sign in")
    async with shell_in(data_dir) as shell:
        told = await shell.type(here(make_key, ports))
        assert '"scope":"admin"' in told
        told = await shell.type(here(receiver, ports))
        assert '"state":"well"' in told
        told = await shell.type(here(send, ports))
        assert '"status":"label_ready"' in told or '"status":"label_requested"' in told
        for line in guide.blocks("text")[0].splitlines():
            await shell.hears(pattern_of(here(line, ports)))
        events = re.findall(r"(shipment\.\w+) SO-1001 .*signature right, answered 204", shell.said)
        assert events == ["shipment.courier_changed", "shipment.label_requested", "shipment.label_ready"]
        told = await shell.type(here(read, ports))
        assert told.count('"status":"label_ready"') == 1
        assert len(re.findall(r'"reference":"SO-1001-\d","awb":"[^"]+"', told)) == 3
        told = await shell.type(here(again, ports))
        assert told.count('"status":"label_ready"') == 2
        assert len(set(re.findall(r'"awb":"([^"]+)"', told))) == 1, "nothing was booked anew"
        told = await shell.type(here(replay, ports))
        assert '{"deliveries":1}' in told
        await shell.hears(r"label_ready SO-1001 .*\(signature right, a repeat, heard 2 times, answered 204\)$")
        told = await shell.type(here(end, ports))
        assert '"state":"well","failing_since":null' in told
        told = await shell.type(here(change, ports))
        assert '"phone":"9876543299"' in told
        assert told.count('"status":"cancelled"') == 1
        told = await shell.type(here(bulk, ports))
        assert f'{{"done":true,"rows":{SAMPLES},"new":0,"same":{SAMPLES},"refused":0}}' in told
    assert (data_dir / "label.pdf").read_bytes().startswith(b"%PDF-")
    assert await asyncio.to_thread(demo.end) == 0
    assert [name for pid, name in processes_in(data_dir).items() if not ended(pid)] == []


def pattern_of(line: str) -> str:
    """A line of the guide, in which … stands for what is another's each time."""
    return re.escape(line).replace("…", r"\S+") + "$"
