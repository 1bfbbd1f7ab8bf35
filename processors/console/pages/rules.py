"""`/policies` and `/rules/STATE`: the administrative settings, and the rules as a document to sign."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from processors.console.page import Pages
from processors.domain.event import Scope
from processors.domain.policy import Policy
from processors.rules.setting_table import SETTINGS
from processors.rules.setting_values import BadSetting
from processors.rules.settings import check_setting
from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.views import queries


async def policies(pages: Pages, request: Request) -> Response:
    """Show every setting, its value and who set it; set or unset one."""
    error = ""
    if request.method == "POST":
        form = {name: str(value).strip() for name, value in (await request.form()).items()}
        try:
            await run_in_threadpool(change_policy, pages, form, request.state.person.name)
            return RedirectResponse("/policies", 303)
        except (BadSetting, UserError) as refused:
            error = str(refused)
    return pages.render(
        request,
        "policies.html",
        400 if error else 200,
        settings=sorted(SETTINGS.values(), key=lambda each: each.key),
        policies=await pages.ask(queries.policies),
        history=await pages.ask(queries.policy_history),
        error=error,
    )


def change_policy(pages: Pages, form: dict[str, str], person: str) -> None:
    """Send the change of a setting; raises BadSetting or UserError if it is not possible."""
    scope = Scope(*(form.get(name) or None for name in ("jurisdiction", "notification_type", "event_subtype")))
    policy = Policy(
        key=form.get("key", ""),
        value=form.get("value", ""),
        jurisdiction=scope.jurisdiction,
        notification_type=scope.notification_type,
        event_subtype=scope.event_subtype,
        set_by=person,
        set_at=wall_time(),
    )
    if form.get("what") == "unset":
        pages.console.actions.unset_policy(policy)
        return
    check_setting(policy.key, policy.value, scope, pages.console.rules)
    pages.console.actions.set_policy(policy)


async def rules(pages: Pages, request: Request) -> Response:
    """Show the rules of a state as a document to print and sign."""
    state = request.path_params["state"].upper()
    if state not in pages.console.rules.jurisdictions:
        return pages.missing(request, f"rule file for {state}")
    return pages.render(request, "rules.html", document=await run_in_threadpool(pages.console.rules_document, state), state=state)
