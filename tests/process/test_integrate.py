"""docs/integrate.md, typed as it stands: each of its commands, in order, in one shell."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import guide
from process.programs import Programs, ended, free_port, processes_in
from process.shell import DEMO, SAMPLES, checkout_in, here, pattern_of, shell_in


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    with checkout_in(tmp_path / "checkout") as folder:
        yield folder


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
