"""PDFs that Bilty reads and makes, from bytes to bytes: nothing here reads a file, a database or a clock.

As a program (`__main__`) it does the same from standard input to standard output.

    reading  a courier's PDF, opened or refused
    labels   many couriers' labels in one PDF, as they came, a reprint marked below the label, a void one all over
    press    runs that program, with limits, for whoever has other work to do
    counting how many pages a stranger's PDF has, in a process of its own (`count`)
"""

from bilty.documents.labels import Merge
from bilty.documents.reading import UnreadablePdfError

__all__ = ["Merge", "UnreadablePdfError"]
