"""How a shipping provider is, in the few words of a list and in the sentences of its own page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bilty import telling
from bilty.shipping_provider import Kind
from bilty.store import providers, showing
from bilty.store.database import Connection
from bilty.store.notices import Notice, notices
from bilty.store.providers import COUNTED_MAX, Load, Standing
from bilty.store.secrets import Vault
from bilty.web.problems import ProblemError
from bilty.web.settings_pages.wording import at_most
from bilty.web.stored_key import stored_key
from bilty.words import INDIA, counted

KINDS = {Kind.CLICKPOST_B2B: "ClickPost B2B"}
NOTICES_MAX = 200
UNREADABLE = (
    "Its key was sealed with another BILTY_SECRET_KEY and cannot be read here, so nothing is booked. "
    "Give that one again, or enter the key anew and choose Update Connector."
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is: a shape of its own for each, and words that say the same."""

    shape: str
    glyph: str
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """A shipping provider as pages show it. `troubles` are what is wrong with it, sentence and remedy in one."""

    code: str
    name: str
    kind: Kind
    kind_name: str
    enabled: bool
    username: str | None
    manner: Manner
    waiting: str
    total: str
    is_used: bool
    troubles: tuple[str, ...]
    notices: tuple[tuple[str, str], ...]


async def rows(connection: Connection, vault: Vault, facilities: frozenset[int] | None) -> list[Row]:
    """All there are. Shipments are counted, and notices told, for `facilities`, None for all."""
    return await _rows(connection, vault, facilities, await providers.standings(connection))


async def row(connection: Connection, vault: Vault, code: str, facilities: frozenset[int] | None) -> Row:
    """Raises ProblemError where there is none."""
    asked = [each for each in await providers.standings(connection) if each.provider.code == code]
    if not asked:
        raise ProblemError(404, "not_found", f"There is no shipping provider {code[:40]!r}.")
    return (await _rows(connection, vault, facilities, asked))[0]


async def _rows(
    connection: Connection, vault: Vault, facilities: frozenset[int] | None, standings: Sequence[Standing]
) -> list[Row]:
    now = await showing.clock(connection)
    loads = await providers.loads(connection, [each.id for each in standings], facilities)
    refusing = await notices(connection, facilities, NOTICES_MAX)
    found = []
    for standing in standings:
        code = standing.provider.code
        opens = standing.connector is None or await stored_key(connection, vault, code) is not None
        of_it = [notice for notice in refusing if notice.provider == code]
        found.append(_row(standing, loads[standing.id], of_it, now, opens=opens))
    return found


def _row(standing: Standing, load: Load, refusing: Sequence[Notice], now: datetime, *, opens: bool) -> Row:
    provider = standing.provider
    troubles = telling.told_provider(provider.name, standing, now, INDIA)
    return Row(
        code=provider.code,
        name=provider.name,
        kind=provider.kind,
        kind_name=KINDS[provider.kind],
        enabled=provider.enabled,
        username=standing.connector.username if standing.connector else None,
        manner=_manner(standing, len({each.account_code for each in refusing}), now, opens=opens),
        waiting=at_most(load.waiting, COUNTED_MAX),
        total=at_most(load.total, COUNTED_MAX),
        is_used=load.total > 0,
        troubles=troubles if opens else (*troubles, UNREADABLE),
        notices=tuple(telling.told_notice(notice) for notice in refusing),
    )


def _manner(standing: Standing, refusing: int, now: datetime, *, opens: bool) -> Manner:
    """What is wrong goes before what is wanted: one that is switched off still has to be heard to its end."""

    def since(what: str, at: datetime) -> str:
        return f"{what} since {telling.clock(at, now, INDIA)}"

    if not opens:
        return Manner("person", "▲", "Key unreadable")
    if standing.paused_at:
        return Manner("person", "▲", since("Paused", standing.paused_at))
    if standing.alarmed_at:
        return Manner("person", "▲", since("Alarmed", standing.alarmed_at))
    if standing.silent_since:
        return Manner("waiting", "◑", since("Silent", standing.silent_since))
    if standing.quiet_until:
        return Manner("waiting", "◑", f"Quiet until {telling.clock(standing.quiet_until, now, INDIA)}")
    if not standing.provider.enabled:
        return Manner("idle", "◌", "Switched off")
    if standing.connector is None:
        return Manner("person", "▲", "No connector yet")
    if refusing:
        return Manner("person", "▲", f"Refused by {counted(refusing, 'courier account')}")
    return Manner("done", "●", "Well")
