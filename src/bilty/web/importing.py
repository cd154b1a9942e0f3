"""Import in the panel: a spreadsheet comes up, its columns are named, its faults are mended, it is taken in.

Nothing becomes a shipment before somebody presses *Take in*: what is read before that is the dry run. The work itself
is a job's (`bilty.jobs.importing`); these pages show how far it is and say what a person may do next.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect, ServerSentEvent, ServerSentEventMessage, Stream, Template

from bilty.intake.reader import printable
from bilty.store import audit, import_entries, imports, showing
from bilty.store.imports import Import, ImportState
from bilty.store.labels import Shelf
from bilty.web import import_words, live
from bilty.web.asking import ID_MAX, only, whole
from bilty.web.forms import form_of
from bilty.web.import_page import one_page
from bilty.web.import_template import blank_csv, blank_xlsx
from bilty.web.page import clock_of, page, told
from bilty.web.problems import ProblemError
from bilty.web.sessions import actor, dispatching, from_our_pages, user
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA

PATH = "/imports"
FILE_BYTES_MAX = 64 * 1024 * 1024
"""Some 2,00,000 rows of a CSV file, and more of a workbook."""
FORM_BYTES_MAX = FILE_BYTES_MAX + 64 * 1024
IMPORTS_SHOWN = 50
NAME_CHARS_MAX = 100
PACKED, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
TOO_LARGE = f"The file is larger than {FILE_BYTES_MAX // 1024**2} MB: divide it, or use `bilty import`."
OLD = "This is a workbook of the old kind (.xls): save it as an Excel workbook (.xlsx) or as CSV, and choose that."


@get(PATH, guards=[dispatching], include_in_schema=False)
async def recent(request: AnyRequest) -> Template:
    """Everybody's who works here: what one has begun another may go on with."""
    only(request, "before")
    return await _list(request)


async def _list(request: AnyRequest, fault: str = "") -> Template:
    before = whole(request, "before", None, ID_MAX)
    async with tools_of(request).pool.acquire() as connection:
        found = await imports.recent(connection, None, before_id=before, limit=IMPORTS_SHOWN + 1)
    now = await clock_of(request)
    return await page(
        request,
        "imports.html",
        nav="import",
        status_code=422 if fault else 200,
        rows=[import_words.import_row(each, now) for each in found[:IMPORTS_SHOWN] if _may_see(request, each)],
        older=found[IMPORTS_SHOWN - 1].id if len(found) > IMPORTS_SHOWN else None,
        before=before,
        fault=fault,
        size_max=f"{FILE_BYTES_MAX // 1024**2} MB",
    )


@post(PATH, guards=[dispatching, from_our_pages], include_in_schema=False, request_max_body_size=FORM_BYTES_MAX)
async def upload(request: AnyRequest) -> Redirect | Template:
    """Field: file. It goes to a file as it comes, whatever its size."""
    given = request.headers.get("content-length", "")
    if given.isdigit() and int(given) > FORM_BYTES_MAX:
        return await _list(request, TOO_LARGE)
    file = (await request.form()).get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return await _list(request, "Choose the file first.")
    begins = await file.read(len(PACKED))
    if not begins or begins == OLD_EXCEL:
        return await _list(request, OLD if begins else f"{_name_of(file)} is empty: choose another file.")
    import_id = await _begin(request, file, "xlsx" if begins == PACKED else "csv")
    return Redirect(f"{PATH}/{import_id}", status_code=303)


def _name_of(file: UploadFile) -> str:
    """As a person would call it: some browsers give the whole path."""
    return printable(file.filename.replace("\\", "/").rpartition("/")[2], NAME_CHARS_MAX) or "The file"


