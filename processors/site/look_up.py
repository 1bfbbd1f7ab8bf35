"""Looking somebody up: ten results at most, no paging; unknown, hidden and non-public people give the same page in the same time."""

from typing import Any, Final

import msgspec
from starlette.responses import Response

from processors.domain.offender import KnownPerson, OffenderStanding
from processors.domain.person import Name
from processors.runtime.clock import wall_time
from processors.site import sealed_values
from processors.site.challenge import proof_of_waiting
from processors.site.forms import Offender, person_query_of
from processors.site.page import Page, padded_time
from processors.views.public import look_up

MAX_RESULTS: Final = 10
FREE_LOOK_UPS: Final = 30
MAX_LOOK_UPS: Final = 120
NUMBERS_SHOWN: Final = ("SID", "ICOTS", "DOC")


async def find(page: Page) -> Response:
    """Return the form and, after a search, the people found."""
    if page.request.method != "POST":
        return page.show("find.html", found=None, challenge=None, waited="")
    now = wall_time()
    count = page.site.limits.count("look_up", page.client, now)
    if count > MAX_LOOK_UPS:
        return page.show("offices.html", 429, offices=offices(page), hotlines=page.hotlines)
    if count > FREE_LOOK_UPS and not page.site.challenges.accept(page.form.get("altcha", ""), now):
        challenge = page.site.challenges.new(now)
        return page.show("find.html", found=None, challenge=msgspec.to_builtins(challenge), waited=proof_of_waiting(challenge))
    question, problems = person_query_of(page.form)
    if question is None:
        return page.show("find.html", 400, found=None, challenge=None, waited="", problems=problems)
    async with padded_time():
        people = await page.ask(look_up, question, page.site.shown, MAX_RESULTS + 1)
        shown = [shown_person(page, person, standing) for person, standing in people] if len(people) <= MAX_RESULTS else []
    return page.show("find.html", found=shown, narrow=len(people) > MAX_RESULTS, challenge=None, waited="")


def shown_person(page: Page, person: KnownPerson, standing: OffenderStanding) -> dict[str, Any]:
    """Return what is shown of one person, and the sealed value for the form to register for them."""
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
        "who": sealed_values.seal_value(chosen, wall_time(), page.site.seal),
    }


class FoundPerson(msgspec.Struct, frozen=True):
    """A person found, for whom a registration can be made."""

    name: str
    offender: Offender


def spoken_name(name: Name) -> str:
    """Return a name in the order in which it is spoken."""
    return " ".join(filter(None, (name.given, name.middle, name.sur))) or name.full or ""


def state_name(page: Page, code: str | None) -> str:
    found = page.site.rules.jurisdictions.get(code or "")
    return found.name if found is not None else ""


def office(page: Page, code: str) -> dict[str, str]:
    """Return a state's compact office with its telephone number, from its rule file."""
    found = page.site.rules.jurisdictions.get(code)
    return {
        "state": found.name if found else code,
        "office": found.compact_office if found else "",
        "phone": (found.compact_office_phone or found.victim_authority_phone) if found else "",
    }


def offices(page: Page) -> list[dict[str, str]]:
    """Return the offices of compact members that have a telephone number in their rule files."""
    members = (office(page, code) for code, each in sorted(page.site.rules.jurisdictions.items()) if each.compact)
    return [each for each in members if each["phone"]]
