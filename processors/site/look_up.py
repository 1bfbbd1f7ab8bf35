"""Finding somebody: ten at most, no paging; somebody unknown, hidden or not public gives the same page in the same time."""

from typing import Any, Final

import msgspec
from starlette.responses import Response

from processors.domain.offender import KnownPerson, OffenderStanding
from processors.domain.person import Name
from processors.runtime.clock import wall
from processors.site import passage
from processors.site.challenge import proof_of_waiting
from processors.site.forms import Offender, question_of
from processors.site.page import Page, even_time
from processors.views.public import look_up

MOST: Final = 10
FREE: Final = 30
LAST: Final = 120
NUMBERS_SHOWN: Final = ("SID", "ICOTS", "DOC")


async def find(page: Page) -> Response:
    """Return the form, and below it whom it finds."""
    if page.request.method != "POST":
        return page.show("find.html", found=None, challenge=None, waited="")
    now = wall()
    count = page.site.limits.count("look_up", page.client, now)
    if count > LAST:
        return page.show("offices.html", 429, offices=offices(page), hotlines=page.hotlines)
    if count > FREE and not page.site.challenges.accept(page.form.get("altcha", ""), now):
        challenge = page.site.challenges.new(now)
        return page.show("find.html", found=None, challenge=msgspec.to_builtins(challenge), waited=proof_of_waiting(challenge))
    question, problems = question_of(page.form)
    if question is None:
        return page.show("find.html", 400, found=None, challenge=None, waited="", problems=problems)
    async with even_time():
        people = await page.ask(look_up, question, page.site.shown, MOST + 1)
        shown = [entry(page, person, standing) for person, standing in people] if len(people) <= MOST else []
    return page.show("find.html", found=shown, narrow=len(people) > MOST, challenge=None, waited="")


def entry(page: Page, person: KnownPerson, standing: OffenderStanding) -> dict[str, Any]:
    """Return what is shown of one person, and what the form to register for them carries."""
    numbers = [f"{each.scheme} {each.value}" for each in person.identifiers if each.scheme in NUMBERS_SHOWN]
    name = spoken_name(person.names[-1]) if person.names else ""
    otherwise = "transferred" if standing.transferred and standing.receiving_state and standing.status is None else "unknown"
    status = page.words["statuses"].get(standing.status or otherwise, page.words["statuses"]["unknown"])
    states = [state for state in (standing.sending_state, standing.receiving_state) if state]
    chosen = FoundPerson(name, Offender(numbers=tuple((each.scheme, each.value, each.issuer) for each in person.identifiers)))
    return {
        "name": name,
        "numbers": numbers[:3],
        "status": status.format(state=state_name(page, standing.receiving_state)),
        "sending": state_name(page, standing.sending_state),
        "receiving": state_name(page, standing.receiving_state),
        "offices": [office(page, state) for state in dict.fromkeys(states or filter(None, [standing.jurisdiction]))],
        "who": passage.close(chosen, wall(), page.site.seal),
    }


class FoundPerson(msgspec.Struct, frozen=True):
    """Somebody who was found and may be registered for."""

    name: str
    offender: Offender


def spoken_name(name: Name) -> str:
    """Return a name as it is spoken."""
    return " ".join(filter(None, (name.given, name.middle, name.sur))) or name.full or ""


def state_name(page: Page, code: str | None) -> str:
    found = page.site.rules.jurisdictions.get(code or "")
    return found.name if found is not None else ""


def office(page: Page, code: str) -> dict[str, str]:
    """Return the compact office of a state with its telephone, as its rule file has it."""
    found = page.site.rules.jurisdictions.get(code)
    return {
        "state": found.name if found else code,
        "office": found.compact_office if found else "",
        "phone": (found.compact_office_phone or found.victim_authority_phone) if found else "",
    }


def offices(page: Page) -> list[dict[str, str]]:
    """Return the offices of the members of the compact whose telephones the rule files have."""
    members = (office(page, code) for code, each in sorted(page.site.rules.jurisdictions.items()) if each.compact)
    return [each for each in members if each["phone"]]
