"""What holds for every page that any test fetches."""

from collections import Counter
from html.parser import HTMLParser

import httpx

VOID = {"meta", "link", "input", "br", "hr", "img", "wbr"}
LABELLED = {"input", "select", "textarea"}
OPTIONAL_END: set[str] = set()  # our templates close what they open


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.fields: list[dict[str, str | None]] = []
        self.labels_for: set[str] = set()
        self.refers: list[str] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"<{tag}> has an attribute twice"
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        for name in given:
            assert not name.startswith("on"), f"<{tag} {name}>: inline script"
            assert name != "style", f"<{tag} style>: inline style"
        for name in ("aria-labelledby", "aria-describedby"):
            self.refers += (given.get(name) or "").split()
        if tag in LABELLED and given.get("type") != "hidden":
            self.fields.append(given)
        if tag == "label":
            self.labels_for.add(str(given.get("for")))
        if tag == "form":
            assert given.get("method"), "a form without method"
            assert given.get("action"), "a form without action"
        if tag == "script":
            assert given.get("src"), "inline script"
        if tag == "img":
            assert "alt" in given
        address = given.get("href") or given.get("src")
        assert not (address or "").startswith(("http:", "https:", "//", "javascript:")), address

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data.strip()))


def check_page(answer: httpx.Response) -> None:
    assert answer.headers["content-type"].startswith("text/html"), answer.headers["content-type"]
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith("<!doctype html>")
    page = _Page()
    page.feed(answer.text)
    page.close()
    assert page.open == [], f"never closed: {page.open}"
    assert page.tags["h1"] == 1
    assert page.tags["main"] == 1
    assert page.tags["title"] == 1
    assert page.tags["style"] == 0
    twice = [each for each, count in Counter(page.ids).items() if count > 1]
    assert not twice, f"ids used twice: {twice}"
    assert set(page.refers) <= set(page.ids), set(page.refers) - set(page.ids)
    for each in page.fields:
        assert each.get("id") in page.labels_for or each.get("aria-label"), f"a field without a label: {each}"
    assert page.tags["table"] == page.tags["caption"]
    assert all(words for tag, words in page.texts if tag == "title")
    assert "None" not in [words for _, words in page.texts]
