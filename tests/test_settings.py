"""Settings: every one is told, a secret may come from a file, and what cannot be understood is named."""

import os
import subprocess
import sys
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from bilty.settings import Settings, SettingsError, read_settings

SECRETS = ("database_url", "secret_key", "secret_key_old")


def refusal(**variables: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        read_settings(variables)
    return str(raised.value).splitlines()


def test_the_defaults_are_those_that_are_promised() -> None:
    settings = read_settings({})
    assert settings == Settings()
    assert settings.data_dir == Path.home() / ".local/share/bilty"
    assert (settings.listen, settings.address) == ("127.0.0.1:8080", "http://127.0.0.1:8080")
    assert (settings.rules.poll_interval, settings.rules.polls_max) == (timedelta(minutes=2), 6)
    assert settings.rules.watch_interval == timedelta(minutes=10)
    assert settings.rules.late_label_wait == timedelta(minutes=30)
    assert not settings.allow_private_addresses
    assert (settings.database_url, settings.secret_key) == (None, None)


def test_bilty_settings_lists_every_setting_with_what_it_is_for() -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BILTY_")}
    command = [sys.executable, "-m", "bilty", "settings"]
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, env=plain, timeout=60
    ).stdout.splitlines()
    listed = {line.split(" ")[0]: about.strip() for line, about in zip(said[::2], said[1::2], strict=True)}
    assert listed == {f"BILTY_{name.upper()}": field.description for name, field in Settings.model_fields.items()}
    assert [name for name, about in listed.items() if not about or not about.endswith(".")] == []


def test_only_our_variables_are_read() -> None:
    assert read_settings({"PATH": "/bin", "NOT_BILTY_LISTEN": "x", "bilty_listen": "x"}) == Settings()


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_stand_in_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("postgresql://x\n", "utf-8")
    settings = read_settings({f"BILTY_{name.upper()}_FILE": str(file)})
    kept = getattr(settings, name)
    assert kept.get_secret_value() == "postgresql://x"
    assert "postgresql://x" not in f"{settings!r} {settings}"


def test_every_secret_is_one_that_does_not_show_itself() -> None:
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secret == set(SECRETS)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_secret_file_that_cannot_be_read_is_named(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    (line,) = refusal(BILTY_SECRET_KEY_FILE=str(file))
    assert line.startswith(f"BILTY_SECRET_KEY_FILE: cannot read '{file}' (")
    assert line.endswith("Name a readable file.")


def test_what_is_no_secret_has_no_file() -> None:
    assert refusal(BILTY_LISTEN_FILE="/etc/hostname") == [
        "BILTY_LISTEN_FILE: no such setting. `bilty settings` lists them."
    ]


def test_a_secret_given_twice_is_a_riddle(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("one", "utf-8")
    (line,) = refusal(BILTY_SECRET_KEY="hunter2", BILTY_SECRET_KEY_FILE=str(file))
    assert line.startswith("BILTY_SECRET_KEY_FILE: ")
    assert "BILTY_SECRET_KEY is given too" in line
    assert "hunter2" not in line


def test_a_blank_secret_is_as_if_it_were_left_out() -> None:
    """As `bilty settings` says of both; else a blank address would be whatever PostgreSQL's own variables name."""
    assert read_settings({"BILTY_DATABASE_URL": "", "BILTY_SECRET_KEY": ""}) == Settings()


def test_an_empty_secret_file_is_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("\n", "utf-8")
    (line,) = refusal(BILTY_SECRET_KEY_FILE=str(file))
    assert line.startswith("BILTY_SECRET_KEY_FILE: ")


def test_all_that_is_wrong_is_told_at_once() -> None:
    lines = refusal(BILTY_LISTEM="x", BILTY_LISTEN="8080", BILTY_POLLS_MAX="six")
    assert [line.split()[0].rstrip(":") for line in lines] == ["BILTY_LISTEM", "BILTY_LISTEN", "BILTY_POLLS_MAX"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BILTY_LISTEN", "8080"),
        ("BILTY_LISTEN", ":8080"),
        ("BILTY_LISTEN", "localhost:http"),
        ("BILTY_LISTEN", "127.0.0.1:65536"),
        ("BILTY_CLICKPOST_URL", "ftp://clickpost.in/api"),
        ("BILTY_CLICKPOST_URL", "clickpost.in/api"),
        ("BILTY_POLL_INTERVAL_SECONDS", "0"),
        ("BILTY_POLL_INTERVAL_SECONDS", "nan"),
        ("BILTY_POLLS_MAX", "0"),
        ("BILTY_POLLS_MAX", "1.5"),
        ("BILTY_WATCH_INTERVAL_SECONDS", "inf"),
        ("BILTY_LATE_LABEL_MINUTES", "0"),
        ("BILTY_ALLOW_PRIVATE_ADDRESSES", "perhaps"),
        ("BILTY_CLICKPOST_CREATE_STYLE", "v9"),
        ("BILTY_EWAYBILL_THRESHOLD_RUPEES", "-1"),
        ("BILTY_EWAYBILL_THRESHOLD_RUPEES", "NaN"),
        ("BILTY_EWAYBILL_MISSING", ""),
        ("BILTY_DATA_DIR", ""),
        ("BILTY_TRUSTED_PROXIES", "proxy.example"),
        ("BILTY_TRUSTED_PROXIES", "10.0.0.5/8"),
        ("BILTY_TRUSTED_PROXIES", "10.0.0.5 10.0.0.6"),
    ],
)
def test_what_is_malformed_is_named(variable: str, value: str) -> None:
    (line,) = refusal(**{variable: value})
    assert line.startswith(f"{variable} is {value!r}: ")
    assert len(line) > len(variable) + 10


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:80", "::1", 80), ("desk.local:0", "desk.local", 0)],
)
def test_an_address_is_taken_apart(listen: str, host: str, port: int) -> None:
    settings = read_settings({"BILTY_LISTEN": listen})
    assert (settings.host, settings.port, settings.address) == (host, port, f"http://{listen}")


def test_proxies_are_addresses_and_networks() -> None:
    settings = read_settings({"BILTY_TRUSTED_PROXIES": "10.0.0.5, fd00::/8,"})
    assert settings.proxies == (ip_network("10.0.0.5"), ip_network("fd00::/8"))
    assert Settings().proxies == ()


def test_urls_lose_the_slash_at_their_end() -> None:
    settings = read_settings({"BILTY_CLICKPOST_URL": "http://host/api/", "BILTY_PUBLIC_URL": "https://desk.example/"})
    assert (settings.clickpost_url, settings.address) == ("http://host/api", "https://desk.example")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().listen = "elsewhere:1"


@pytest.mark.parametrize("given", ["U R P", "URP!", "X" * 16, "\u0935"])
def test_what_stands_for_an_unregistered_consignee_is_one_plain_word(given: str) -> None:
    (line,) = refusal(BILTY_UNREGISTERED_GSTIN=given)
    assert line.endswith("give at most 15 letters and digits, like URP, or leave it blank.")
    assert [read_settings({"BILTY_UNREGISTERED_GSTIN": good}).unregistered_gstin for good in ("", "URP")] == ["", "URP"]
    assert read_settings({}).unregistered_gstin == "URP"
