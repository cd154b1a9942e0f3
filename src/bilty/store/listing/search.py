"""Looking for shipments by what a person types or a scanner reads.

Whatever is typed is tried as the beginning of a number, an order number, a reference, an AWB and a box's AWB, and as
words of the consignee's name. What is found is a bounded set of shipments, the newest of what there is, and everything
else narrows that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bilty.store.database import Connection

FOUND_MAX = 2_000
NAMES_MAX = 400
OF_EACH_NAME = 60
"""A page's worth: so the newest of all are among the newest of each."""
NEWEST = 20_000
"""Where a word is in too many names, it is looked for in this many shipments."""
LAST_CHARACTER = "\U0010ffff"
_QUERY = "(SELECT string_agg('''' || word || ''':*', ' & ') FROM unnest(words_of($1)) AS word)::tsquery"


@dataclass(frozen=True, slots=True)
class Found:
    """`more`: there are others, which are left out."""

    ids: tuple[int, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Within:
    """Of these facilities, None for all; from this id to before that one."""

    facility_ids: Sequence[int] | None
    first_id: int
    end_id: int


async def find(
    connection: Connection, words: str, facility_ids: Sequence[int] | None, first_id: int | None, end_id: int | None
) -> Found:
    """Among the shipments of these facilities, None for all, from `first_id` to before `end_id`."""
    within = Within(facility_ids, first_id or 0, end_id or 2**63 - 1)
    codes, more_codes = await _by_codes(connection, words, within)
    names = await _names(connection, words)
    if len(names) > NAMES_MAX:
        named = await _newest_by_words(connection, words, within)
    else:
        named = await _by_names(connection, names, within) if names else []
    ids = sorted({*codes, *named}, reverse=True)
    more = more_codes or len(named) > FOUND_MAX or len(ids) > FOUND_MAX or len(names) > NAMES_MAX
    return Found(tuple(ids[:FOUND_MAX]), more)


async def _by_codes(connection: Connection, words: str, within: Within) -> tuple[list[int], bool]:
    """And whether there may be others."""
    # Where there are too many, those with the highest numbers: mostly the newest. No index has numbers by facility,
    # and a few facilities may have few of them: more are looked at than are taken.
    most = FOUND_MAX if within.facility_ids is None else NEWEST
    rows = await connection.fetch(
        """(SELECT shipment_id FROM shipment_keys
             WHERE number >= lower($6) AND number < lower($6) || $2 AND shipment_id >= $4 AND shipment_id < $5
             ORDER BY number DESC LIMIT $3)
            UNION ALL
           (SELECT shipment_id FROM shipment_keys
             WHERE order_number >= lower($1) AND order_number < lower($1) || $2
               AND shipment_id >= $4 AND shipment_id < $5
             ORDER BY order_number DESC LIMIT $3)
            UNION ALL
           (SELECT shipment_id FROM shipment_codes
             WHERE code >= lower($6) AND code < lower($6) || $2 AND shipment_id >= $4 AND shipment_id < $5
             ORDER BY code DESC LIMIT $3)""",
        words,
        LAST_CHARACTER,
        most + 1,
        within.first_id,
        within.end_id,
        _as_code(words),
    )
    ids = list({row["shipment_id"] for row in rows})
    if within.facility_ids is None:
        return ids, len(ids) > most
    kept = await connection.fetch(
        "SELECT shipment_id FROM shipment_keys WHERE shipment_id = ANY($1) AND facility_id = ANY($2)",
        ids,
        within.facility_ids,
    )
    return [row["shipment_id"] for row in kept], len(ids) > most


async def _names(connection: Connection, words: str) -> list[str]:
    """Consignees whose names have all the words, or words that begin so."""
    rows = await connection.fetch(
        f"SELECT name FROM consignee_names WHERE words @@ {_QUERY} LIMIT $2",  # noqa: S608 - a constant
        words,
        NAMES_MAX + 1,
    )
    return [row["name"] for row in rows]


async def _by_names(connection: Connection, names: Sequence[str], within: Within) -> list[int]:
    rows = await connection.fetch(
        """SELECT found.shipment_id FROM unnest($1::text[]) AS n(name)
            CROSS JOIN LATERAL (SELECT k.shipment_id FROM shipment_keys k
                                 WHERE k.consignee = n.name AND k.shipment_id >= $4 AND k.shipment_id < $5
                                   AND ($6::int[] IS NULL OR k.facility_id = ANY($6))
                                 ORDER BY k.shipment_id DESC LIMIT $2) AS found
            ORDER BY found.shipment_id DESC LIMIT $3""",
        names,
        max(OF_EACH_NAME, 2 * FOUND_MAX // len(names)),
        FOUND_MAX + 1,
        within.first_id,
        within.end_id,
        within.facility_ids,
    )
    return [row["shipment_id"] for row in rows]


async def _newest_by_words(connection: Connection, words: str, within: Within) -> list[int]:
    rows = await connection.fetch(
        f"""SELECT k.shipment_id
              FROM (SELECT shipment_id, consignee FROM shipment_keys WHERE shipment_id >= $3 AND shipment_id < $4
                       AND ($5::int[] IS NULL OR facility_id = ANY($5))
                     ORDER BY shipment_id DESC LIMIT {NEWEST}) AS k
              JOIN consignee_names n ON n.name = k.consignee
             WHERE n.words @@ {_QUERY} ORDER BY k.shipment_id DESC LIMIT $2""",  # noqa: S608 - constants
        words,
        FOUND_MAX + 1,
        within.first_id,
        within.end_id,
        within.facility_ids,
    )
    return [row["shipment_id"] for row in rows]


async def find_exactly(connection: Connection, words: str, facility_ids: frozenset[int] | None) -> list[int]:
    """The shipments with this very number, reference, AWB or box's AWB; two are as good as many."""
    rows = await connection.fetch(
        """SELECT s.id FROM shipments s
             JOIN (SELECT shipment_id FROM shipment_keys WHERE number = lower($1)
                    UNION SELECT shipment_id FROM shipment_codes WHERE code = lower($1)) AS found
               ON found.shipment_id = s.id
            WHERE $2::int[] IS NULL OR s.facility_id = ANY($2) LIMIT 2""",
        _as_code(words),
        None if facility_ids is None else list(facility_ids),
    )
    return [row["id"] for row in rows]


def _as_code(words: str) -> str:
    """Numbers and waybills have no spaces, but pages and papers group them for the eye: "6201 6647 6"."""
    return words.replace(" ", "") if any(each.isdigit() for each in words) else words
