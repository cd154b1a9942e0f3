"""What was asked from a page of Settings, and what was answered: Test connection, Show priorities, Send a test event.

A job asks, because a request never calls ClickPost. The page's address names the job: looking again shows it again.
"""

from dataclasses import dataclass

from bilty.store import jobs
from bilty.store.database import Connection
from bilty.store.jobs import Job, JobKind, JobState
from bilty.web.asking import ID_MAX, whole
from bilty.web.sessions import actor, user
from bilty.web.settings_pages.wording import moment
from bilty.web.tools import AnyRequest

TIERS = 3


@dataclass(frozen=True, slots=True)
class Tier:
    """P1, P2 or P3; without a name nobody is ranked there."""

    priority: int
    name: str = ""
    account: str = ""
    cp_id: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """`at` is when it was answered, blank while it is not. `lane` is what priorities were asked for."""

    pending: bool
    well: bool
    message: str
    at: str
    couriers: tuple[str, ...] = ()
    tiers: tuple[Tier, ...] = ()
    lane: str = ""


async def test_of(connection: Connection, request: AnyRequest, code: str, kind: JobKind) -> Asked | None:
    """Of the job that `?test=` names, if it is such a test of this provider or hand-off endpoint."""
    job = await _job(connection, request, "test", kind, code)
    if job is None:
        return None
    result = job.result or {}
    return Asked(
        pending=_pending(job),
        well=bool(result.get("ok")),
        message=job.problem or str(result.get("message", "")),
        at=moment(job.ended_at) if job.ended_at else "",
        couriers=tuple(str(each) for each in result.get("couriers", ())),
    )


async def priorities_of(connection: Connection, request: AnyRequest, code: str) -> Asked | None:
    """Of the job that `?priorities=` names, if it is one of this provider."""
    job = await _job(connection, request, "priorities", JobKind.PRIORITIES, code)
    if job is None:
        return None
    result = job.result or {}
    ranked = {each["priority"]: each for each in result.get("couriers", ())}
    return Asked(
        pending=_pending(job),
        well=bool(ranked),
        message=job.problem or str(result.get("message", "")),
        at=moment(job.ended_at) if job.ended_at else "",
        tiers=tuple(_tier(nth, ranked.get(nth)) for nth in range(1, TIERS + 1)) if ranked else (),
        lane=f"{job.input.get('facility', '')} to {job.input.get('pincode', '')}",
    )


def _tier(priority: int, courier: dict[str, object] | None) -> Tier:
    if courier is None:
        return Tier(priority)
    return Tier(priority, str(courier["name"]), str(courier["account_code"]), str(courier["cp_id"]))


def _pending(job: Job) -> bool:
    return job.state in (JobState.QUEUED, JobState.RUNNING)


async def _job(connection: Connection, request: AnyRequest, name: str, kind: JobKind, code: str) -> Job | None:
    about = "endpoint" if kind is JobKind.TEST_EVENT else "provider"
    job_id = whole(request, name, None, ID_MAX)
    job = await jobs.job_of(connection, job_id) if job_id is not None else None
    if job is None or job.kind is not kind or job.input.get(about) != code:
        return None
    return job if _may_see(request, job) else None


def _may_see(request: AnyRequest, job: Job) -> bool:
    """Whoever asked, and an admin of all facilities."""
    return user(request).administers_all or job.actor == actor(request)
