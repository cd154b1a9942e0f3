"""`bilty demo`, as a newcomer meets it: one command, in a folder with examples/, and nothing left behind."""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pypdf
import pytest

from bilty import postgres
from bilty.store.database import connect_pool
from process.programs import Program, Programs, ended, free_port, processes_in
from process.town import EXAMPLES, Town, first_orders, town_at

ONCE_WITHIN_S = 180
SHIPMENTS, SHIPMENTS_OF_THE_KILLED = 60, 15
MOMENT = 12
"""The demo is killed after so many changes were told: the first labels are there, most are not."""
LEFT_CLEAN = "0 unknown to Bilty or still coming, 0 shipments with two, 0 with another number of boxes than sent"


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """Where the demos of a test run, each in a folder of its own. What they leave is ended."""
    yield tmp_path
    for folder in tmp_path.rglob(".demo"):
        if (folder / "postgres" / "postmaster.pid").exists():
            with postgres.running(folder):
                pass
    for pid in processes_in(tmp_path):
        os.kill(pid, signal.SIGKILL)


def checkout(folder: Path, shipments: int = SHIPMENTS) -> Path:
    """A folder with examples/ alone: the demo needs nothing else of a checkout."""
    shutil.copytree(EXAMPLES, folder / "examples")
    first_orders(shipments, folder / "examples" / "orders.csv")
    return folder


class Card(msgspec.Struct):
    url: str
    pid: int


def sandbox_of(folder: Path) -> Card:
    return msgspec.json.decode((folder / ".demo" / "sandbox.json").read_bytes(), type=Card)


def plain(said: str) -> str:
    return re.sub(r"\s+", " ", said)


async def check_labels(folder: Path, shipments: int) -> None:
    """A page a box, and one more where the courier sends a document page. Bilty's books say which those are."""
    with postgres.running(folder / ".demo") as dsn:
        pool = await connect_pool(dsn, size=1)
        rows = await pool.fetch(
            """SELECT s.number, s.status, s.box_count, t.children,
                      (SELECT count(*) FROM jsonb_array_elements(t.children) c WHERE c ->> 'description' = 'Document')
                      AS documents
                 FROM shipments s LEFT JOIN turns t ON t.shipment_id = s.id AND t.state = 'won' ORDER BY s.number"""
        )
        await pool.close()
    assert len(rows) == shipments
    ready = [row for row in rows if row["status"] == "label_ready"]
    assert len(ready) > shipments / 2
    files = {file.stem: file for file in (folder / ".demo" / "labels").iterdir()}
    assert files.keys() == {row["number"] for row in ready}
    pages = {row["number"]: len(pypdf.PdfReader(files[row["number"]]).pages) for row in ready}
    assert pages == {row["number"]: row["box_count"] + row["documents"] for row in ready}
    assert any(row["documents"] for row in ready) or shipments < SHIPMENTS, "no courier sent a document page"


def check_end(demo: Program, folder: Path, shipments: int) -> None:
    assert demo.wait(ONCE_WITHIN_S) == 0, demo.said + demo.complained
    assert len(set(re.findall(r"\bSO-1\d{4}\b", demo.said.partition("Labels:")[0]))) == shipments
    assert LEFT_CLEAN in plain(demo.said)
    assert "Labels: .demo/labels/" in plain(demo.said)
    assert processes_in(folder) == {}


async def test_once_unbroken_and_once_killed_in_the_middle(
    programs: Programs, data_dir: Path, record_property: Callable[[str, object], None]
) -> None:
    """Both at the same time, because each takes a while in which next to nothing happens."""
    whole = checkout(data_dir / "unbroken")
    unbroken = programs.bilty("demo", "--once", folder=whole)
    began = asyncio.get_running_loop().time()
    broken = checkout(data_dir / "broken", SHIPMENTS_OF_THE_KILLED)
    with postgres.running(broken / ".demo") as dsn:
        # The demo shares the server that the test has started, so that the test hears what happens in it.
        async with town_at(dsn, "") as town:
            await kill_and_go_on(programs, broken, town)
    assert processes_in(broken) == {}
    await check_labels(broken, SHIPMENTS_OF_THE_KILLED)

    await asyncio.to_thread(check_end, unbroken, whole, SHIPMENTS)
    record_property("seconds", asyncio.get_running_loop().time() - began)
    await check_labels(whole, SHIPMENTS)


async def kill_and_go_on(programs: Programs, folder: Path, town: Town) -> None:
    demo = programs.bilty("demo", "--once", folder=folder)
    await town.until_told(MOMENT)
    demo.kill()
    sandbox = sandbox_of(folder)
    await town.lease_ran_out()
    again = programs.bilty("demo", "--once", folder=folder)
    assert await asyncio.to_thread(again.wait, ONCE_WITHIN_S) == 0, again.said + again.complained
    assert LEFT_CLEAN in plain(again.said)
    assert ended(sandbox.pid), "the second demo found the first one's sandbox, and ended it"
    assert not (folder / ".demo" / "sandbox.json").exists()


async def test_the_panel_opens_and_ctrl_c_ends_everything(programs: Programs, data_dir: Path) -> None:
    folder, address = checkout(data_dir / "shop"), f"127.0.0.1:{free_port()}"
    bystander, _ = programs.sandbox()
    demo = programs.bilty("demo", folder=folder, settings={"BILTY_LISTEN": address})
    panel = demo.hear(r"Panel +(\S+)\n")[1]
    link = demo.hear(r"Sign in +(\S+)\n")[1]
    assert panel == f"http://{address}"
    assert link.startswith(f"{panel}/sign-in/")
    sandbox = sandbox_of(folder)
    async with httpx.AsyncClient(base_url=panel) as browser:
        assert (await browser.get(link)).status_code == 200
        signed_in = await browser.post(link, headers={"Origin": panel})
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/shipments")
        page = await browser.get("/shipments")
        assert page.status_code == 200
        assert "SO-10060" in page.text

        assert demo.end(signal.SIGINT) == 0
        assert "Traceback" not in demo.complained
        assert ended(sandbox.pid)
        assert processes_in(folder) == {}
        assert bystander.running
        with pytest.raises(httpx.ConnectError):
            await browser.get("/healthz")

        again = programs.bilty("demo", folder=folder, settings={"BILTY_LISTEN": address})
        again.hear("Sign in")
        page = await browser.get("/shipments")
        assert page.status_code == 200, "the session of before opens it still: its data is found"
        assert page.text.count(">SO-10060<") == 1
    assert again.end(signal.SIGTERM) == 0
    assert processes_in(folder) == {}


def test_a_busy_port_is_said_and_ends_the_sandbox_too(programs: Programs, data_dir: Path) -> None:
    folder = checkout(data_dir / "shop", 3)
    _, taken = programs.sandbox()
    address = taken.removeprefix("http://").removesuffix("/api")
    demo = programs.bilty("demo", folder=folder, settings={"BILTY_LISTEN": address})
    assert demo.wait() == 1
    assert demo.complained == (
        f"Cannot listen on {address} (Address already in use). "
        "Stop what listens there, or name another address in BILTY_LISTEN.\n"
    )
    assert processes_in(folder) == {}


def test_without_examples_it_says_where_to_run_it(programs: Programs, tmp_path: Path) -> None:
    demo = programs.bilty("demo", "--once", folder=tmp_path)
    assert demo.wait() == 1
    assert demo.complained == "examples/ is not in this folder: run the demo from a checkout of Bilty.\n"
    assert not (tmp_path / ".demo").exists()
