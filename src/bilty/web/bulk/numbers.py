"""The numbers that an order file has used, on disk: a million of them would not fit into little memory.

A private file of SQLite, which nobody else sees and which is gone when it is closed. It is an index for the time of a
stream and holds nothing that Bilty would miss.
"""

import sqlite3

CACHE_KIB = 2_048


class Numbers:
    """The part of a dict that `bilty.order_file.OrderFile` asks for. Raises OSError where the disk is full."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            self._file.execute(f"PRAGMA {setting}")
        self._file.execute("CREATE TABLE numbers (number TEXT PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID")
        self._file.execute("BEGIN")

    def setdefault(self, number: str, line: int, /) -> int:
        """The line on which the number was used first, which may be this one."""
        try:
            added = self._file.execute("INSERT INTO numbers VALUES (?, ?) ON CONFLICT DO NOTHING", (number, line))
            if added.rowcount:
                return line
            first_line: int = self._file.execute("SELECT line FROM numbers WHERE number = ?", (number,)).fetchone()[0]
        except sqlite3.OperationalError as trouble:
            raise OSError(str(trouble)) from trouble
        return first_line

    def close(self) -> None:
        self._file.close()
