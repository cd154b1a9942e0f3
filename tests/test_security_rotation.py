"""The secret that seals and signs, exchanged while Bilty works: nothing is lost, and the old one can be put away."""

import stat
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from bilty.intake.endpoints import NewEndpoint
from bilty.oms import signed_link
from bilty.running.ground import vault_of
from bilty.settings import Settings, read_settings
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import providers, rotating
from bilty.store.audit import COMMAND
from bilty.store.database import Connection, Pool
from bilty.store.hand_off import endpoints, signing
from bilty.store.rotating import Resealed
from bilty.store.secrets import OLD_FILE, Vault, exchange_kept_secret, kept_old_secret, kept_secret

OLD, NEW = "the secret of last year", "the secret of this year"
KEY = "click-post-key-0123456789"
BEFORE, BETWEEN, AFTER = Vault(OLD), Vault(NEW, OLD), Vault(NEW)


async def set_up(pool: Pool, vault: Vault) -> None:
    """A connector, an endpoint whose secret was exchanged an hour ago, and one that was removed."""
    async with pool.acquire() as connection, connection.transaction():
        await providers.put_provider(connection, ShippingProvider("desk", Kind.CLICKPOST_B2B, "ClickPost"))
        await providers.put_connector(connection, vault, "desk", Connector("malnad", KEY))
        for code in ("oms", "gone"):
            given = NewEndpoint(code, "https://oms.example.com/x", ("shipment.failed",), None, enabled=True)
            await endpoints.put(connection, vault, given, COMMAND)
        await signing.rotate(connection, vault, "oms", COMMAND)
        await connection.execute("UPDATE endpoints SET removed_at = clock_timestamp() WHERE code = 'gone'")


async def told(connection: Connection, vault: Vault) -> tuple[str, tuple[str, ...]]:
    """The connector's key, and the secrets that sign. Raises ValueError where they do not open."""
    connector = await providers.connector_of(connection, vault, "desk")
    now = await connection.fetchval("SELECT clock_timestamp()")
    signed = await signing.signed_with(connection, vault, "oms", now)
    assert connector is not None
    assert signed is not None
    return connector.key, signed[1]


async def reseal(pool: Pool, vault: Vault) -> Resealed:
    async with pool.acquire() as connection, connection.transaction():
        return await rotating.reseal(connection, vault, COMMAND)


async def test_what_the_old_one_sealed_opens_and_is_sealed_with_the_new_one_alone_afterwards(pool: Pool) -> None:
    await set_up(pool, BEFORE)
    async with pool.acquire() as connection:
        first = await told(connection, BEFORE)
        assert first[0] == KEY
        assert len(first[1]) == 2, "the endpoint's own former secret still signs"
        assert await told(connection, BETWEEN) == first
        with pytest.raises(ValueError, match="another BILTY_SECRET_KEY"):
            await told(connection, AFTER)
        assert await reseal(pool, BETWEEN) == Resealed(anew=3, already=0, unopened=())
        assert await told(connection, AFTER) == first
        with pytest.raises(ValueError, match="another BILTY_SECRET_KEY"):
            await told(connection, BEFORE)
        assert await reseal(pool, BETWEEN) == Resealed(anew=0, already=3, unopened=())
        lines = await connection.fetch("SELECT actor_kind, after FROM audit WHERE action = $1", rotating.ROTATED)
        assert [tuple(line) for line in lines] == [("command", '{"sealed_anew": 3}')]


async def test_what_neither_opens_is_named_and_left_as_it_is(pool: Pool) -> None:
    await set_up(pool, BEFORE)
    async with pool.acquire() as connection:
        foreign = Vault("a third").seal(KEY)
        await connection.execute("UPDATE shipping_providers SET sealed_key = $1", foreign)
        done = await reseal(pool, BETWEEN)
        assert done == Resealed(anew=2, already=0, unopened=("the key of the shipping provider desk",))
        assert await connection.fetchval("SELECT sealed_key FROM shipping_providers") == foreign


