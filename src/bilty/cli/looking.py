"""What there is to set, and what is well."""

from typing import Annotated

import typer

from bilty.cli.ground import stop, with_state
from bilty.settings import Settings


def doctor(
    *,
    live: Annotated[bool, typer.Option(help="Ask the real ClickPost account, step by step.")] = False,
    book: Annotated[bool, typer.Option(help="With --live: book one shipment, and cancel it again.")] = False,
    provider: Annotated[str, typer.Option(help="The shipping provider's code, if there are several.")] = "",
    facility: Annotated[str, typer.Option(help="The facility's code, if there are several.")] = "",
    pincode: Annotated[str, typer.Option(help="Where the boxes would go.")] = "400001",
    reconcile: Annotated[
        bool, typer.Option(help="Hold ClickPost's books against ours, reference by reference.")
    ] = False,
    days: Annotated[int, typer.Option(help="With --reconcile: how long ago a turn may have ended.", min=1)] = 7,
    json: Annotated[bool, typer.Option(help="One JSON object on the last line.")] = False,
) -> None:
    """Say what is well and what is not, and which setting mends it."""
    if not (len(pincode) == 6 and pincode.isdigit()):
        stop(f"--pincode {pincode} is not a PIN code: give 6 digits, like 400001.")
    from bilty.doctor import Asked, examine

    asked = Asked(live, book, provider, facility, pincode, reconcile, days, json)
    raise typer.Exit(with_state(lambda state: examine(state, asked)))


def settings() -> None:
    """List every setting with its default."""
    for name, setting in Settings.model_fields.items():
        default = setting.get_default(call_default_factory=True, validated_data={})
        print(f"BILTY_{name.upper()} ({'blank' if default in (None, '') else default})\n    {setting.description}")
