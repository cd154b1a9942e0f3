"""A shipment is changed: in place while nobody was asked to carry it, later as a version of its own.

Theory of operation
-------------------
What nobody was asked to carry was neither printed, said nor bought: its content is replaced, and the audit trail alone
keeps what it was. Once somebody was asked, the content that they were told stays, under its version, with its boxes
and its turns; the change is the next version, with boxes without AWBs. What becomes of the old turns is decided by
`bilty.deciding.amend`, under the same locks as everything else that moves a shipment.

E-way bills open no version (`makes_version`): they are added to what has been booked, and written in place by the
rules of `bilty.store.ewaybills`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bilty import deciding
from bilty.deciding import No, hold_is, why_not_amend
from bilty.shipment import Shipment, decode, digest, ewaybills_of, may_be_waived, standing
from bilty.store import contents, ewaybills, preflight, prints, whom
from bilty.store.acting import calls_since
from bilty.store.amended import given_up, note_change
from bilty.store.audit import Actor
from bilty.store.claims import OUT_AT_MOST
from bilty.store.database import Connection
from bilty.store.prints import VoidLabel
from bilty.store.progress import Course, changing, notify_changed
from bilty.store.shipments import Arrival
from bilty.turn import Kind
from bilty.workflow import Progress
from bilty.workflow import schedule as begin_run

TRY_AGAIN_MIN = timedelta(seconds=2)


class Amending(StrEnum):
    """What became of it. But for DONE and VERSION nothing was changed."""

    DONE = "done"  # in place
    VERSION = "version"  # what couriers were asked to carry is given up, and it is a new version
    SAME = "same"
    CALL_OUT = "call_out"
    CANCELLED = "cancelled"
    DISPATCHED = "dispatched"
    EWAYBILL = "ewaybill"  # its courier was told one that is taken away, or one is not good any more
    OTHER_NAME = "other_name"  # another number, or another facility: that is another shipment
    NO_PROVIDER = "no_provider"
    NOT_THERE = "not_there"


@dataclass(frozen=True, slots=True)
class Amended:
    """`reason` says why not, where the shipment's course forbids it; `retry_after_s` when it may be tried again.

    `cancelling` are the AWBs that were given up by it, `void` the printed labels that must be destroyed.
    """

    outcome: Amending
    reason: str = ""
    retry_after_s: int = 0
    cancelling: tuple[str, ...] = ()
    void: tuple[VoidLabel, ...] = ()


@dataclass(frozen=True, slots=True)
class _Was:
    """`shipment` and `warnings` under the lock of `course`."""

    course: Course
    shipment: Shipment
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """`after` where `outcome` is DONE or VERSION."""

    outcome: Amending
    provider_id: int
    after: Progress


def begun(progress: Progress) -> bool:
    """Couriers were asked to carry it as it is, or are about to be: what it is cannot be replaced any more."""
    return progress.run > 0


def is_wanted(progress: Progress) -> bool:
    """Couriers are asked to carry it as it is, or will be: whoever changes it and says no more means it to go on."""
    return progress.schedule_asked or bool(progress.run_turns)


def makes_version(before: Shipment, after: Shipment) -> bool:
    """Whether a courier that was told `before` was told something else than `after`. The digest has no e-way bills."""
    return digest(before) != digest(after)


async def amend(
    connection: Connection,
    shipment_id: int,
    arrival: Arrival,
    actor: Actor,
    now: datetime,
    *,
    schedule: bool = False,
) -> Amended:
    """The shipment is from now on what `arrival` says, held or not as that says. The caller holds a transaction.

    `schedule`: it is booked as it is then, as soon as nothing of what it was may still be booked.
    """
    async with changing(connection, [shipment_id], now) as courses:
        if shipment_id not in courses:
            return Amended(Amending.NOT_THERE)
        was = await _was(connection, courses[shipment_id])
        change = await _decided(connection, was, arrival, now, schedule=schedule)
        if isinstance(change, Amended):
            return await _with_whom(connection, change, shipment_id, now)
        course, printed = was.course, await prints.printed_now(connection, [shipment_id])
        course.after, course.provider_id = change.after, change.provider_id
        await _write(connection, was, change, arrival)
        void = printed.get(shipment_id, ()) if change.outcome is Amending.VERSION else ()
        await note_change(connection, course, was.shipment, arrival.shipment, void, actor, now)
    await ewaybills.changed(connection, shipment_id, was.shipment, arrival.shipment, now)
    await notify_changed(connection, [shipment_id])
    destroyed = (await prints.void_of(connection, [shipment_id])).get(shipment_id, ())
    return Amended(change.outcome, cancelling=given_up(course), void=destroyed)


async def _with_whom(connection: Connection, refused: Amended, shipment_id: int, now: datetime) -> Amended:
    """Who made it impossible, where a person did."""
    if refused.outcome not in (Amending.CANCELLED, Amending.DISPATCHED):
        return refused
    faster = (await whom.told(connection, {shipment_id: whom.Wanted(None)}, now)).get(shipment_id, "")
    return replace(refused, reason=f"{faster} {refused.reason}".lstrip())


async def _was(connection: Connection, course: Course) -> _Was:
    row = await connection.fetchrow(
        """SELECT v.content, s.warnings FROM shipments s
             JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version WHERE s.id = $1""",
        course.shipment_id,
    )
    assert row is not None, "it is locked"
    return _Was(course, decode(row["content"]), tuple(row["warnings"]))


async def _decided(
    connection: Connection, was: _Was, arrival: Arrival, now: datetime, *, schedule: bool
) -> _Change | Amended:
    before, after, course = was.shipment, arrival.shipment, was.course
    if (before.number, before.facility) != (after.number, after.facility):
        return Amended(Amending.OTHER_NAME)
    if _is_same(was, arrival):
        return Amended(Amending.SAME)
    sql = "SELECT id FROM shipping_providers WHERE code = $1"
    same_provider = before.shipping_provider == after.shipping_provider
    provider_id = course.provider_id if same_provider else await connection.fetchval(sql, after.shipping_provider)
    if provider_id is None:
        return Amended(Amending.NO_PROVIDER)
    hold = _hold(was, arrival)
    why = await preflight.why_held_as(connection, after, course.facility_id, provider_id, now) if schedule else ""
    if begun(course.before) and not makes_version(before, after):
        return await _put_right(connection, was, after, (hold, why), now, schedule=schedule)
    if schedule:
        hold = " ".join(filter(None, (standing(hold), why)))
    out = (await calls_since(connection, [course.shipment_id], now)).get(course.shipment_id, {})
    decided = deciding.amend(course.before, digest(after), hold, now, schedule=schedule, call_out=frozenset(out))
    if isinstance(decided, No):
        return _refused(course.before, decided.reason, out, now)
    if decided.version != course.before.version:
        return _Change(Amending.VERSION, provider_id, decided)
    return _Change(Amending.DONE, provider_id, begin_run(decided, now) if schedule else decided)


def _is_same(was: _Was, arrival: Arrival) -> bool:
    """Until it is booked, what holds it and what it is warned of count, too: they may be others by today's rules."""
    progress = was.course.before
    if was.shipment != arrival.shipment or begun(progress):
        return was.shipment == arrival.shipment
    return (standing(progress.hold), was.warnings) == (standing(arrival.hold), arrival.warnings)


