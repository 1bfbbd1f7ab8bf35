"""`vn site`: the public's pages."""

import os
import secrets
from pathlib import Path
from typing import Annotated, Final

import typer
from prometheus_client import REGISTRY
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from processors.cli.app import new_app
from processors.cli.web import serve
from processors.domain.seal import Seal
from processors.rules.load import load_rules
from processors.rules.rule_set import Rules
from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.runtime.kafka.clients import Broker
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.key_file import KEY_BYTES, read_seal
from processors.runtime.run.supervise import serve_metrics
from processors.runtime.run.telemetry import configure
from processors.runtime.settings import Settings
from processors.site.app import create_app
from processors.site.challenge import Challenges
from processors.site.languages import read_languages
from processors.site.limits import RateLimits
from processors.site.outbox import Outbox
from processors.site.page import Site
from processors.site.sender import OutboxSender
from processors.views.database import View, views_folder
from processors.views.follower import Follower
from processors.views.public import PUBLIC_MODEL, PublicScope

DATABASE_FORMS: Final = "sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"

app = new_app("The public's pages: look somebody up, register, manage registrations.")


@app.command()
def site(
    *,
    host: Annotated[str, typer.Option(help="The address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 = a free one.")] = 0,
) -> None:
    """
    Serve the public's pages until SIGTERM or SIGINT, and print their address.

    They read Kafka into a SQLite file and store what people send in VN_SITE_DB until Kafka has it. Put a proxy with TLS in
    front of them; VN_SITE_PROXIES says whose X-Forwarded-For counts.
    """
    settings = Settings()
    configure("warning", settings.log_format)
    if settings.metrics_port:
        serve_metrics(settings, REGISTRY)
    client, rules, seal = UserClient(settings), load_rules(settings.rules_dir), site_seal(settings.site_key_file)
    languages = read_languages(settings.site_languages)
    view = View(views_folder(settings.views_dir) / "site.sqlite", PUBLIC_MODEL)
    outbox = open_outbox(settings.site_db, seal)
    made = Site(
        follower=Follower(Broker(settings), client.codec, settings.topic_prefix, view),
        outbox=outbox,
        seal=seal,
        rules=rules,
        languages=languages,
        source=settings.site_source,
        shown=public_custody(rules),
        limits=RateLimits(),
        challenges=Challenges(),
        proxies=frozenset(settings.site_proxies),
    )
    serve(create_app(made, OutboxSender(outbox, client)), host, port)


def public_custody(rules: Rules) -> PublicScope:
    """Return whose custody is public according to the rule files."""
    rule_set = rules.rule_set("", wall_time())
    kinds = {each.name for each in rule_set.locations.values() if each.custodial and not each.confidential}
    return PublicScope(tuple(sorted(kinds)), tuple(sorted(code for code, each in rules.jurisdictions.items() if each.public)))


def open_outbox(url: str, seal: Seal) -> Outbox:
    """Return the site's database, whose tables exist; raises UserError, without the URL, which may hold a password."""
    if url.startswith("sqlite:"):
        create_file(url)
    try:
        return Outbox(url, seal)
    except (ArgumentError, ValueError):
        raise UserError(f"VN_SITE_DB is not written as {DATABASE_FORMS}: correct it") from None
    except SQLAlchemyError:
        raise UserError(
            "the database that VN_SITE_DB names cannot be opened: see that it runs, that its name, user and password are right, and that "
            "the user may create tables; or correct VN_SITE_DB"
        ) from None


def create_file(url: str) -> None:
    """Create a SQLite file that only its owner may read, and its folder; raises UserError if it cannot be created."""
    name = url.removeprefix("sqlite:///")
    if not url.startswith("sqlite:///") or not name or name == ":memory:":
        raise UserError(f"VN_SITE_DB names no file: write it as {DATABASE_FORMS}")
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise UserError(f"VN_SITE_DB cannot be created at {path} ({error.strerror}): name another path") from None


def site_seal(path: Path) -> Seal:
    """Return the seal with the site's keys; creates the key file if missing."""
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(f"{secrets.token_hex(KEY_BYTES)}\n")
        except FileExistsError:
            pass  # another copy of the site created it at the same moment
        except OSError as error:
            raise UserError(f"VN_SITE_KEY_FILE cannot be created at {path} ({error.strerror}): name another path") from None
    return read_seal(path, "VN_SITE_KEY_FILE")
