"""Whether this process lives, and whether it can work: for whatever restarts it and whatever sends it requests."""

import importlib.resources

from litestar import get

from bilty.web.problems import ProblemError
from bilty.web.tools import AnyRequest, tools_of


@get("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@get("/readyz", include_in_schema=False)
async def readyz(request: AnyRequest) -> dict[str, str]:
    """503 while the database is away, or is not migrated to what this program knows."""
    folder = importlib.resources.files("bilty.store") / "migrations"
    known = {file.name for file in folder.iterdir() if file.name.endswith(".sql")}
    async with tools_of(request).pool.acquire() as connection:
        is_begun = await connection.fetchval("SELECT to_regclass('migrations') IS NOT NULL")
        rows = await connection.fetch("SELECT name FROM migrations LIMIT 1000") if is_begun else []
    if known - {row["name"] for row in rows}:
        raise ProblemError(503, "not_migrated", "The database is older than this program: run `bilty migrate`.")
    return {"status": "ready"}
