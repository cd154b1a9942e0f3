"""PDFs that Bilty makes, from bytes to bytes: nothing here reads a file, a database or a clock.

As a program (`__main__`) it does the same from standard input to standard output.

    labels  many couriers' labels in one PDF, as they came, a reprint marked below the label
"""

from bilty.documents.labels import Merge, UnreadablePdfError

__all__ = ["Merge", "UnreadablePdfError"]
