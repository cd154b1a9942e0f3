"""How it stands with Bilty itself: settings, database, label store, keys, providers, what is due, the disk.

`look` asks, `judge` says what that means; nothing here calls ClickPost.
"""

import importlib.resources
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from obstore.exceptions import BaseError
from pydantic import SecretStr

from bilty.doctor import restored
from bilty.doctor.findings import (
    Finding,
    is_loopback,
    note,
    ok,
    told_settings,
    without_password,
    wrong,
)
from bilty.running import Opened
from bilty.settings import PREFIX, Settings
from bilty.shipment import Facility
from bilty.store import claims, providers
from bilty.store.database import POSTGRES_MIN, Connection
from bilty.store.notices import Notice, notices
from bilty.store.places import places
from bilty.store.providers import Standing
from bilty.store.restored import Restore, standing
from bilty.telling import span, told_notice, told_provider
from bilty.words import counted, sentence

LATE_MAX_S = 60.0
"""A claim's lease: a dispatcher that is alive leaves nothing due for longer."""
DISK_FREE_MIN_BYTES = 2**30
NOTICES_SHOWN_MAX = 10
GIB = 2**30
UPDATE_CONNECTOR = "Settings, Shipping Provider, Update Connector; or PUT /api/v1/shipping-providers/CODE/connector."
ADD_FACILITY = "Add one in Settings, Facilities; or PUT /api/v1/facilities/CODE."

_TEST_PDF = (
    b"%PDF-1.4\n% bilty doctor was here\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    b"2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
)
"""Always these bytes: a label's name is its hash, so any number of examinations leave one small file behind."""


@dataclass(frozen=True, slots=True)
class House:
    """What `look` saw. `label_trouble` and those of `sealed` are blank where all is well."""

    settings: Settings
    postgres: str
    postgres_major: int
    shipped: tuple[str, ...]
    applied: tuple[str, ...]
    label_trouble: str
    sealed: tuple[tuple[str, str], ...]
    standings: tuple[Standing, ...]
    notices: tuple[Notice, ...]
    facilities: tuple[Facility, ...]
    due: int
    late_s: float
    disk_free: int
    disk_total: int
    now: datetime
    restore: Restore | None = None


async def look(state: Opened) -> House:
    async with state.pool.acquire() as connection:
        standings = await providers.standings(connection)
        now = await connection.fetchval("SELECT clock_timestamp()")
        due, late_s = await claims.late(connection)
        disk = shutil.disk_usage(_existing(state.settings.data_dir))
        return House(
            settings=state.settings,
            postgres=str(await connection.fetchval("SHOW server_version")).split()[0],
            postgres_major=connection.get_server_version().major,
            shipped=shipped_migrations(),
            applied=await _applied(connection),
            label_trouble=await _label_trouble(state),
            sealed=tuple([(s.provider.code, await _seal_trouble(connection, state, s)) for s in standings]),
            standings=tuple(standings),
            notices=tuple(await notices(connection, None, NOTICES_SHOWN_MAX)),
            facilities=await facilities_of(connection),
            due=due,
            late_s=late_s,
            disk_free=disk.free,
            disk_total=disk.total,
            now=now,
            restore=await standing(connection),
        )


