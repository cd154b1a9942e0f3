"""Links to box stickers and packing slips in ClickPost's answer, wherever they stand. Pure; nothing here ever raises.

No page says in which field they come back. So each field that is named after one is read, of the answer and of its
children; and a child's label, where that is not the label of all.
"""

from collections.abc import Iterator, Mapping

from bilty.aggregator.clickpost.envelope import LABEL_NAMES, fields, label_link, link
from bilty.reply import OwnPaper, PaperKind

PAPERS_MAX = 100
"""More are left alone: Bilty's own are printed then."""
DEPTH_FIELDS_MAX = 5_000


def own_papers(result: Mapping[str, object]) -> tuple[OwnPaper, ...]:
    """Each link once, in the order of the answer."""
    label, listed = label_link(result), result.get("children")
    children = [fields(each) for each in listed[:DEPTH_FIELDS_MAX]] if isinstance(listed, list) else []
    found = list(_named(result))
    for child in children:
        found += _named(child)
        its_label = label_link(child)
        if its_label and label and its_label != label:
            found.append(OwnPaper(PaperKind.STICKER, its_label))
    papers = tuple(dict.fromkeys(each for each in found if each.url != label))
    return papers if len(papers) <= PAPERS_MAX else ()


def _named(told: Mapping[str, object]) -> Iterator[OwnPaper]:
    for name, value in told.items():
        kind = _kind(name)
        if kind is not None:
            for each in value[:DEPTH_FIELDS_MAX] if isinstance(value, list) else [value]:
                if url := link(each):
                    yield OwnPaper(kind, url)


def _kind(name: str) -> PaperKind | None:
    if name in LABEL_NAMES:
        return None
    said = name.lower()
    if "sticker" in said:
        return PaperKind.STICKER
    return PaperKind.SLIP if "slip" in said else None
