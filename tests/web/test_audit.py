"""What was done: written by whoever does it, read by admins, changed by nobody."""

import re

import asyncpg
import pytest

from bilty.store.access import Role, Scope
from bilty.telling.trail import told_action, told_changes
from web.house import CONNECTOR, FACILITY, KEY, PROVIDER, House

ADMIN = "asha@example.com"


def rows_of(page: str) -> list[str]:
    """Each row's text, in one line."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    texts = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in body.split("</tr>")[:-1]]
    return [text.replace("&#39;", "'").replace("&amp;", "&") for text in texts]


async def test_what_the_api_changes_is_told_with_before_and_after(furnished: House) -> None:
    await furnished.sign_in(role=Role.ADMIN)
    await furnished.call("PUT", "/facilities/BLR-1", {**FACILITY, "pincode": "560100"})
    await furnished.call("PUT", "/shipping-providers/clickpost-b2b", {**PROVIDER, "enabled": False})
    await furnished.call(
        "PUT", "/shipping-providers/clickpost-b2b/connector", {**CONNECTOR, "pickup_after_minutes": 45}
    )
    page = await furnished.page("/settings/audit")
    assert KEY not in page
    connector, provider, facility, _, *older = rows_of(page)
    assert "API key admin key" in connector
    assert "pickup after minutes: 30 → 45" in connector
    assert "Shipping provider changed clickpost-b2b enabled: yes → no" in provider
    assert "Facility changed BLR-1" in facility
    assert "560058 → 560100" in facility
    assert len(older) == 3, "and what furnishing the house did"


async def test_booking_by_the_api_is_told_once(furnished: House) -> None:
    await furnished.sign_in(role=Role.ADMIN)
    first = await furnished.takes_in(schedule=True)
    await furnished.takes_in(schedule=True)
    second = await furnished.takes_in(number="SO-1002")
    for _ in range(2):
        await furnished.call("POST", f"/shipments/{second}/schedules", scope=Scope.DISPATCH)
    page = await furnished.page("/settings/audit?what=schedule")
    assert [row.partition("Schedule ")[2].partition(" ")[0] for row in rows_of(page)] == ["SO-1002", "SO-1001"]
    assert "API key dispatch key" in rows_of(page)[0]
    assert "status: Created → Scheduling" in rows_of(page)[0]
    assert f'href="/shipments/{first}"' in page


async def test_one_person_and_one_kind(house: House) -> None:
    await house.sign_in("bina@example.com", role=Role.ADMIN)
    await house.send("/settings/api-keys", {"name": "oms", "scope": "read"})
    await house.sign_in(role=Role.ADMIN)
    await house.send("/settings/api-keys", {"name": "wms", "scope": "read"})
    everything = rows_of(await house.page("/settings/audit"))
    assert [("wms" in row, "oms" in row) for row in everything] == [
        (True, False),
        (False, False),
        (False, True),
        (False, False),
    ]
    [row] = rows_of(await house.page("/settings/audit?who=bina@example.com&what=API+key+added"))
    assert "oms" in row
    page = await house.page("/settings/audit?who=nobody@example.com")
    assert "Nothing was done by nobody@example.com" in page
    page = await house.page("/settings/audit?what=API+key+added")
    assert '<option value="API key added" selected>API key added</option>' in page
    await house.page("/settings/audit?whom=bina", 400)


async def test_the_trail_is_paged_and_newest_first(house: House) -> None:
    await house.tools.pool.execute(
        """INSERT INTO audit (actor_kind, actor, action, subject)
           SELECT 'bilty', 'Bilty', 'thing done', 'thing ' || n FROM generate_series(1, 130) n"""
    )
    await house.sign_in(role=Role.ADMIN)
    seen, path = [], "/settings/audit?what=thing+done"
    for _ in range(3):
        page = await house.page(path)
        seen += re.findall(r"thing (\d+)", page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert seen == [str(n) for n in range(130, 0, -1)]
    assert path == ""


async def test_an_admin_of_some_facilities_sees_what_was_done_there(furnished: House) -> None:
    await furnished.call("PUT", "/facilities/PNQ-1", FACILITY)
    await furnished.sign_in(role=Role.ADMIN, facilities=["PNQ-1"])
    rows = rows_of(await furnished.page("/settings/audit"))
    assert ["Signed in" in row or "PNQ-1" in row for row in rows] == [True, True]


async def test_the_trail_only_grows(house: House) -> None:
    await house.sign_in(role=Role.ADMIN)
    for statement in ("UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only grows"):
            await house.tools.pool.execute(statement)


async def test_text_from_outside_is_text(house: House) -> None:
    await house.sign_in(role=Role.ADMIN)
    await house.send("/settings/api-keys", {"name": "<script>alert(1)</script>", "scope": "read"})
    for path in ("/settings/audit", "/settings/api-keys", "/settings/audit?who=%3Cscript%3Ealert(1)"):
        assert "<script>alert" not in await house.page(path)


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (None, None, ()),
        ({"role": "viewer"}, {"role": "viewer"}, ()),
        (
            {"role": "viewer", "facilities": "all"},
            {"role": "admin", "facilities": ["BLR-1", "PNQ-1"]},
            ("role: viewer → admin", "facilities: all → BLR-1 and PNQ-1"),
        ),
        (None, {"pickup_after_minutes": 30, "enabled": True}, ("pickup after minutes: 30", "enabled: yes")),
        ({"days": None}, {"days": 2}, ("days: none → 2",)),
        ({"days": 2}, {"days": None}, ("days: 2 → none",)),
        (
            {"pickup": {"city": "Pune", "pincode": "411018"}},
            {"pickup": {"city": "Pune", "pincode": "411019"}},
            ("pickup PIN code: 411018 → 411019",),
        ),
        ({"status": "created"}, {"status": "label_requested"}, ("status: Created → LABEL REQUESTED",)),
        ({"gone": 1}, {}, ("gone: 1",)),
        ("was", "is", ("was → is",)),
        (None, [], ("none",)),
        ({"boxes": []}, {"boxes": [{"count": 2, "weight": 5}]}, ("boxes: none → count 2, weight 5",)),
    ],
)
def test_before_and_after_in_words(before: object, after: object, lines: tuple[str, ...]) -> None:
    assert told_changes(before, after) == lines


@pytest.mark.parametrize(
    ("action", "words"),
    [("use paper", "Upload the courier's PDF"), ("poll now", "Poll now"), ("connector updated", "Connector updated")],
)
def test_an_act_is_called_as_its_button_is(action: str, words: str) -> None:
    assert told_action(action) == words
