"""`vn policy`: shows and changes the administrative settings while the pipeline runs."""

import getpass
import time
from typing import Annotated, Any

import typer

from processors.cli.app import new_app
from processors.cli.arguments import known_jurisdiction
from processors.cli.output import JSON, print_rows, row
from processors.domain.event import Scope
from processors.domain.policy import Policy, policy_key
from processors.domain.time import iso
from processors.rules.load import load_rules
from processors.rules.setting_table import SETTINGS
from processors.rules.settings import check_scope, check_setting
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import POLICIES

app = new_app("Shows and changes the administrative settings.")

JURISDICTION = typer.Option(
    "--jurisdiction", callback=lambda code: code and code.upper(), help="Only for this jurisdiction, such as VA.", metavar="XX"
)
NOTIFICATION_TYPE = typer.Option("--notification-type", help='Only for this notification type, such as "Hearing Notice".', metavar="T")
EVENT_SUBTYPE = typer.Option("--event-subtype", help='Only for this event subtype, such as "Escape".', metavar="S")


@app.command()
def show(*, jurisdiction: Annotated[str | None, JURISDICTION] = None, as_json: Annotated[bool, JSON] = False) -> None:
    """Show every setting with its default and what was set, for one jurisdiction or all."""
    settings = Settings()
    if jurisdiction is not None:
        known_jurisdiction(jurisdiction, load_rules(settings.rules_dir).jurisdictions)
    policies = [
        each
        for each in UserClient(settings).table(POLICIES).values()
        if jurisdiction in {None, each.jurisdiction} or each.jurisdiction is None
    ]
    rows: list[dict[str, Any]] = [
        {"key": setting.key, "value": setting.default_text, "scope": "default", "meaning": setting.meaning} for setting in SETTINGS.values()
    ]
    rows += [
        {"key": each.key, "value": each.value, "scope": scope_text(each), "meaning": f"set by {each.set_by} on {iso(each.set_at)}"}
        | ({name: value for name, value in row(each).items() if name not in {"key", "value"}} if as_json else {})
        for each in sorted(policies, key=policy_key)
    ]
    rows.sort(key=lambda each: str(each["key"]))
    print_rows(rows, ("key", "value", "scope", "meaning"), title="Administrative settings", as_json=as_json, empty="There are no settings.")


@app.command("set")
def set_policy(
    key: Annotated[str, typer.Argument(help="The setting, as `vn policy show` lists it.")],
    value: Annotated[str, typer.Argument(help="Its value: a duration such as 30s, 15m, 8h, 60d; or as `vn policy show` describes it.")],
    *,
    jurisdiction: Annotated[str | None, JURISDICTION] = None,
    notification_type: Annotated[str | None, NOTIFICATION_TYPE] = None,
    event_subtype: Annotated[str | None, EVENT_SUBTYPE] = None,
) -> None:
    """Set a setting, everywhere or for a scope; it takes effect in every stage within five seconds."""
    settings = Settings()
    check_setting(key, value, Scope(jurisdiction, notification_type, event_subtype), load_rules(settings.rules_dir))
    policy = Policy(
        key=key,
        value=value,
        jurisdiction=jurisdiction,
        notification_type=notification_type,
        event_subtype=event_subtype,
        set_by=getpass.getuser(),
        set_at=time.time_ns() // 1_000_000,
    )
    client = UserClient(settings)
    client.send(POLICIES, [(policy_key(policy), client.codec.encode(policy))])
    typer.echo(f"{key} = {value} ({scope_text(policy)})")


@app.command()
def unset(
    key: Annotated[str, typer.Argument(help="The setting, as `vn policy show` lists it.")],
    *,
    jurisdiction: Annotated[str | None, JURISDICTION] = None,
    notification_type: Annotated[str | None, NOTIFICATION_TYPE] = None,
    event_subtype: Annotated[str | None, EVENT_SUBTYPE] = None,
) -> None:
    """Remove what was set for exactly this scope."""
    settings = Settings()
    policy = Policy(key=key, value="", jurisdiction=jurisdiction, notification_type=notification_type, event_subtype=event_subtype)
    client = UserClient(settings)
    if policy_key(policy) not in client.table(POLICIES):
        check_scope(key, Scope(jurisdiction, notification_type, event_subtype), load_rules(settings.rules_dir))
        typer.echo(f"{key} was not set ({scope_text(policy)})")
        return
    client.send(POLICIES, [(policy_key(policy), None)])
    typer.echo(f"{key} unset ({scope_text(policy)})")


def scope_text(policy: Policy) -> str:
    """Return the scope in words."""
    return ", ".join(filter(None, (policy.jurisdiction, policy.notification_type, policy.event_subtype))) or "everywhere"
