"""Real processes for tests: started, listened to, killed, and always ended."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

WITHIN_S = 60
"""Longer than anything here takes on a slow machine: a test that hangs fails by this."""


class Program:
    """A program of ours in a session of its own. What it says on stderr is kept in a file."""

    def __init__(self, command: list[str], environment: Mapping[str, str], folder: Path, errors: Path) -> None:
        self.began = time.monotonic()
        with errors.open("wb") as stream:
            self._process = subprocess.Popen(
                command,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stream,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        self._output = self._process.stdout
        self._errors = errors
        self.said = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def complained(self) -> str:
        return self._errors.read_text("utf-8", "replace")

    def hear(self, pattern: str, within_s: float = WITHIN_S) -> re.Match[str]:
        """Reads what it prints until that matches."""
        deadline = time.monotonic() + within_s
        while (found := re.search(pattern, self.said)) is None:
            if not self._read(deadline - time.monotonic()):
                raise AssertionError(f"{pattern!r} was not said but:\n{self.said}\n{self.complained}")
        return found

    def end(self, number: signal.Signals = signal.SIGTERM, within_s: float = WITHIN_S) -> int:
        """Sends the signal to its process group, and returns the exit code."""
        os.killpg(self.pid, number)
        return self.wait(within_s)

    def kill(self) -> None:
        """As a power cut would, and only this program: what it started lives on."""
        os.kill(self.pid, signal.SIGKILL)
        assert self.wait() == -signal.SIGKILL

    def wait(self, within_s: float = WITHIN_S) -> int:
        """Reads to the end of what it prints, and returns the exit code."""
        deadline = time.monotonic() + within_s
        ended = os.pidfd_open(self.pid)
        try:
            while not select.select([ended], [], [], 0)[0] and self._read(deadline - time.monotonic(), ended):
                pass
            if not select.select([ended], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"did not end within {within_s} s:\n{self.said}\n{self.complained}")
        finally:
            os.close(ended)
        while self._read(0):
            pass
        return self._process.wait()

    def close(self) -> None:
        if self.running:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        self._output.close()

    def _read(self, within_s: float, *others: int) -> bool:
        """Whether anything was printed, or happened to `others`, in time."""
        output = self._output.fileno()
        ready, _, _ = select.select([output, *others], [], [], max(0.0, within_s))
        if output not in ready:
            return bool(ready)
        chunk = os.read(output, 65_536)
        self.said += chunk.decode("utf-8", "replace")
        return bool(chunk)


class Programs:
    """Starts programs, with no BILTY_ setting but those given, and ends what still runs when it is left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._all: list[Program] = []

    def start(self, *command: str, folder: Path | None = None, settings: Mapping[str, object] | None = None) -> Program:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("BILTY_")}
        environment = {
            **plain,
            "HOME": str(self.folder),
            **{name: str(value) for name, value in (settings or {}).items()},
        }
        errors = self.folder / f"stderr-{len(self._all)}.txt"
        program = Program([sys.executable, "-m", *command], environment, folder or self.folder, errors)
        self._all.append(program)
        return program

    def bilty(
        self, *arguments: str, folder: Path | None = None, settings: Mapping[str, object] | None = None
    ) -> Program:
        return self.start("bilty", *arguments, folder=folder, settings=settings)

    def sandbox(self, *arguments: str) -> tuple[Program, str]:
        """A sandbox, and its address that ends in /api."""
        program = self.start("bilty_sandbox", "--listen", "127.0.0.1:0", *arguments)
        return program, program.hear(r"ready at (http://\S+)\n")[1]

    @property
    def complaints(self) -> str:
        return "".join(program.complained for program in self._all)

    def close(self) -> None:
        """What they complained of is printed: pytest shows it beside a test that failed."""
        for program in self._all:
            ran = "was running" if program.running else "had ended"
            program.close()
            sys.stdout.write(f"-- {program.pid} {ran}\n{program.complained}")


@contextmanager
def programs_in(folder: Path) -> Iterator[Programs]:
    programs = Programs(folder)
    try:
        yield programs
    finally:
        programs.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def processes_in(folder: Path) -> dict[int, str]:
    """The name of every process that works in `folder` or below, zombies left out, by process number."""
    found = {}
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdigit() and (each / "cwd").readlink().is_relative_to(folder):
                found[int(each.name)] = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
    return found


def ended(pid: int, within_s: float = WITHIN_S) -> bool:
    """Whether a process that is not our child has ended in time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], within_s)[0])
    finally:
        os.close(handle)
