"""Send a test event: signed as every message is, tried once, and its answer shown without any secret."""

from dataclasses import replace

import msgspec
import pytest
from standardwebhooks import Webhook

from bilty.intake.endpoints import NewEndpoint
from bilty.jobs import Tools, work
from bilty.oms.sending import Sent, signed
from bilty.store.hand_off import endpoints, signing
from bilty.store.jobs import Job, JobKind, JobState
from bilty.store.secrets import Vault
from jobs.desk import ASHA, Desk, never
from jobs.receiver import Receiver

URL = "https://oms.example.com/bilty"


@pytest.fixture
async def secret(desk: Desk) -> str:
    """Of the endpoint oms."""
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        given = NewEndpoint("oms", URL, ("shipment.failed",), None, enabled=True)
        made = await endpoints.put(connection, desk.tools.vault, given, ASHA)
    assert made.secret is not None
    return made.secret


async def sent(desk: Desk, tools: Tools, code: str = "oms") -> Job:
    job_id = await desk.begin(JobKind.TEST_EVENT, given={"endpoint": code})
    await work(tools, job_id, never)
    return await desk.job(job_id)


async def test_it_is_signed_as_every_message_is_and_says_that_it_is_a_test(desk: Desk, secret: str) -> None:
    receiver = Receiver()
    job = await sent(desk, replace(desk.tools, sender=receiver))
    told = receiver.told[0]
    assert (told.url, told.secrets) == (URL, (secret,))
    headers = signed(told.secrets, told.event_id, told.at, told.body)
    message = Webhook(secret).verify(told.body, headers)
    assert message == {
        "type": "bilty.test",
        "timestamp": told.at.isoformat().replace("+00:00", "Z"),
        "data": {
            "event": told.event_id,
            "message": "A test of the hand-off endpoint oms: nothing happened to any shipment.",
        },
    }
    assert told.event_id.startswith("evt_")
    assert job.result == {"ok": True, "message": "The receiver answered 200 in 12 ms.", "event": told.event_id}
    assert secret not in msgspec.json.encode([job.input, job.result, job.problem]).decode()
    assert len(receiver.told) == 1


async def test_what_it_answered_instead_is_shown(desk: Desk, secret: str) -> None:
    receiver = Receiver(Sent(None, "Nothing was sent: the name leads nowhere.", None, 7))
    job = await sent(desk, replace(desk.tools, sender=receiver))
    assert job.state is JobState.DONE
    assert job.result is not None
    assert job.result["ok"] is False
    assert job.result["message"] == "Nothing was sent: the name leads nowhere. It took 7 ms."


async def test_both_secrets_sign_while_both_are_good(desk: Desk, secret: str) -> None:
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        new = await signing.rotate(connection, desk.tools.vault, "oms", ASHA)
    receiver = Receiver()
    await sent(desk, replace(desk.tools, sender=receiver))
    assert receiver.told[0].secrets == (new, secret)


async def test_what_is_in_the_way_is_said(desk: Desk, secret: str) -> None:
    gone = await sent(desk, desk.tools, "nobody")
    assert gone.problem == "There is no hand-off endpoint nobody. Open Settings and choose one of those listed."
    job = await sent(desk, replace(desk.tools, vault=Vault("another secret")))
    assert job.problem.startswith("The secret of the hand-off endpoint oms was sealed with another BILTY_SECRET_KEY.")
    assert secret not in job.problem
