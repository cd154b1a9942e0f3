"""The sentence that a form leaves behind for the next page, in a cookie."""

from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import quote

import pytest

from bilty.settings import Settings
from bilty.store.access import Role
from bilty.store.database import Pool
from bilty.web.page import SAID_BYTES_MAX, fitting
from web.opening import opened_house


@pytest.mark.parametrize("letter", ["a", "ब", "%", "🚚"])
def test_a_long_sentence_is_cut_at_a_whole_letter(letter: str) -> None:
    kept = fitting(letter * 5_000)
    assert kept == letter * len(kept)
    assert SAID_BYTES_MAX - 12 < len(quote(kept)) <= SAID_BYTES_MAX
    assert len(quote(f"refused:{kept}")) < 3_500
    assert fitting("Saved.") == "Saved."


async def test_under_https_no_neighbour_says_anything(pool: Pool, dsn: str, tmp_path: Path) -> None:
    async with opened_house(pool, dsn, tmp_path, Settings(public_url="https://desk.example")) as house:
        answer = await house.send(await house.sign_in_link(role=Role.ADMIN))
        session = answer.headers["set-cookie"].partition(";")[0]
        headers = {"Origin": house.url, "Cookie": session}
        fields = {"kind": "clickpost_b2b", "name": "B2B", "code": "b2b"}
        added = await house.browser.post("/settings/shipping-providers/new", data=fields, headers=headers)
        (cookie,) = SimpleCookie(added.headers["set-cookie"]).values()
        assert (cookie.key, cookie["path"], cookie["domain"], cookie["secure"]) == ("__Host-bilty_said", "/", "", True)
        for name, is_shown in (("bilty_said", False), ("__Host-bilty_said", True)):
            headers["Cookie"] = f"{session}; {name}={quote('done:Said by somebody.')}"
            page = await house.browser.get("/shipments", headers=headers)
            assert ("Said by somebody." in page.text) == is_shown
