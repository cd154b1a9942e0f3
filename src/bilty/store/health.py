"""What one answer says about everybody's: a provider that is paused, alarmed or silent, an account that refuses us.

These are facts of the provider, so that an outage is one banner and not four hundred items. One that asks us to come
again later (429) is heard: it is not silent, but nobody says anything until then.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from bilty.reply import Accepted, Busy, Denied, Label, Refusal, Refused, Reply, Unclear
from bilty.store.database import Connection
from bilty.store.progress import Course
from bilty.turn import Step, Turn

Spoken: TypeAlias = tuple[int, int, Step, Reply]
"""Provider, revision of its connector, the step, and what was said to it."""


async def note(connection: Connection, spoken: Sequence[Spoken], at: datetime) -> None:
    by_provider: dict[int, list[Spoken]] = {}
    for said in spoken:
        by_provider.setdefault(said[0], []).append(said)
    for provider_id, of_provider in by_provider.items():
        await _note_silence(connection, provider_id, [r for *_, step, r in of_provider if _tells(step, r)], at)
        await _note_alarm(connection, provider_id, [r for *_, step, r in of_provider if step is Step.INQUIRE], at)
        for _, revision, _, reply in of_provider:
            if isinstance(reply, Denied):
                await pause(connection, provider_id, revision, reply.message, at)
        await _note_quiet(connection, provider_id, of_provider, at)


async def pause(connection: Connection, provider_id: int, revision: int, why: str, at: datetime) -> None:
    """Nothing is said until Update Connector. If that came meanwhile, the new credentials are not paused."""
    await connection.execute(
        """UPDATE shipping_providers SET paused_at = $2, paused_why = $3
            WHERE id = $1 AND revision = $4 AND paused_at IS NULL""",
        provider_id,
        at,
        why,
        revision,
    )


async def _note_quiet(connection: Connection, provider_id: int, spoken: Sequence[Spoken], at: datetime) -> None:
    asked: dict[int, float] = {}
    for _, revision, _, reply in spoken:
        if isinstance(reply, Busy) and reply.retry_after_s:
            asked[revision] = max(reply.retry_after_s, asked.get(revision, 0.0))
    for revision, seconds in asked.items():
        await quiet(connection, provider_id, revision, seconds, at)


async def quiet(connection: Connection, provider_id: int, revision: int, seconds: float, at: datetime) -> None:
    """Nothing is said for so long. New credentials may have an allowance of their own: they are not held up."""
    await connection.execute(
        "UPDATE shipping_providers SET quiet_until = greatest(quiet_until, $2) WHERE id = $1 AND revision = $3",
        provider_id,
        at + timedelta(seconds=seconds),
        revision,
    )


def _tells(step: Step, reply: Reply) -> bool:
    """Whether ClickPost itself was heard, or not heard: a label may come from its host, which is somebody else's."""
    return step is not Step.FETCH_LABEL or _is_silence(reply)


def _is_silence(reply: Reply) -> bool:
    if isinstance(reply, Busy):
        return not reply.retry_after_s
    return isinstance(reply, Unclear) and reply.silent


async def _note_silence(connection: Connection, provider_id: int, replies: Sequence[Reply], at: datetime) -> None:
    if any(not _is_silence(reply) for reply in replies):
        sql = "UPDATE shipping_providers SET silent_since = NULL WHERE id = $1 AND silent_since IS NOT NULL"
        await connection.execute(sql, provider_id)
    elif replies:
        sql = "UPDATE shipping_providers SET silent_since = $2 WHERE id = $1 AND silent_since IS NULL"
        await connection.execute(sql, provider_id, at)


async def _note_alarm(connection: Connection, provider_id: int, replies: Sequence[Reply], at: datetime) -> None:
    alarming = [reply for reply in replies if isinstance(reply, Unclear) and reply.undocumented]
    if alarming:
        sql = "UPDATE shipping_providers SET alarmed_at = $2, alarmed_why = $3 WHERE id = $1 AND alarmed_at IS NULL"
        await connection.execute(sql, provider_id, at, alarming[0].message)
    elif any(not _is_silence(reply) and not isinstance(reply, Unclear) for reply in replies):
        sql = (
            "UPDATE shipping_providers SET alarmed_at = NULL, alarmed_why = '' WHERE id = $1 AND alarmed_at IS NOT NULL"
        )
        await connection.execute(sql, provider_id)


async def note_accounts(connection: Connection, heard: Iterable[tuple[Course, Turn, Reply]]) -> None:
    """A courier account that refuses us is the admin's business, told once until it is well again."""
    heard = list(heard)
    well = [
        (course.provider_id, course.facility_id, *turn.courier.identity)
        for course, turn, reply in heard
        if isinstance(reply, Label | Accepted) and turn.courier
    ]
    if well:
        await connection.executemany(
            "DELETE FROM notices WHERE provider_id = $1 AND facility_id = $2 AND cp_id = $3 AND account_code = $4", well
        )
    rows = [
        (course.provider_id, course.facility_id, *turn.courier.identity, reply.code, reply.message)
        for course, turn, reply in heard
        if isinstance(reply, Refused) and reply.refusal is Refusal.COURIER_ACCOUNT and turn.courier
    ]
    if rows:
        await connection.executemany(
            """INSERT INTO notices (provider_id, facility_id, cp_id, account_code, code, message)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
            rows,
        )
