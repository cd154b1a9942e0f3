"""What a killed program was having done for it comes to an end by itself: nobody is left who would end it."""

import signal
import struct
import subprocess
import sys

from test_security_pdf import of_nested_pages

PRESSES = """
import sys
from bilty.documents.__main__ import merge_all

merge_all(sys.stdin.buffer, sys.stdout.buffer, alone_s=0.5)
"""


def test_a_press_that_a_label_keeps_busy_ends_though_its_worker_is_dead() -> None:
    """It would take a processor and gigabytes for as long as the machine runs, once for every such kill."""
    bomb = of_nested_pages()
    with subprocess.Popen(
        [sys.executable, "-P", "-c", PRESSES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as press:
        try:
            press.communicate(struct.pack(">IBIIQ", 0, 0, 0, 0, len(bomb)) + bomb, timeout=60)
        finally:
            press.kill()
    assert press.returncode == -signal.SIGALRM
