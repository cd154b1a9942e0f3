"""A receiver of events to try against."""

from pathlib import Path
from typing import Annotated

import typer
from standardwebhooks import Webhook

from bilty.cli.ground import stop
from bilty.intake.endpoints import parse_secret


def listen(
    *,
    port: Annotated[int, typer.Option(help="0 takes any that is free.", min=0, max=65535)] = 9000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    secret: Annotated[str, typer.Option(help="The endpoint's, whsec_…: signatures are checked with it.")] = "",
    answer: Annotated[int, typer.Option(help="The status that each event gets.", min=200, max=599)] = 204,
    hang: Annotated[bool, typer.Option(help="Answer nothing, ever.")] = False,
    save: Annotated[
        Path | None, typer.Option(help="The folder to put the labels in. Needs --secret.", file_okay=False)
    ] = None,
) -> None:
    """Stand in for an order system: print a line for each event that Bilty hands off."""
    from bilty.cli.receiver import Receiver, server_of

    if save is not None:
        if not secret:
            stop("--save fetches what a caller names: give --secret with it, so that only Bilty's word counts.")
        save.mkdir(parents=True, exist_ok=True)
    receiver = Receiver(_verifier(secret), None if hang else answer, save)
    try:
        server = server_of(receiver, host, port)
    except OSError as trouble:
        stop(f"Cannot listen on {host}:{port} ({trouble.strerror or trouble}). Give another --port.")
    with server:
        print(f"Listening on http://{host}:{server.server_port}/. Ctrl-C ends it.", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


def _verifier(secret: str) -> Webhook | None:
    if not secret:
        return None
    read = parse_secret({"secret": secret})
    if not isinstance(read, str):
        stop("--secret is not a signing secret: give whsec_… as Bilty showed it when the endpoint was made.")
    return Webhook(read)