async def test_a_key_that_is_given_meanwhile_is_not_put_back(pool: Pool) -> None:
    """The rows are held while they are sealed anew: whoever updates the connector waits, and has the last word."""
    await set_up(pool, BEFORE)
    async with pool.acquire() as rotates, pool.acquire() as gives:
        async with rotates.transaction():
            await rotating.reseal(rotates, BETWEEN, COMMAND)
            await gives.execute("SET lock_timeout = '50ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await providers.put_connector(gives, BETWEEN, "desk", Connector("malnad", "another-key"))
        await gives.execute("SET lock_timeout = 0")
        await providers.put_connector(gives, BETWEEN, "desk", Connector("malnad", "another-key"))
        assert (await told(gives, AFTER))[0] == "another-key"


async def test_every_column_that_lasts_is_sealed_anew(pool: Pool) -> None:
    """A column that is sealed is called so; one that rotation does not know would be lost with the old secret."""
    rows = await pool.fetch(
        """SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND column_name LIKE '%sealed%'"""
    )
    assert {tuple(row) for row in rows} == set(rotating.SEALED)


def test_a_link_signed_with_the_old_one_opens_until_the_old_one_is_taken_away() -> None:
    link = signed_link.written(BEFORE, "a purpose", "17.abc")
    assert signed_link.read(BETWEEN, "a purpose", link) == "17.abc"
    assert signed_link.read(AFTER, "a purpose", link) is None
    assert signed_link.read(BETWEEN, "another purpose", link) is None


def test_the_new_one_alone_seals_and_signs() -> None:
    assert AFTER.open(BETWEEN.seal("x")) == "x"
    assert signed_link.read(AFTER, "a purpose", signed_link.written(BETWEEN, "a purpose", "y")) == "y"
    with pytest.raises(ValueError, match="another BILTY_SECRET_KEY"):
        BEFORE.open(BETWEEN.seal("x"))


def test_programs_that_are_restarted_one_after_the_other_understand_each_other() -> None:
    """First each is told the new one as OLD, then the two change places: at no moment does one seal what another
    cannot open.
    """
    prepared, exchanged = Vault(OLD, NEW), Vault(NEW, OLD)
    for seals in (prepared, exchanged):
        for opens in (prepared, exchanged):
            assert opens.open(seals.seal("x")) == "x"
    assert prepared.open(BEFORE.seal("x")) == BEFORE.open(prepared.seal("x")) == "x"


# Where the secrets come from


def test_both_are_settings(tmp_path: Path) -> None:
    (tmp_path / "old").write_text(f"{OLD}\n", "utf-8")
    given = {"BILTY_SECRET_KEY": NEW, "BILTY_SECRET_KEY_OLD_FILE": str(tmp_path / "old")}
    vault = vault_of(read_settings({**given, "BILTY_DATA_DIR": str(tmp_path / "data")}))
    assert vault.open(BEFORE.seal("x")) == AFTER.open(vault.seal("x")) == "x"
    assert not (tmp_path / "data").exists(), "none is made where one is given"


def test_the_data_folders_own_is_exchanged_once_and_the_old_one_kept_beside_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    before = vault_of(settings)
    old = kept_secret(tmp_path)
    assert exchange_kept_secret(tmp_path)
    assert (kept_old_secret(tmp_path), kept_secret(tmp_path) == old) == (old, False)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    assert sorted(file.name for file in tmp_path.iterdir()) == [OLD_FILE, "secret.key"]
    assert vault_of(settings).open(before.seal("x")) == "x"

    new = kept_secret(tmp_path)
    assert not exchange_kept_secret(tmp_path), "a third would be the end of what the first sealed"
    assert (kept_old_secret(tmp_path), kept_secret(tmp_path)) == (old, new)

    (tmp_path / OLD_FILE).unlink()
    with pytest.raises(ValueError, match="another BILTY_SECRET_KEY"):
        vault_of(settings).open(before.seal("x"))
    assert exchange_kept_secret(tmp_path)


def test_an_exchange_that_was_cut_short_is_taken_up_again(tmp_path: Path) -> None:
    """Killed when the present one was kept and the new one not yet in its place."""
    old = kept_secret(tmp_path)
    (tmp_path / OLD_FILE).hardlink_to(tmp_path / "secret.key")
    assert vault_of(Settings(data_dir=tmp_path)).open(Vault(old).seal("x")) == "x"
    assert exchange_kept_secret(tmp_path)
    assert kept_old_secret(tmp_path) == old != kept_secret(tmp_path)


def test_the_data_folders_one_may_be_exchanged_for_a_setting(tmp_path: Path) -> None:
    sealed = vault_of(Settings(data_dir=tmp_path)).seal("x")
    moved = {
        "BILTY_DATA_DIR": str(tmp_path),
        "BILTY_SECRET_KEY": NEW,
        "BILTY_SECRET_KEY_OLD_FILE": str(tmp_path / "secret.key"),
    }
    assert vault_of(read_settings(moved)).open(sealed) == "x"


def test_no_vault_shows_a_secret() -> None:
    vault = vault_of(Settings(secret_key=SecretStr(NEW), secret_key_old=SecretStr(OLD)))
    assert not [secret for secret in (OLD, NEW) if secret in f"{vault} {vault!r}"]
