"""`python -m bilty_sandbox`: prints one line when it listens, and nothing else. SIGTERM or Ctrl-C ends it."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bilty_sandbox import memory
from bilty_sandbox.app import serve
from bilty_sandbox.kinds import Kind
from bilty_sandbox.mischief import Policy, Rule
from bilty_sandbox.world import DEMO_KEY, DEMO_USERNAME, OUTAGE_EVERY_SECONDS, OUTAGE_FOR_SECONDS, Options


def main(argv: Sequence[str] | None = None) -> None:
    options = _options(argv)
    asyncio.run(_run(options, Path(options.state_file) if options.state_file else None))


async def _run(options: Options, state: Path | None) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    clock = memory.remembered_clock(state, options.speed) if state else None
    async with serve(options, clock) as sandbox:
        if state:
            memory.remember(state, sandbox.world)
        sys.stdout.write(f"sandbox ready at {sandbox.url}\n")
        sys.stdout.flush()
        heard = -1
        while not ended.is_set() and sandbox.world.requests != heard:
            heard = sandbox.world.requests
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), options.idle_exit or None)
    if state:
        memory.write(state, sandbox.world)


def _options(argv: Sequence[str] | None) -> Options:
    given = _parser().parse_args(argv)
    host, _, port = str(given.listen).rpartition(":")
    hostile = given.mischief == "on"
    policy = Policy(enabled=hostile, off=tuple(given.off), rules=tuple(given.courier), usual=given.usual)
    return Options(
        host=host.strip("[]"),
        port=int(port),
        username=given.username,
        key=given.key,
        seed=given.seed,
        speed=given.speed,
        policy=policy,
        outage_every=given.outage_every,
        outage_for=given.outage_for,
        outage_style=given.outage_style,
        ewaybill_required=given.ewaybill_required,
        plain_labels=given.plain_labels,
        idle_exit=given.idle_exit,
        state_file=given.state,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bilty-sandbox", description="A hostile ClickPost B2B to test against.")
    add = parser.add_argument
    add("--listen", type=_address, default="127.0.0.1:8089", metavar="HOST:PORT", help="port 0: any free one")
    add("--username", default=DEMO_USERNAME, help=f"by default {DEMO_USERNAME}")
    add("--key", default=DEMO_KEY, help=f"by default {DEMO_KEY}")
    add("--seed", type=int, default=1, help="the same seed tells the same story of the same orders")
    add("--speed", type=_positive, default=1.0, help="how many sandbox seconds pass in a real one")
    add("--mischief", choices=("on", "off"), default="on")
    add(
        "--off",
        type=_kind,
        action="append",
        default=[],
        metavar="KIND",
        help=f"a kind that chance leaves alone: {', '.join(Kind)}",
    )
    add("--usual", type=_kind, default=Kind.AT_ONCE, metavar="KIND", help="the outcome where nothing else decides")
    add(
        "--courier",
        type=_rule,
        action="append",
        default=[],
        metavar="CP_ID[/ACCOUNT]=KIND[+KIND…]",
        help="what always befalls a courier, e.g. 113/Delhivery-B2B=async+children_reversed",
    )
    add("--outage-every", type=float, default=OUTAGE_EVERY_SECONDS, metavar="SECONDS", help="sandbox time; 0: never")
    add("--outage-for", type=float, default=OUTAGE_FOR_SECONDS, metavar="SECONDS")
    add("--outage-style", choices=("both", "reset", "hang"), default="both")
    add("--idle-exit", type=float, default=0.0, metavar="SECONDS", help="end when nobody asked for so long; 0: never")
    add("--state", default="", metavar="FILE", help="remember what was booked over a restart")
    add("--ewaybill-required", action="store_true", help="refuse invoices from 50,000 rupees without an e-way bill")
    add("--plain-labels", action="store_true", help="for benchmarks: labels that cost nothing to draw")
    return parser


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return text


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return number


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is none of: {', '.join(Kind)}") from None


def _rule(text: str) -> Rule:
    courier, _, kinds = text.partition("=")
    cp_id, _, account_code = courier.partition("/")
    if not cp_id.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not like 113/Delhivery-B2B=async")
    return Rule(tuple(map(_kind, kinds.split("+"))), cp_id=int(cp_id), account_code=account_code or None)


if __name__ == "__main__":
    main()
