"""The Litestar application: every route, and what holds for all of them."""

from pathlib import Path

import jinja2
from litestar import Litestar
from litestar.datastructures import State
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from bilty.web import (
    account,
    acting,
    attention,
    health,
    jobs,
    listing,
    live,
    new_shipment,
    settings_pages,
    shipment,
    sign_in,
    today,
)
from bilty.web.api import ROUTER
from bilty.web.arriving import Arrivals
from bilty.web.asking import BODY_BYTES_MAX
from bilty.web.describe import CONFIG
from bilty.web.headers import add_headers
from bilty.web.pictures import Pictures
from bilty.web.problems import HANDLERS
from bilty.web.sessions import SignInNeeded
from bilty.web.settings_pages import api_keys, audit, connector, facilities, providers, questions, users
from bilty.web.tools import AnyRequest, WebTools

HERE = Path(__file__).parent


def make_app(tools: WebTools) -> Litestar:
    """An application of these tools. Whoever runs it listens to the database for `tools.changes`, and closes both."""
    return Litestar(
        route_handlers=[
            ROUTER,
            health.healthz,
            health.readyz,
            *sign_in.ROUTES,
            *account.ROUTES,
            *settings_pages.ROUTES,
            *providers.ROUTES,
            *connector.ROUTES,
            *questions.ROUTES,
            *facilities.ROUTES,
            *users.ROUTES,
            *api_keys.ROUTES,
            *audit.ROUTES,
            *live.ROUTES,
            *listing.ROUTES,
            *shipment.ROUTES,
            *acting.ROUTES,
            *attention.ROUTES,
            *jobs.ROUTES,
            *today.ROUTES,
            *new_shipment.ROUTES,
            create_static_files_router(path="/static", directories=[HERE / "static"]),
        ],
        state=State({"tools": tools, "arrivals": Arrivals(tools.pool), "pictures": Pictures()}),
        before_send=[add_headers],
        exception_handlers={**HANDLERS, SignInNeeded: _to_sign_in},
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=CONFIG,
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(_templates())),
        logging_config=None,
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
