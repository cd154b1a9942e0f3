"""The program, its server and its clock."""

import asyncio
import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sandbox_caller import B2B, b2b_order, calling

from bilty_sandbox import DEMO_KEY, DEMO_USERNAME, FastClock, Kind, ManualClock, Options, Policy, Sandbox, serve
from bilty_sandbox.__main__ import _options
from bilty_sandbox.server import BODY_BYTES_MAX


@contextmanager
def program(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "bilty_sandbox", "--listen", "127.0.0.1:0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.terminate()


def test_the_program_says_one_line_serves_and_ends_on_sigterm() -> None:
    with program("--mischief", "off", "--seed", "3") as (process, line):
        assert line.startswith("sandbox ready at http://127.0.0.1:")
        assert line.endswith("/api\n")
        port = int(line.split(":")[-1].removesuffix("/api\n"))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        for expected in (200, 323):  # two on one connection
            connection.request("POST", f"{B2B}?username=demo&key={DEMO_KEY}", json.dumps(b2b_order()))
            assert json.load(connection.getresponse())["meta"]["status"] == expected
        connection.close()
        process.send_signal(signal.SIGTERM)
        said, complained = process.communicate(timeout=5)
    assert (process.returncode, said, complained) == (0, "", "")


def test_the_command_line_becomes_options() -> None:
    options = _options(
        ["--listen", "0.0.0.0:9", "--speed", "60", "--off", "never", "--courier", "113/Delhivery-B2B=async+child_extra"]
    )
    assert (options.host, options.port, options.speed) == ("0.0.0.0", 9, 60)
    assert options.policy.enabled
    assert options.policy.off == (Kind.NEVER,)
    rule = options.policy.rules[0]
    assert (rule.cp_id, rule.account_code, rule.kinds) == (113, "Delhivery-B2B", (Kind.ASYNC, Kind.CHILD_EXTRA))
    assert (options.outage_every, options.outage_for) == (600, 20)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--listen", "8080"],
        ["--speed", "0"],
        ["--off", "explode"],
        ["--courier", "Delhivery=async"],
        ["--mischief", "?"],
    ],
)
def test_a_malformed_option_stops_the_program(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _options(arguments)
    assert arguments[1] in capsys.readouterr().err


async def test_a_sandbox_tells_where_it_is_and_can_be_reached_there() -> None:
    async with serve(Options(policy=Policy(enabled=False))) as sandbox:
        assert sandbox.url == f"http://127.0.0.1:{sandbox.port}/api"
        assert sandbox.control_url == f"http://127.0.0.1:{sandbox.port}/sandbox"
        assert len(sandbox.book) == 0
        await _connect_and_leave(sandbox)
    with pytest.raises(OSError, match="Connect call failed"):
        await _connect_and_leave(sandbox)


async def test_leaving_drops_an_answer_that_is_held_back() -> None:
    async with calling(Kind.BOOKED_HANG) as caller:
        task = asyncio.create_task(caller.post(B2B, b2b_order()))
        await caller.clock.held.wait()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await task


async def test_a_client_that_gives_up_is_not_answered() -> None:
    async with calling(Kind.BOOKED_HANG) as caller:
        task = asyncio.create_task(caller.post(B2B, b2b_order()))
        await caller.clock.held.wait()
        task.cancel()
        # The connection's end is heard before any later call's.
        await caller.bare("GET", "/sandbox/healthz")
        await caller.bare("GET", "/sandbox/healthz")
        assert caller.clock.waiting == 0


@pytest.mark.parametrize("sent", [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"])
async def test_what_is_not_http_is_hung_up_on(sent: bytes) -> None:
    async with calling() as caller:
        reader, writer = await asyncio.open_connection("127.0.0.1", caller.sandbox.port)
        writer.write(sent)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()


async def test_a_body_without_end_is_hung_up_on() -> None:
    async with calling() as caller:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await caller.bare("POST", B2B, b" " * (BODY_BYTES_MAX + 1))
        assert len(caller.sandbox.book) == 0


async def test_requests_in_one_piece_are_answered_one_after_the_other() -> None:
    async with calling() as caller:
        reader, writer = await asyncio.open_connection("127.0.0.1", caller.sandbox.port)
        writer.write(b"GET /sandbox/healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        for _ in range(2):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(15) == b'{"status":"ok"}'
        writer.close()


async def test_a_client_may_ask_before_it_sends_its_body() -> None:
    async with calling() as caller:
        reader, writer = await asyncio.open_connection("127.0.0.1", caller.sandbox.port)
        writer.write(b"POST /sandbox/outages HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(b"{}")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 400")
        writer.close()


async def test_fast_time_runs_by_its_speed() -> None:
    clock = FastClock(speed=100_000)
    rung = asyncio.Event()
    before = clock.now()
    clock.call_later(600, rung.set)
    await asyncio.wait_for(rung.wait(), 5)
    assert clock.now() - before >= 500


def test_manual_time_does_things_in_order_and_not_what_was_called_off() -> None:
    clock, done = ManualClock(0), list[str]()
    clock.call_later(3, lambda: done.append("third"))
    call_off = clock.call_later(2, lambda: done.append("second"))
    clock.call_later(1, lambda: done.append("first"))
    call_off()
    assert clock.waiting == 2
    clock.advance(2.5)
    assert done == ["first"]
    clock.advance(0.5)
    call_off()
    assert (done, clock.now(), clock.waiting) == (["first", "third"], 3, 0)


async def _connect_and_leave(sandbox: Sandbox) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
    writer.close()


def test_it_remembers_what_was_booked_over_a_restart(tmp_path: Path) -> None:
    """An outside company does not forget because its program was started anew; nor does its time go back."""
    state = str(tmp_path / "sandbox.state")
    times = []
    for expected in (200, 323):
        with program("--mischief", "off", "--speed", "1000", "--state", state) as (process, url):
            connection = http.client.HTTPConnection(url.split("/")[2], timeout=5)
            path = f"{B2B}?username={DEMO_USERNAME}&key={DEMO_KEY}"
            connection.request("POST", path, json.dumps(b2b_order("R-1")), {"Content-Type": "application/json"})
            assert json.load(connection.getresponse())["meta"]["status"] == expected
            connection.request("GET", "/sandbox/truth")
            (booking,) = json.load(connection.getresponse())["bookings"]
            times.append(booking["received_at"])
            connection.close()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=5)
    assert times[0] == times[1]
