"""`vn console`: the staff's pages."""

import getpass
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from processors.cli.app import new_app
from processors.cli.web import serve
from processors.console.actions import Actions
from processors.console.app import create_app
from processors.console.contacts import contacts_of, reply_of
from processors.console.openid import OpenId
from processors.console.overview import Overview
from processors.console.page import Console
from processors.console.people import LOOPBACK, LocalUser, SignIn, SignInProxy
from processors.deliver.sample import sample_text
from processors.rules.document.build import document
from processors.rules.load import midnight, read_rules
from processors.rules.rule_set import Rules
from processors.runtime.errors import UserError
from processors.runtime.kafka.clients import Broker
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.run.telemetry import configure
from processors.runtime.settings import Settings
from processors.views.database import View, views_folder
from processors.views.follower import Follower
from processors.views.tables import STAFF_MODEL
from processors.views.view_reader import CONSOLE_VIEW
from processors.watch.loop import Watch
from processors.watch.metrics import MetricsPage

app = new_app("The staff's pages: reviews, messages, clocks, settings.")


@app.command()
def console(
    *,
    host: Annotated[str, typer.Option(help="The address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 = a free one.")] = 0,
) -> None:
    """
    Serve the staff's pages until SIGTERM or SIGINT, and print their address.

    On loopback you act as the user of this computer. On another address people sign in by OpenID Connect
    (VN_CONSOLE_OIDC_ISSUER) or through a sign-in proxy (VN_CONSOLE_USER_HEADER, VN_CONSOLE_PROXIES). Every change made
    here is a record on the pipeline's topics with the person's name.
    """
    settings = Settings()
    configure("warning", settings.log_format)
    served = create_app(console_of(settings), sign_in(settings, host), settings.seal().fingerprint("console", "session"))
    serve(served, host, port)


def sign_in(settings: Settings, host: str) -> SignIn:
    """Return how users sign in; raises UserError if nobody could sign in."""
    if settings.console_oidc_issuer:
        if not settings.console_url or not settings.console_oidc_client_id:
            raise UserError("sign-in by OpenID Connect needs VN_CONSOLE_URL and VN_CONSOLE_OIDC_CLIENT_ID as well")
        return OpenId(
            settings.console_oidc_issuer,
            settings.console_oidc_client_id,
            settings.console_url,
            settings.console_oidc_client_secret.get_secret_value(),
            settings.console_states_claim,
            settings.console_roles_claim,
        )
    if settings.console_user_header:
        peers = frozenset(settings.console_proxies)
        return SignInProxy(settings.console_user_header, settings.console_states_header, peers, settings.console_roles_header)
    if host not in LOOPBACK:
        raise UserError(f"on {host} nobody is signed in: set VN_CONSOLE_OIDC_ISSUER or VN_CONSOLE_USER_HEADER, or serve on 127.0.0.1")
    return LocalUser(getpass.getuser(), LOOPBACK | ({host_of(settings.console_url)} if settings.console_url else set()))


def host_of(url: str) -> str:
    """Return the host that VN_CONSOLE_URL names."""
    with suppress(ValueError):
        if found := urlsplit(url).hostname:
            return found
    raise UserError("VN_CONSOLE_URL names no host: write it as https://vn.example/")


def console_of(settings: Settings) -> Console:
    """Return the console's services; raises UserError if a setting is missing or its files cannot be written."""
    folder = views_folder(settings.views_dir)
    client, library, page = UserClient(settings), read_rules(settings.rules_dir), MetricsPage()
    rules = Rules(library)
    follower = Follower(Broker(settings), client.codec, settings.topic_prefix, View(folder / CONSOLE_VIEW, STAFF_MODEL))
    actions = Actions(client, folder / "console-decisions.sqlite", settings.seal())
    overview = Overview(Watch(settings, rules, page, with_canary=False), page)

    def rules_document(state: str) -> Any:
        zone = rules.history(state).rule_sets[-1].zone
        day = datetime.now(zone).date()
        at = midnight(day, zone)
        return document(
            rules, chain(*library.files_for(state)), state, day, lambda code, language: sample_text(rules, state, code, at, language)
        )

    contacts = partial(contacts_of, client, settings.seal(), rules)
    reply = partial(reply_of, client, settings.seal(), rules)
    return Console(client, follower, actions, overview, rules, rules_document, contacts, reply)
