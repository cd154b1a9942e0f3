"""Settings: what an admin sets up. Everybody who is signed in may read the shipping providers and the facilities."""

from litestar import get
from litestar.response import Redirect

from bilty.web.sessions import signed_in


@get("/settings", guards=[signed_in], include_in_schema=False)
async def settings() -> Redirect:
    return Redirect("/settings/shipping-providers", status_code=303)


ROUTES = [settings]