async def _begin(request: AnyRequest, file: UploadFile, form: str) -> int:
    tools = tools_of(request)
    with tempfile.TemporaryDirectory(prefix="bilty-import-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "file"
        size = await asyncio.to_thread(_copy, file.file, path)
        sha256 = await tools.labels.put_file(path, Shelf.IMPORTS)
    name = _name_of(file)
    async with tools.pool.acquire() as connection, connection.transaction():
        import_id = await imports.create(connection, name, sha256, form, size, actor(request), user(request).facilities)
        await audit.note(connection, actor(request), "file uploaded", f"import {import_id}", after={"name": name})
    return import_id


def _copy(source: IO[bytes], path: Path) -> int:
    source.seek(0)
    with path.open("wb") as target:
        shutil.copyfileobj(source, target)
        return target.tell()


@get(f"{PATH}/{{import_id:int}}", guards=[dispatching], include_in_schema=False)
async def one(request: AnyRequest, import_id: FromPath[int]) -> Template:
    """Of the query: `show`, a verdict; `after`, a position; `line`, the row to edit whole; `mended`, where one was."""
    only(request, "show", "after", "line", "mended")
    return await one_page(request, await _import_of(request, import_id))


@get(f"{PATH}/{{import_id:int}}/live", guards=[dispatching], include_in_schema=False)
async def live_import(request: AnyRequest, import_id: FromPath[int]) -> ServerSentEvent:
    return ServerSentEvent(_events(request, await _import_of(request, import_id)))


async def _events(request: AnyRequest, found: Import) -> AsyncIterator[ServerSentEventMessage]:
    """Of the job while there is one, which ends with it; then of the shipments, which go on without it."""
    tools = tools_of(request)
    if found.state is not ImportState.TAKEN and found.job_id is not None:
        async for message in live.events(tools.changes, job_id=found.job_id):
            yield message
            async with tools.pool.acquire() as connection:
                now = await imports.import_of(connection, found.id)
            if now is None or (now.state, now.job_id) != (found.state, found.job_id):
                return
    else:
        async for message in live.events(tools.changes, choose=lambda changed: _of(request, found, changed)):
            yield message


async def _of(request: AnyRequest, found: Import, changed: live.Changed) -> live.Changed | None:
    """Those that came in with this file. None at all means that any may have changed."""
    if not changed:
        return changed
    async with tools_of(request).pool.acquire() as connection:
        rows = await connection.fetch(
            "SELECT DISTINCT shipment_id FROM import_rows WHERE import_id = $1 AND shipment_id = ANY($2)",
            found.id,
            list(changed),
        )
    return frozenset(row["shipment_id"] for row in rows) or None


@post(f"{PATH}/{{import_id:int}}/columns", guards=[dispatching, from_our_pages], include_in_schema=False)
async def map_columns(request: AnyRequest, import_id: FromPath[int]) -> Redirect:
    """Fields: column.0 and so on, each the name of ours or blank. Kept for every file with this header."""
    found, form = await _import_of(request, import_id), await form_of(request)
    mapping = {theirs: form.get(f"column.{at}", "") for at, theirs in enumerate(found.headers)}
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        wrong = await imports.map_columns(connection, found.id, mapping, actor(request))
        if not wrong:
            await audit.note(
                connection,
                actor(request),
                "columns of a file named",
                f"import {found.id}",
                before=dict(found.mapping),
                after=mapping,
            )
    if wrong:
        return told(request, f"{PATH}/{found.id}", wrong, well=False)
    return told(request, f"{PATH}/{found.id}", "The columns are kept, and the file is checked with them.")


@post(f"{PATH}/{{import_id:int}}/mends", guards=[dispatching, from_our_pages], include_in_schema=False)
async def mend(request: AnyRequest, import_id: FromPath[int]) -> Redirect:
    """Fields: cell.LINE.COLUMN, and was.LINE.COLUMN, by which a cell is known that was not touched; after."""
    found, form = await _import_of(request, import_id), await form_of(request)
    changed = import_words.changed_cells(form, found.headers)
    after = form.get("after", "")
    back = f"{PATH}/{found.id}?show=faulty&mended=yes" + (f"&after={after}" if after.isdigit() else "")
    if not changed:
        return told(request, back, "Nothing was changed in the cells.", well=False)
    tools = tools_of(request)
    entries = {}
    async with tools.pool.acquire() as connection, connection.transaction():
        today = (await showing.clock(connection)).astimezone(INDIA).date()
        for line, header, value in changed:
            entry = await import_entries.mend(
                connection, found.id, line, header, value, tools.settings.intake_rules, today
            )
            if entry is None:
                return told(request, back, f"Line {line} is not here to be mended any more.", well=False)
            entries[entry.position] = entry
        lines = sorted({line for line, _, _ in changed})
        await audit.note(
            connection, actor(request), "rows of a file mended", f"import {found.id}", after={"lines": lines}
        )
    return told(request, back, import_words.told_mended(len(changed), list(entries.values())))


@post(f"{PATH}/{{import_id:int}}/taking", guards=[dispatching, from_our_pages], include_in_schema=False)
async def take_in(request: AnyRequest, import_id: FromPath[int]) -> Redirect:
    """Field: then, which is `schedule` where they are to be booked at once."""
    found, form = await _import_of(request, import_id), await form_of(request)
    schedule = form.get("then") == "schedule"
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        wrong = await imports.take_in(connection, found.id, actor(request), schedule=schedule)
        if not wrong:
            after = {"schedule": schedule}
            await audit.note(connection, actor(request), "file taken in", f"import {found.id}", after=after)
    if wrong:
        return told(request, f"{PATH}/{found.id}", wrong, well=False)
    return Redirect(f"{PATH}/{found.id}", status_code=303)


@get(f"{PATH}/{{import_id:int}}/faulty.csv", guards=[dispatching], include_in_schema=False, media_type="text/csv")
async def faulty_rows(request: AnyRequest, import_id: FromPath[int]) -> Stream:
    found = await _import_of(request, import_id)

    async def written() -> AsyncIterator[bytes]:
        async with tools_of(request).pool.acquire() as connection:
            async for piece in import_entries.faulty_csv(connection, found):
                yield piece

    headers = {"Content-Disposition": f'attachment; filename="import-{found.id}-faulty.csv"'}
    return Stream(written(), media_type="text/csv", headers=headers)


@get(f"{PATH}/template.csv", guards=[dispatching], include_in_schema=False, media_type="text/csv")
async def template_csv(request: AnyRequest) -> Response[bytes]:
    content = await blank_csv(request)
    headers = {"Content-Disposition": 'attachment; filename="orders-template.csv"'}
    return Response(content, media_type="text/csv", headers=headers)


XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@get(f"{PATH}/template.xlsx", guards=[dispatching], include_in_schema=False, media_type=XLSX_TYPE)
async def template_xlsx(request: AnyRequest) -> Response[bytes]:
    content = await blank_xlsx(request)
    headers = {"Content-Disposition": 'attachment; filename="orders-template.xlsx"'}
    return Response(content, media_type=XLSX_TYPE, headers=headers)


async def _import_of(request: AnyRequest, import_id: int) -> Import:
    found = None
    if 0 < import_id <= ID_MAX:
        async with tools_of(request).pool.acquire() as connection:
            found = await imports.import_of(connection, import_id)
    if found is None or not _may_see(request, found):
        raise ProblemError(404, "not_found", f"There is no import {import_id}.")
    return found


def _may_see(request: AnyRequest, found: Import) -> bool:
    """A file may name every facility that whoever uploaded it works for."""
    mine = user(request).facilities
    return mine is None or (found.facilities is not None and found.facilities <= mine)


ROUTES = [
    recent,
    upload,
    one,
    live_import,
    map_columns,
    mend,
    take_in,
    faulty_rows,
    template_csv,
    template_xlsx,
]
