"""What a `Retry-After` asks for. Pure."""

import email.utils
import re
from datetime import UTC, datetime

RETRY_AFTER_S_MAX = 3_600
"""Nobody is left alone for longer than an hour because of a header."""

_SECONDS = re.compile(r"-?\d{1,18}", re.ASCII)


def retry_after_s(header: str, now: datetime) -> float:
    """Seconds, given as seconds or as a date; 0 where it says nothing readable."""
    told = header.strip()
    if _SECONDS.fullmatch(told):
        return float(min(max(int(told), 0), RETRY_AFTER_S_MAX))
    try:
        moment = email.utils.parsedate_to_datetime(told)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), float(RETRY_AFTER_S_MAX))