def _hold(was: _Was, arrival: Arrival) -> str:
    """A person's word that no e-way bill is needed is good for as long as the invoices are the same."""
    progress = was.course.before
    booked = begun(progress) and not progress.hold and was.shipment.invoices == arrival.shipment.invoices
    return "" if booked and may_be_waived(arrival.hold) else arrival.hold


async def _put_right(
    connection: Connection, was: _Was, after: Shipment, holds: tuple[str, str], now: datetime, *, schedule: bool
) -> _Change | Amended:
    """Of e-way bills: whatever call is out, and though it is with the courier.

    `holds`: what `after` lacks, and why its days do not fit. What nobody was asked to carry yet is booked or not, as
    `schedule` says; a run that there is goes on as it is.
    """
    course, before, progress = was.course, was.shipment, was.course.before
    if progress.cancel_asked:
        return _refused(progress, why_not_amend(progress, frozenset()), {}, now)
    if refusals := await ewaybills.refusals(connection, course, before, after, now):
        return Amended(Amending.EWAYBILL, " ".join(refusals.values()))
    held = progress.hold or ewaybills_of(before).keys() - ewaybills_of(after).keys()
    begins = schedule and not progress.run_turns and not progress.dispatched
    lacks, unfit = holds
    why = (standing(lacks) if begins else lacks) if held else ""
    hold = " ".join(filter(None, (why, unfit if begins else "")))
    righted = hold_is(replace(progress, digest=digest(after), schedule_asked=begins), hold, now)
    return _Change(Amending.DONE, course.provider_id, righted)


def _refused(progress: Progress, reason: str, out: Mapping[str, datetime], now: datetime) -> Amended:
    if progress.dispatched:
        return Amended(Amending.DISPATCHED, reason)
    if progress.cancel_asked:
        return Amended(Amending.CANCELLED, reason)
    asked = [turn.reference for turn in progress.turns if turn.kind in (Kind.OPEN, Kind.HOLDS)]
    since = min(out[reference] for reference in asked if reference in out)
    # Most answers come within seconds. One that has not is waited for as long again, but no longer than it may take.
    left = min(max(now - since, TRY_AGAIN_MIN), since + OUT_AT_MOST - now)
    return Amended(Amending.CALL_OUT, reason, retry_after_s=max(1, round(left.total_seconds())))


async def _write(connection: Connection, was: _Was, change: _Change, arrival: Arrival) -> None:
    shipment_id, version = was.course.shipment_id, change.after.version
    if change.outcome is Amending.VERSION:
        await contents.add_version(connection, shipment_id, version, arrival.shipment)
        await connection.execute("UPDATE shipments SET printed_at = NULL WHERE id = $1", shipment_id)
    else:
        await contents.replace_content(connection, shipment_id, version, arrival.shipment)
    await contents.write_shown(connection, shipment_id, change.provider_id, arrival.shipment)
    if change.outcome is Amending.VERSION or not begun(was.course.before):
        sql = "UPDATE shipments SET warnings = $2 WHERE id = $1"
        await connection.execute(sql, shipment_id, list(arrival.warnings))
