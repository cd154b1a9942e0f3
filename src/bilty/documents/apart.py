"""A process of its own for reading other people's PDFs: it may hang, crash or swell, and it holds no secret of ours."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
"""All it gets of our environment."""


@asynccontextmanager
async def apart(*arguments: str, told: bool = False) -> AsyncIterator[Process]:
    """Python with these arguments, its input and output ours; it does not outlive the block. `told`: errors, too."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        *arguments,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE if told else DEVNULL,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
