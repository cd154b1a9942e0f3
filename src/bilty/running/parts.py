"""What the parts of a running Bilty work with, made from its ground and settings."""

from dataclasses import dataclass, field
from datetime import timedelta

from bilty import jobs
from bilty.aggregator import Aggregator
from bilty.aggregator.clickpost import ClickPost, CreateStyle, Endpoints, StatusStyle
from bilty.dispatcher import Tools
from bilty.oms import deliverer
from bilty.oms.sending import Sender
from bilty.outgoing.http import Http
from bilty.running.ground import Opened
from bilty.settings import Settings
from bilty.store.claims import Claim
from bilty.store.providers import Keyring


@dataclass(slots=True)
class Connectors:
    """ClickPost accounts by provider, each made once for every revision of its connector."""

    endpoints: Endpoints
    http: Http
    _made: dict[int, tuple[int, ClickPost]] = field(default_factory=dict)

    def aggregator_of(self, claim: Claim) -> Aggregator:
        known = self._made.get(claim.provider_id)
        if known is None or known[0] != claim.provider_revision:
            known = (claim.provider_revision, ClickPost(claim.connector, self.endpoints, self.http))
            self._made[claim.provider_id] = known
        return known[1]


def endpoints_of(settings: Settings) -> Endpoints:
    return Endpoints(
        base_url=settings.clickpost_url,
        tracking_url=settings.clickpost_tracking_url,
        create_style=CreateStyle(settings.clickpost_create_style),
        status_style=StatusStyle(settings.clickpost_status_style) if settings.clickpost_status_style else None,
        box_stickers=settings.clickpost_box_stickers,
        unregistered_gstin=settings.unregistered_gstin,
        allow_private_addresses=settings.allow_private_addresses,
    )


def dispatch_tools(state: Opened, http: Http) -> Tools:
    connectors = Connectors(endpoints_of(state.settings), http)
    return Tools(
        pool=state.pool,
        keyring=Keyring(state.vault),
        labels=state.labels,
        aggregator=connectors.aggregator_of,
        rules=state.settings.rules,
        calls_max=state.settings.calls_max,
    )


def job_tools(state: Opened, http: Http) -> jobs.Tools:
    endpoints = endpoints_of(state.settings)
    return jobs.Tools(
        pool=state.pool,
        vault=state.vault,
        labels=state.labels,
        aggregator=lambda connector: ClickPost(connector, endpoints, http),
        rules=state.settings.rules,
        sender=Sender(http, state.settings.allow_private_addresses),
        pickup_again=state.settings.pickup_again,
        calls_max=state.settings.calls_max,
        reconcile_every=timedelta(hours=state.settings.reconcile_hours) or None,
        intake=state.settings.intake_rules,
    )


def delivery_tools(state: Opened, http: Http) -> deliverer.Tools:
    return deliverer.Tools(
        pool=state.pool,
        vault=state.vault,
        sender=Sender(http, state.settings.allow_private_addresses),
        base_url=state.settings.address,
        label_good_for=timedelta(hours=state.settings.label_link_hours),
    )