def shipped_migrations() -> tuple[str, ...]:
    folder = importlib.resources.files("bilty.store") / "migrations"
    return tuple(sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql")))


async def facilities_of(connection: Connection) -> tuple[Facility, ...]:
    return tuple(place.facility for place in await places(connection, None))


async def _applied(connection: Connection) -> tuple[str, ...]:
    rows = await connection.fetch("SELECT name FROM migrations ORDER BY name LIMIT 1000")
    return tuple(row["name"] for row in rows)


async def _label_trouble(state: Opened) -> str:
    try:
        sha256 = await state.labels.put(_TEST_PDF)
        kept = await state.labels.get(sha256)
    except (OSError, ValueError, BaseError) as trouble:
        return without_password(str(trouble).partition("\n")[0]) or type(trouble).__name__
    return "" if kept == _TEST_PDF else "what was read back is not what was written"


async def _seal_trouble(connection: Connection, state: Opened, standing: Standing) -> str:
    try:
        await providers.connector_of(connection, state.vault, standing.provider.code)
    except ValueError as trouble:
        return str(trouble)
    return ""


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there yet."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())


def judge(house: House) -> list[Finding]:
    return [
        *_settings(house.settings),
        _postgres(house),
        _labels(house),
        _secret(house),
        *_providers(house),
        *[_notice(notice) for notice in house.notices],
        _facilities(house.facilities),
        *restored.judge(house.restore),
        _turns(house),
        _disk(house),
    ]


def _settings(settings: Settings) -> list[Finding]:
    minutes = span(settings.rules.poll_interval * settings.polls_max)
    said = [
        ok(
            f"Settings: {told_settings(changed_settings(settings))}. A courier's label is waited for {minutes}: "
            f"{counted(settings.polls_max, 'poll')}, {span(settings.rules.poll_interval)} apart."
        )
    ]
    url = settings.clickpost_url
    if not url.endswith("/api"):
        remedy = "Give the address up to and with /api in BILTY_CLICKPOST_URL."
        said.append(wrong(f"BILTY_CLICKPOST_URL is {without_password(url)}, and ClickPost's ends in /api.", remedy))
    if url.startswith("http://") and not is_loopback(url):
        remedy = "Give an https:// address in BILTY_CLICKPOST_URL."
        said.append(wrong("BILTY_CLICKPOST_URL is not https, so the key travels for all to read.", remedy))
    return said


def changed_settings(settings: Settings) -> dict[str, str]:
    """By variable, those that are not as they come; a secret only tells that it is there."""
    changed = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value != field.get_default(call_default_factory=True, validated_data={}):
            shown = "(given)" if isinstance(value, SecretStr) else without_password(str(value))
            changed[f"{PREFIX}{name.upper()}"] = shown
    return changed


def _postgres(house: House) -> Finding:
    missing = [name for name in house.shipped if name not in house.applied]
    unknown = [name for name in house.applied if name not in house.shipped]
    if house.postgres_major < POSTGRES_MIN:
        remedy = f"Name a server of {POSTGRES_MIN} or newer in BILTY_DATABASE_URL, or leave it out to use Bilty's own."
        return wrong(f"PostgreSQL {house.postgres} is too old.", remedy)
    if missing:
        return wrong(f"PostgreSQL {house.postgres} lacks {', '.join(missing)}.", "Run `bilty migrate`.")
    if unknown:
        says = f"PostgreSQL {house.postgres} has been migrated by a newer Bilty ({', '.join(unknown)})."
        return wrong(says, "Run that version here, too.")
    return ok(f"PostgreSQL {house.postgres}, {counted(len(house.applied), 'migration')} applied and none missing.")


def _labels(house: House) -> Finding:
    where = without_password(house.settings.label_store or str(house.settings.data_dir / "documents"))
    if house.label_trouble:
        remedy = "Make it writable for the user who runs Bilty, or name another in BILTY_LABEL_STORE."
        return wrong(f"Labels cannot be kept in {where}: {sentence(house.label_trouble)}", remedy)
    return ok(f"Labels are written to and read from {where}.")


def _secret(house: House) -> Finding:
    faulty = [(code, trouble) for code, trouble in house.sealed if trouble]
    if faulty:
        told = f"The secret key does not open the connector of {', '.join(code for code, _ in faulty)}."
        return wrong(told, faulty[0][1])
    with_key = sum(standing.connector is not None for standing in house.standings)
    return ok(f"The secret key opens {counted(with_key, 'connector')}.")


def _providers(house: House) -> list[Finding]:
    if not house.standings:
        remedy = "Add it in Settings, Shipping Provider; or PUT /api/v1/shipping-providers/CODE, see the README."
        return [wrong("No shipping provider is set up.", remedy)]
    return [finding for standing in house.standings for finding in _standing(standing, house.now, _zone(house))]


def _zone(house: House) -> tzinfo:
    return ZoneInfo(house.facilities[0].time_zone if house.facilities else "Asia/Kolkata")


def _standing(standing: Standing, now: datetime, zone: tzinfo) -> Sequence[Finding]:
    name = f"{standing.provider.name} ({standing.provider.code})"
    if standing.connector is None:
        return [wrong(f"{name} has no username and key.", UPDATE_CONNECTOR)]
    if not standing.provider.enabled:
        return [note(f"{name} is switched off.")]
    troubles = told_provider(name, standing, now, zone)
    if not troubles:
        return [ok(f"{name}: neither paused nor alarmed nor silent.")]
    return [wrong(trouble, "`bilty doctor --live` asks ClickPost itself.") for trouble in troubles]


def _notice(notice: Notice) -> Finding:
    told, remedy = told_notice(notice)
    return wrong(f"{notice.provider_name} ({notice.provider}): {told}", remedy)


def _facilities(facilities: Sequence[Facility]) -> Finding:
    if not facilities:
        return wrong("There is no facility to fetch boxes from.", ADD_FACILITY)
    told = ", ".join(f"{facility.code} (PIN {facility.pickup.pincode})" for facility in facilities[:5])
    more = f" and {len(facilities) - 5} more" if len(facilities) > 5 else ""
    return ok(f"{counted(len(facilities), 'facility', 'facilities')}: {told}{more}.")


def _turns(house: House) -> Finding:
    if not house.due:
        return ok("Nothing is due.")
    told = f"{counted(house.due, 'call')} to ClickPost due, the oldest for {house.late_s:.1f} s."
    if house.late_s <= LATE_MAX_S:
        return ok(told)
    return wrong(told, "Nobody works them off: start `bilty up`, or `bilty work`, and see what it logs.")


def _disk(house: House) -> Finding:
    told = f"{house.disk_free / GIB:.1f} GiB of {house.disk_total / GIB:.1f} are free where the data is."
    if house.disk_free >= DISK_FREE_MIN_BYTES:
        return ok(told)
    return wrong(told, "Make room, or move the data and name its folder in BILTY_DATA_DIR.")
