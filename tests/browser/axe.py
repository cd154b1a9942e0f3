"""What is wrong with a page as it stands in the browser: axe-core's verdict, and what the window is too narrow for.

One line for each element, with what there is to find it by.
"""

from importlib.resources import files

import msgspec
from playwright.async_api import Page

SCRIPT = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
COLOURS = ("color-contrast", "link-in-text-block")
"""What may differ between a light page and a dark one."""

FIX = "Fix any of the following: "


class _Node(msgspec.Struct):
    target: list[str | list[str]]
    html: str
    failureSummary: str = ""  # noqa: N815 - axe's own name


class _Rule(msgspec.Struct):
    id: str
    nodes: list[_Node]


class _Results(msgspec.Struct):
    violations: list[_Rule]


async def violations(page: Page, *rules: str) -> list[str]:
    """Of all rules, or of those that are named."""
    if not await page.evaluate("'axe' in window"):
        # Evaluated as the developer tools do, which a content security policy does not forbid.
        await page.evaluate(f"{SCRIPT};0")
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    found = msgspec.convert(await page.evaluate("options => axe.run(options)", options), _Results)
    return [
        f"{rule.id}: {_where(node)}: {' '.join(node.failureSummary.split()).removeprefix(FIX)}"
        for rule in found.violations
        for node in rule.nodes
    ]


def _where(node: _Node) -> str:
    path = " > ".join(each if isinstance(each, str) else " >>> ".join(each) for each in node.target)
    return f"{path} {node.html[:160]}"


SIDEWAYS = """() => {
    const room = document.documentElement.clientWidth;
    if (document.scrollingElement.scrollWidth <= room) return [];
    const reaches = (each) => each.getBoundingClientRect().right > room + 1;
    const clips = (each) => getComputedStyle(each).overflowX !== "visible" && !reaches(each);
    const clipped = (each) => each && each !== document.body && (clips(each) || clipped(each.parentElement));
    return [...document.querySelectorAll("main *, header *")]
        .filter((each) => reaches(each) && ![...each.children].some(reaches) && !clipped(each.parentElement))
        .slice(0, 4)
        .map((each) => `<${each.localName} class="${each.getAttribute("class") ?? ""}"> ${each.textContent}`);
}"""
"""What makes a page wider than the window, if it is: innermost elements that nothing cuts off."""


async def sideways(page: Page) -> list[str]:
    return [" ".join(str(each).split())[:120] for each in await page.evaluate(SIDEWAYS)]
