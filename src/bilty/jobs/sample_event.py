"""Send a test event: one signed message to an order system, of which nothing is true, and what it answered.

It is no event of a shipment: it is tried once, and nothing of it is kept but the answer.
"""

import uuid
from datetime import UTC, datetime

import msgspec

from bilty.jobs.tools import CannotFinish, Tools
from bilty.store import job_steps
from bilty.store.hand_off import events, signing
from bilty.store.jobs import Job
from bilty.store.showing import clock

KIND = "bilty.test"


async def send_sample(tools: Tools, job: Job) -> None:
    """Input: endpoint. Result: ok, message. The secret is in neither, as it is read when the job runs."""
    code = str(job.input["endpoint"])
    async with tools.pool.acquire() as connection:
        now = await clock(connection)
        try:
            found = await signing.signed_with(connection, tools.vault, code, now)
        except ValueError as trouble:
            raise CannotFinish(str(trouble)) from trouble
    if found is None:
        raise CannotFinish(f"There is no hand-off endpoint {code}. Open Settings and choose one of those listed.")
    url, secrets = found
    event = events.event_id(uuid.uuid4())
    sent = await tools.sender.send(url, secrets, event, now, _body(code, event, now))
    took = f"in {sent.duration_ms} ms"
    message = f"The receiver answered {sent.status} {took}." if sent.received else f"{sent.why} It took {took[3:]}."
    async with job_steps.take(tools.pool, job.id) as taken:
        if taken is not None:
            await job_steps.end(taken[0], job.id, result={"ok": sent.received, "message": message, "event": event})


def _body(code: str, event: str, now: datetime) -> bytes:
    told = f"A test of the hand-off endpoint {code}: nothing happened to any shipment."
    at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return msgspec.json.encode({"type": KIND, "timestamp": at, "data": {"event": event, "message": told}})
