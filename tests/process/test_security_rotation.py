"""`bilty rotate-key` as people type it, on a data folder of its own and a real database."""

from pathlib import Path

import pytest

from bilty.store import providers
from bilty.store.database import Pool
from bilty.store.secrets import OLD_FILE, Vault, kept_secret
from process.programs import Programs
from process.town import PROVIDER, Town


async def test_the_data_folders_secret_is_exchanged_in_three_steps(
    programs: Programs, pool: Pool, data_dir: Path, dsn: str
) -> None:
    settings = {"BILTY_DATA_DIR": data_dir, "BILTY_DATABASE_URL": dsn}
    before = kept_secret(data_dir)
    await Town(pool, "").furnish(Vault(before))

    made = programs.bilty("rotate-key", "--new", settings=settings)
    assert made.wait() == 0
    assert "Restart every bilty that runs, then run `bilty rotate-key`" in made.said
    after = kept_secret(data_dir)
    assert after != before

    sealed = programs.bilty("rotate-key", settings=settings)
    assert sealed.wait() == 0
    assert "Sealed anew: 1 secret. Sealed with the present one already: 0." in sealed.said
    assert "keep it until then" in sealed.said
    async with pool.acquire() as connection:
        assert await providers.connector_of(connection, Vault(after), PROVIDER.code)
        with pytest.raises(ValueError, match="another BILTY_SECRET_KEY"):
            await providers.connector_of(connection, Vault(before), PROVIDER.code)

    too_soon = programs.bilty("rotate-key", "--new", settings=settings)
    assert too_soon.wait() == 1
    assert f"{OLD_FILE} is still there from the last time" in too_soon.complained
    shown = "".join(each.said + each.complained for each in (made, sealed, too_soon))
    assert not [secret for secret in (before, after) if secret in shown]


async def test_what_neither_secret_opens_is_named_and_ends_with_1(
    programs: Programs, pool: Pool, data_dir: Path, dsn: str
) -> None:
    given = {"BILTY_SECRET_KEY": "this year's", "BILTY_SECRET_KEY_OLD": "last year's"}
    await Town(pool, "").furnish(Vault("of the year before"))
    sealed = programs.bilty("rotate-key", settings={"BILTY_DATA_DIR": data_dir, "BILTY_DATABASE_URL": dsn, **given})
    assert sealed.wait() == 1
    assert f"Neither secret opens the key of the shipping provider {PROVIDER.code}." in sealed.complained
    assert "year's" not in sealed.said + sealed.complained

    made = programs.bilty("rotate-key", "--new", settings={"BILTY_DATA_DIR": data_dir, **given})
    assert made.wait() == 1
    assert "so the secret is not the data folder's to make" in made.complained
