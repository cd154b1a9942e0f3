"""The Litestar application: every route, and what holds for all of them."""

from pathlib import Path

import jinja2
from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from bilty.web import (
    account,
    acting,
    attachments,
    attention,
    books,
    editing,
    ewaybills,
    handover,
    health,
    importing,
    jobs,
    label_links,
    listing,
    live,
    new_shipment,
    papers,
    reference,
    settings_pages,
    shipment,
    sign_in,
    today,
    uniware,
)
from bilty.web.api import ROUTER
from bilty.web.arriving import Arrivals
from bilty.web.asking import BODY_BYTES_MAX
from bilty.web.bulk.gate import Gate
from bilty.web.headers import add_headers, tell_methods
from bilty.web.limits import Limits, Rate
from bilty.web.pictures import Pictures
from bilty.web.problems import HANDLERS
from bilty.web.sessions import SignInNeeded
from bilty.web.settings_pages import (
    api_keys,
    audit,
    connector,
    endpoint_acts,
    endpoints,
    facilities,
    providers,
    questions,
    users,
)
from bilty.web.settings_pages import uniware as uniware_defaults
from bilty.web.tools import AnyRequest, WebTools
from bilty.web.waiting import Waiters

HERE = Path(__file__).parent


def make_app(tools: WebTools) -> Litestar:
    """An application of these tools. Whoever runs it listens to the database for `tools.changes`, and closes both."""
    return Litestar(
        route_handlers=[
            ROUTER,
            *uniware.ROUTES,
            *reference.ROUTES,
            health.healthz,
            health.readyz,
            *sign_in.ROUTES,
            *account.ROUTES,
            *settings_pages.ROUTES,
            *providers.ROUTES,
            *connector.ROUTES,
            *questions.ROUTES,
            *facilities.ROUTES,
            *uniware_defaults.ROUTES,
            *users.ROUTES,
            *api_keys.ROUTES,
            *endpoints.ROUTES,
            *endpoint_acts.ROUTES,
            *audit.ROUTES,
            *live.ROUTES,
            *listing.ROUTES,
            *shipment.ROUTES,
            *label_links.ROUTES,
            *papers.ROUTES,
            *acting.ROUTES,
            *attachments.ROUTES,
            *attention.ROUTES,
            *books.ROUTES,
            *ewaybills.ROUTES,
            *handover.ROUTES,
            *jobs.ROUTES,
            *importing.ROUTES,
            *today.ROUTES,
            *new_shipment.ROUTES,
            *editing.ROUTES,
            create_static_files_router(path="/static", directories=[HERE / "static"]),
        ],
        state=state_of(tools),
        before_send=[add_headers, tell_methods],
        exception_handlers={**HANDLERS, HTTPException: uniware.of_litestar, SignInNeeded: _to_sign_in},
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(_templates())),
        logging_config=None,
    )


def state_of(tools: WebTools) -> State:
    """All that an application keeps from one request to the next."""
    return State(
        {
            "tools": tools,
            "arrivals": Arrivals(tools.pool),
            "waiters": Waiters(tools.pool, tools.changes, tools.settings.waiters_max),
            "gate": Gate(),
            "pictures": Pictures(),
            "limits": Limits(Rate(tools.settings.key_requests_per_second)),
        }
    )


def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("bilty.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _to_sign_in(request: AnyRequest, _: SignInNeeded) -> Redirect:
    return Redirect(sign_in.way_to(request), status_code=303)
