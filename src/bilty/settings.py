"""Settings: environment variables `BILTY_…`, read once at the start into one frozen value.

A secret may be given in a file instead (`BILTY_…_FILE`). An unknown or malformed variable stops the program, naming
it: a misspelt setting that is silently ignored is found out too late.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from bilty.intake import IntakeRules
from bilty.turn import Rules

PREFIX = "BILTY_"
GSTIN_CHARS_MAX = 15
Network: TypeAlias = IPv4Network | IPv6Network


class SettingsError(Exception):
    """One sentence a line, each naming its variable."""


class Settings(BaseModel):
    """Every setting, with its default. Seconds, minutes and rupees as the names say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: SecretStr | None = Field(
        default=None, description="An outside PostgreSQL (15 or newer). Blank: our own."
    )
    data_dir: Path = Field(
        default_factory=lambda: Path.home() / ".local/share/bilty", description="Database, labels and secret live here."
    )
    listen: str = Field(default="127.0.0.1:8080", description="Address and port of panel and API.")
    public_url: str = Field(default="", description="What sign-in links begin with. Blank: http:// and BILTY_LISTEN.")
    trusted_proxies: str = Field(
        default="", description="Reverse proxies whose X-Forwarded-For is believed: addresses or networks, with commas."
    )
    secret_key: SecretStr | None = Field(
        default=None, description="Seals the ClickPost key. Blank: kept in the data folder."
    )
    secret_key_old: SecretStr | None = Field(
        default=None, description="The one before it, while it is exchanged: it opens, and seals nothing."
    )
    label_store: str = Field(default="", description="A folder or a bucket's URL. Blank: in the data folder.")
    postgres_user: str = Field(
        default="", description="Whom our own PostgreSQL runs as when we are root. Blank: nobody."
    )

    waiters_max: int = Field(
        default=2_000, ge=0, le=100_000, description="Callers who wait with `Prefer: wait` at once, in each process."
    )
    key_requests_per_second: float = Field(
        default=300,
        ge=0.01,
        le=100_000,
        description="What one API key may ask of one process; twice as much at once. A bulk upload is one request.",
    )

    clickpost_url: str = Field(default="https://www.clickpost.in/api", description="Ends in /api.")
    clickpost_tracking_url: str = Field(default="", description="Blank: follows BILTY_CLICKPOST_URL.")
    clickpost_create_style: Literal["b2b_v1", "mps_v3"] = Field(
        default="b2b_v1", description="Which create call is used."
    )
    clickpost_status_style: Literal["", "get_b2b", "get_v3"] = Field(
        default="", description="Which status call is used. Blank: the one of the create style."
    )
    clickpost_box_stickers: bool = Field(default=False, description="Ask ClickPost for box stickers.")
    unregistered_gstin: str = Field(
        default="URP", description="Sent as the GSTIN of a consignee without one. Blank: sent blank."
    )
    allow_private_addresses: bool = Field(
        default=False, description="Fetch labels from, and hand off to, private addresses too."
    )
    label_link_hours: float = Field(
        default=168, ge=0.1, le=8760, description="How long a link to a label, as order systems are told it, opens it."
    )
    uniware_wait_seconds: float = Field(
        default=20, ge=0, le=60, description="How long Uniware is kept waiting for a waybill, in one request."
    )
    uniware_link_days: float = Field(
        default=30, ge=0.01, le=365, description="How long the links to labels and manifests open that Uniware stores."
    )
    calls_max: int = Field(
        default=200, ge=1, le=5000, description="Calls out at once of each process, where a connector does not say."
    )

    poll_interval_seconds: float = Field(default=120, ge=0.1, le=3600, description="Between two polls of a turn.")
    polls_max: int = Field(default=6, ge=1, le=100, description="Polls until the next courier's turn.")
    watch_interval_seconds: float = Field(default=600, ge=0.1, le=86400, description="Between looks at a lapsed turn.")
    late_label_minutes: int = Field(
        default=30, ge=1, le=10_080, description="How long a late label may be used; then it is cancelled."
    )
    pickup_again: bool = Field(
        default=True, description="Ask for a new pickup when the label comes after the first. false: only say so."
    )
    reconcile_hours: float = Field(
        default=24, ge=0, le=720, description="Between two comparisons of ClickPost's books with ours. 0: never."
    )
    stop_on_faulty_data: bool = Field(
        default=False, description="Faulty data waits for a person, not the next courier."
    )
    ewaybill_threshold_rupees: Decimal = Field(
        default=Decimal(50_000), ge=0, description="An e-way bill is due above it."
    )
    ewaybill_missing: Literal["hold", "send"] = Field(default="hold", description="What to do when it is missing.")

    @field_validator("database_url", "secret_key", "secret_key_old")
    @classmethod
    def _blank_is_none(cls, secret: SecretStr | None) -> SecretStr | None:
        return secret or None

    @field_validator("data_dir", mode="before")
    @classmethod
    def _folder(cls, folder: str | Path) -> str | Path:
        if folder == "":
            raise ValueError("name a folder, or leave it out")  # else it were the one we happen to be in
        return folder

    @field_validator("clickpost_url", "clickpost_tracking_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("give a URL that begins with http:// or https://")
        return url.rstrip("/")

    @field_validator("unregistered_gstin")
    @classmethod
    def _one_word(cls, given: str) -> str:
        if len(given) > GSTIN_CHARS_MAX or not ((given.isascii() and given.isalnum()) or given == ""):
            raise ValueError("give at most 15 letters and digits, like URP, or leave it blank")
        return given

    @field_validator("listen")
    @classmethod
    def _address(cls, listen: str) -> str:
        host, _, port = listen.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ValueError("give ADDRESS:PORT, like 127.0.0.1:8080")
        return listen

    @field_validator("trusted_proxies")
    @classmethod
    def _networks_only(cls, given: str) -> str:
        try:
            _networks(given)
        except ValueError:
            raise ValueError("give addresses or networks with commas, like 10.0.0.5,10.1.0.0/16") from None
        return given

    @property
    def proxies(self) -> tuple[Network, ...]:
        return _networks(self.trusted_proxies)

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def address(self) -> str:
        return self.public_url.rstrip("/") or f"http://{self.listen}"

    @property
    def rules(self) -> Rules:
        return Rules(
            poll_interval=timedelta(seconds=self.poll_interval_seconds),
            polls_max=self.polls_max,
            watch_interval=timedelta(seconds=self.watch_interval_seconds),
            late_label_wait=timedelta(minutes=self.late_label_minutes),
            stop_on_faulty_data=self.stop_on_faulty_data,
        )

    @property
    def intake_rules(self) -> IntakeRules:
        return IntakeRules(ewaybill_threshold=self.ewaybill_threshold_rupees, ewaybill_missing=self.ewaybill_missing)


def _networks(given: str) -> tuple[Network, ...]:
    """Raises ValueError."""
    return tuple(ip_network(each.strip()) for each in given.split(",") if each.strip())


_SECRETS = ("database_url", "secret_key", "secret_key_old")


def _secret_in(file: str) -> str:
    """Raises OSError or ValueError, which a file that is empty or not text is, too."""
    secret = Path(file).read_text("utf-8").strip()
    if not secret:
        raise ValueError("nothing in it")
    return secret


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises SettingsError."""
    environment = os.environ if environment is None else environment
    given: dict[str, str] = {}
    troubles = []
    for variable in sorted(name for name in environment if name.startswith(PREFIX)):
        name, value = variable.removeprefix(PREFIX).lower(), environment[variable]
        if name.endswith("_file") and name.removesuffix("_file") in _SECRETS:
            try:
                given[name.removesuffix("_file")] = _secret_in(value)
            except (OSError, ValueError) as trouble:
                troubles.append(f"{variable}: cannot read {value!r} ({type(trouble).__name__}). Name a readable file.")
            if (other := variable.removesuffix("_FILE")) in environment:
                troubles.append(f"{variable}: {other} is given too. Take one of the two away.")
        elif name in Settings.model_fields:
            given[name] = value
        else:
            troubles.append(f"{variable}: no such setting. `bilty settings` lists them.")
    try:
        settings = Settings.model_validate(given)
    except ValidationError as faults:
        troubles += [_told(str(each["loc"][0]), str(each["msg"]), given) for each in faults.errors(include_input=False)]
        raise SettingsError("\n".join(troubles)) from None
    if troubles:
        raise SettingsError("\n".join(troubles))
    return settings


def _told(name: str, words: str, given: Mapping[str, str]) -> str:
    shown = "(hidden)" if name in _SECRETS else repr(given.get(name, ""))
    remedy = words.removeprefix("Value error, ").replace("Input should be", "give").partition(", unable to parse")[0]
    return f"{PREFIX}{name.upper()} is {shown}: {remedy}."
