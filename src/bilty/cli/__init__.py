"""The command `bilty`. Each command says in one sentence what is wrong and what to do, and then exits with 1.

What a command needs is imported where it is used: `bilty --help` and a bad setting should not wait for the web.
"""

from bilty.cli.app import main

__all__ = ["main"]
