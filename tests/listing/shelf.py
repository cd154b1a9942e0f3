"""Shipments for lists, put there in one go, and what a list of them must show: told in Python, without an index."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bilty.store.database import Connection
from bilty.store.listed import write_codes, write_keys
from bilty.store.listing import Filter, Sort, Tab

BEGAN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Article:
    """A shipment on the shelf, whose columns say what its turns would."""

    number: str
    facility: str = "BLR-1"
    provider: str = "clickpost-b2b"
    courier: str = ""
    status: str = "created"
    printed: bool = False
    consignee: str = "Sahyadri Distributors"
    order_number: str = "PO-1"
    boxes: int = 1
    weight_g: int = 5_000
    value: Decimal = Decimal("100.00")
    created_at: datetime = BEGAN
    codes: tuple[str, ...] = ()


@dataclass
class Shelf:
    """What is on it by id. Ids go up in the order of arrival."""

    articles: dict[int, Article] = field(default_factory=dict)
    facilities: dict[str, int] = field(default_factory=dict)

    async def put(self, connection: Connection, *articles: Article) -> list[int]:
        await self._furnish(connection, articles)
        rows = await connection.fetch(
            """INSERT INTO shipments (facility_id, provider_id, courier_id, number, order_number, consignee, city,
                                      box_count, weight_g, value, status, printed_at, created_at)
               SELECT f.id, p.id, c.id, number, order_number, consignee, 'Pune', boxes, weight_g, value, status,
                      CASE WHEN printed THEN created_at END, created_at
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[],
                             $8::int[], $9::numeric[], $10::text[], $11::boolean[], $12::timestamptz[])
                      WITH ORDINALITY AS a(facility, provider, courier, number, order_number, consignee, boxes,
                                           weight_g, value, status, printed, created_at, nth)
                 JOIN facilities f ON f.code = facility JOIN shipping_providers p ON p.code = provider
                 JOIN couriers c ON c.provider_id = p.id AND c.name = courier
                ORDER BY nth RETURNING id""",
            [a.facility for a in articles],
            [a.provider for a in articles],
            [a.courier for a in articles],
            [a.number for a in articles],
            [a.order_number for a in articles],
            [a.consignee for a in articles],
            [a.boxes for a in articles],
            [a.weight_g for a in articles],
            [a.value for a in articles],
            [a.status for a in articles],
            [a.printed for a in articles],
            [a.created_at for a in articles],
        )
        ids = [row["id"] for row in rows]
        self.articles |= dict(zip(ids, articles, strict=True))
        await connection.execute(
            """INSERT INTO shipment_versions (shipment_id, version, digest, content)
               SELECT id, 1, '', '{}' FROM unnest($1::bigint[]) AS id""",
            ids,
        )
        await write_keys(connection, ids)
        await write_codes(connection, [(code, i) for i, a in zip(ids, articles, strict=True) for code in a.codes])
        return ids

    async def _furnish(self, connection: Connection, articles: Sequence[Article]) -> None:
        await connection.execute(
            "INSERT INTO facilities (code, content) SELECT unnest($1::text[]), '{}' ON CONFLICT DO NOTHING",
            sorted({a.facility for a in articles}),
        )
        await connection.execute(
            """INSERT INTO shipping_providers (code, kind, name) SELECT code, 'clickpost_b2b', code
                 FROM unnest($1::text[]) AS code ON CONFLICT DO NOTHING""",
            sorted({a.provider for a in articles}),
        )
        await connection.execute(
            """INSERT INTO couriers (provider_id, name) SELECT p.id, a.name
                 FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS u(provider, name)) AS a
                 JOIN shipping_providers p ON p.code = a.provider ON CONFLICT DO NOTHING""",
            [a.provider for a in articles],
            [a.courier for a in articles],
        )
        self.facilities = {row["code"]: row["id"] for row in await connection.fetch("SELECT * FROM facilities")}

    def shows(self, wanted: Filter, sort: Sort = Sort.NEWEST) -> list[int]:
        """The ids in order."""
        fits = [each for each in self.articles if self._fits(self.articles[each], wanted)]
        key = _KEYS[sort.removeprefix("-")]
        return sorted(fits, key=lambda each: (key(self.articles[each]), each), reverse=sort.down)

    def _fits(self, article: Article, wanted: Filter) -> bool:
        india = timedelta(hours=5, minutes=30)
        day = (article.created_at + india).date()
        return (
            (wanted.tab is Tab.ALL or wanted.tab in tabs_of(article))
            and wanted.facility in ("", article.facility)
            and (wanted.facility_ids is None or self.facilities[article.facility] in wanted.facility_ids)
            and wanted.provider in ("", article.provider)
            and wanted.courier in ("", article.courier)
            and (wanted.created_from is None or day >= wanted.created_from)
            and (wanted.created_to is None or day <= wanted.created_to)
            and _is_found(article, wanted.words.lower())
        )


def tabs_of(article: Article) -> set[Tab]:
    if article.status == "label_ready":
        return {Tab.LABEL_READY} if article.printed else {Tab.LABEL_READY, Tab.READY_NOT_PRINTED}
    return {Tab.TO_SCHEDULE if article.status == "created" else Tab(article.status)}


def _is_found(article: Article, words: str) -> bool:
    codes = (article.number, article.order_number, *article.codes)
    names = article.consignee.lower().split()
    return any(code.lower().startswith(words) for code in codes) or all(
        any(name.startswith(word) for name in names) for word in words.split()
    )


_KEYS: dict[str, Callable[[Article], object]] = {
    "newest": lambda _: 0,
    "oldest": lambda _: 0,
    "number": lambda a: a.number.lower(),
    "consignee": lambda a: a.consignee.lower(),
    "boxes": lambda a: a.boxes,
    "weight": lambda a: a.weight_g,
    "value": lambda a: a.value,
}
