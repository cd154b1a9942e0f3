"""Settings, Uniware: what each facility has set down for what Uniware's contract has no place for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.intake import Fault, Rejected
from bilty.intake.uniware import Defaults, Need, parse_defaults
from bilty.intake.uniware.defaults import SIDES
from bilty.store import places, providers, setting_up, uniware
from bilty.store.places import Place
from bilty.web.forms import Form, by_field, form_of
from bilty.web.page import page, told
from bilty.web.problems import ProblemError
from bilty.web.sessions import actor, administering, from_our_pages, signed_in, user
from bilty.web.settings_pages import wording
from bilty.web.tools import AnyRequest, base_url, tools_of
from bilty.web.uniware import PATH as ADDRESS

PATH = "/settings/uniware"
NEEDS: Mapping[Need, str] = {
    Need.GSTIN: "Consignee's GSTIN",
    Need.PURCHASE_ORDER: "Purchase order",
    Need.GST_SPLIT: "Value before taxes, and the taxes",
}
LABELS = {
    "pickup_address_id": "Pickup Address Id in Uniware",
    "shipping_provider": "Shipping Provider",
    "invoice_of_the_day": "Invoice date",
    "box_length_cm": "Length",
    "box_breadth_cm": "Breadth",
    "box_height_cm": "Height",
    **{need.value: words for need, words in NEEDS.items()},
}
CHANGES = (uniware.SAVED,)


@dataclass(frozen=True, slots=True)
class Row:
    """A facility with what it has set down, in words."""

    code: str
    organisation: str
    provider: str
    invoice: str
    box_cm: tuple[int, ...]
    needs: tuple[str, ...]


@get(PATH, guards=[signed_in], include_in_schema=False)
async def listing(request: AnyRequest) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        found = await places.places(connection, user(request).facilities)
        defaults = await uniware.all_defaults(connection, [place.id for place in found])
        only = await uniware.only_provider(connection)
    return await page(
        request,
        "settings/uniware.html",
        nav="settings",
        section="uniware",
        rows=[_row(place, defaults.get(place.id, Defaults()), only) for place in found],
        address=base_url(request) + ADDRESS,
    )


def _row(place: Place, defaults: Defaults, only: str) -> Row:
    return Row(
        code=place.facility.code,
        organisation=place.facility.pickup.organisation,
        provider=defaults.shipping_provider or only,
        invoice="Day of the first request" if defaults.invoice_of_the_day else "Custom field",
        box_cm=defaults.box_cm or (),
        needs=tuple(words for need, words in NEEDS.items() if need in defaults.needs),
    )


@get(f"{PATH}/{{code:str}}", guards=[signed_in], include_in_schema=False)
async def one(request: AnyRequest, code: FromPath[str]) -> Template:
    place = await _place(request, code)
    async with tools_of(request).pool.acquire() as connection:
        defaults = await uniware.defaults_of(connection, place.id)
    return await _form(request, place, _shown(defaults))


@post(f"{PATH}/{{code:str}}", guards=[administering, from_our_pages], include_in_schema=False)
async def save(request: AnyRequest, code: FromPath[str]) -> Template | Redirect:
    place, form = await _place(request, code), await form_of(request)
    given = _given(form)
    parsed = parse_defaults(given)
    if isinstance(parsed, Rejected):
        return await _form(request, place, given, parsed.faults)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        known = {standing.provider.code for standing in await providers.standings(connection)}
        before = await setting_up.last_change(connection, code, CHANGES)
        gone = parsed.shipping_provider and parsed.shipping_provider not in known
        if not gone:
            await uniware.save_defaults(connection, place.id, code, parsed, actor(request))
    if gone:
        message = f'Shipping Provider is "{parsed.shipping_provider}", which is not set up: choose one that is.'
        return await _form(request, place, given, [Fault("shipping_provider", parsed.shipping_provider, message)])
    return told(request, f"{PATH}/{code}", f"What Uniware lacks is saved for {code}." + wording.overtaken(form, before))


async def _form(request: AnyRequest, place: Place, given: Mapping[str, str], faults: Sequence[Fault] = ()) -> Template:
    shown = wording.labelled(faults, LABELS)
    async with tools_of(request).pool.acquire() as connection:
        change = await setting_up.last_change(connection, place.facility.code, CHANGES)
        standings = await providers.standings(connection)
        only = await uniware.only_provider(connection)
    choices = [("", f"None set: {only}, the only one" if only else "None set: Uniware names one, or it is held")]
    return await page(
        request,
        "settings/uniware_facility.html",
        nav="settings",
        section="uniware",
        status_code=422 if shown else 200,
        facility=place.facility,
        given=given,
        labels=LABELS,
        sides=SIDES,
        needs=[(need.value, words) for need, words in NEEDS.items()],
        providers=choices + [(each.provider.code, each.provider.name) for each in standings],
        faults=shown,
        fault=by_field(shown),
        changed_last=wording.changed_last(change),
        seen=wording.seen_mark(change),
    )


def _given(form: Form) -> dict[str, str]:
    """A tick that is not sent is none."""
    ticks = {name: "true" if form.ticked(name) else "" for name in ("invoice_of_the_day", *Need)}
    return {name: form.get(name, "") for name in ("pickup_address_id", "shipping_provider", *SIDES)} | ticks


def _shown(defaults: Defaults) -> dict[str, str]:
    sides = map(str, defaults.box_cm) if defaults.box_cm else ("", "", "")
    return {
        "pickup_address_id": defaults.pickup_address_id,
        "shipping_provider": defaults.shipping_provider,
        "invoice_of_the_day": "true" if defaults.invoice_of_the_day else "",
        **dict(zip(SIDES, sides, strict=True)),
        **{need.value: "true" if need in defaults.needs else "" for need in Need},
    }


async def _place(request: AnyRequest, code: str) -> Place:
    async with tools_of(request).pool.acquire() as connection:
        found = await places.place(connection, user(request).facilities, code)
    if found is None:
        raise ProblemError(404, "not_found", f"There is no facility {code[:40]!r}.")
    return found


ROUTES = [listing, one, save]
