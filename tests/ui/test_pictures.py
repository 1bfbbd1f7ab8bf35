"""
Every page of the console, and the pages of the site that the journey does not reach, over a pipeline in memory.

With PICTURES=1 it makes the pictures of the documentation.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from processors.domain.offender import CLAIMED, KnownPerson, OffenderStanding, StaffAction
from processors.domain.person import Identifier, Name
from processors.rules.load import load_rules
from processors.runtime.clock import wall_time
from processors.site.languages import read_languages
from processors.site.look_up import MAX_LOOK_UPS
from processors.topics import CONSOLE_LOG, DECISIONS, PEOPLE, REVIEWS, STANDINGS
from processors.views.database import View
from tests.console.test_console import console_over
from tests.serving import serving
from tests.site.given import SiteUnderTest, site_over, transferred
from tests.ui.accessibility import assert_accessible
from tests.views.given import made_view, put, review, verdicts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WORDS = read_languages(None)
WALKER = "o9bd14be4ba305f16"
ESCAPE = f"validate-{WALKER}-41f222b429fb"
PICTURED = {"start-en", "found-en", "how-es"}
EMAIL = "jane@example.org"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 768, "height": 900})
    made = context.new_page()
    made.set_default_timeout(30_000)
    yield made
    context.close()


# The console


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("console")
    view = made_view(folder)
    fill(view)
    desk = console_over(folder, view)
    with serving(lambda _: desk.client.app) as url:
        yield url


def fill(view: View) -> None:
    """What a console shows on a busy day."""
    now = wall_time()
    waits = {"event_subtype": "Escape", "message_id": "VA-2026-11-0001", "offender": WALKER}
    detail = "the status before is Released, and nobody escapes from there"
    put(view, REVIEWS, ESCAPE, review(ESCAPE, since=now - 200_000, detail=detail, **waits))
    for number in range(3):
        name, release = f"surge-{number}", {"event_subtype": "Release", "message_id": f"VA-2026-11-10{number}"}
        detail = "more than 500 Release messages in ten minutes"
        put(
            view,
            REVIEWS,
            name,
            review(name, group="surge-VA043", reason="surge", since=now - 600_000, detail=detail, **release),
        )
    for number in range(26):
        name = f"many-{number}"
        put(view, REVIEWS, name, review(name, group="surge-NC", reason="surge", since=now - 60_000, jurisdiction="NC"))
    first = "ben would release 26 reviews: a second reviewer must decide the same (review.four_eyes)."
    put(view, DECISIONS, "", verdicts("surge-NC", "identify", "noted", reason="second_reviewer_needed", detail=first, ori=None))
    put(view, CONSOLE_LOG, "", StaffAction(person="ben", action=CLAIMED, subject="surge-0", at=now - 60_000))
    known = KnownPerson(
        offender=WALKER,
        names=(Name(given="Thomas", middle="Q", sur="Walker"),),
        identifiers=(Identifier("SID", "VA7700123"),),
        birth_years=("1979",),
    )
    put(view, PEOPLE, WALKER, known)
    standing = OffenderStanding(offender=WALKER, status="Incarcerated", status_since=now, sending_state="VA", receiving_state="NC")
    put(view, STANDINGS, WALKER, standing)
    put(view, DECISIONS, "", verdicts("VA-2026-11-0001", "deliver", "delivered", registrant_id="R-1", channel="sms", offender=WALKER))
    put(view, DECISIONS, "", verdicts("VA-2026-11-0002", "deliver", "sent", registrant_id="R-1", channel="email"))


@pytest.mark.parametrize(
    ("path", "picture"),
    [
        ("/", ""),
        ("/?q=walker", ""),
        ("/reviews", "console-reviews"),
        (f"/reviews/{ESCAPE}", "console-review"),
        ("/reviews/many-0", ""),
        ("/reviews/surge-0", ""),
        (f"/offenders/{WALKER}", ""),
        ("/expectations", ""),
        ("/agencies", ""),
        ("/dead-letters", ""),
        ("/registrants", ""),
        ("/registrants?registrant=R-1&reason=she+called", "console-told"),
        ("/registrants?registrant=R-1", ""),
        ("/policies", ""),
        ("/rules/VA", ""),
        ("/nothing", ""),
    ],
)
def test_every_page_of_the_console_is_accessible_at_every_width(console: str, page: Page, path: str, picture: str) -> None:
    page.goto(f"{console}{path}")
    assert_accessible(page, path, picture)


def test_the_keys_move_tick_open_and_lead_to_a_decision_and_can_be_turned_off(console: str, page: Page) -> None:
    page.goto(f"{console}/reviews")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert page.locator("tbody tr:first-child input").is_checked()
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="Jail: ").wait_for()
    page.wait_for_load_state()  # the keys work once the script has run
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.dataset.key") == "r"
    page.keyboard.press("d")
    assert page.evaluate("document.activeElement.dataset.key") == "d"
    page.keyboard.press("?")
    assert page.evaluate("document.activeElement.id") == "keys-off"
    page.keyboard.press("Enter")
    assert page.locator("#keys-off").get_attribute("aria-pressed") == "true"
    page.keyboard.press("d")
    assert page.evaluate("document.activeElement.id") == "keys-off"
    page.goto(f"{console}/reviews")
    page.keyboard.press("j")
    assert page.locator("tr.here").count() == 0  # remembered on the next page
    page.locator("#keys-off").click()
    page.keyboard.press("/")
    page.wait_for_url("**/#q")
    assert page.evaluate("document.activeElement.id") == "q"


# The site


@pytest.fixture(params=["IVINS", "ICE_VNP"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> SiteUnderTest:
    for state, name, phone in (("VA", "Virginia", "804-555-0100"), ("NC", "North Carolina", "919-555-0100")):
        entry = f'[[jurisdiction]]\ncompact_office = "{name} Compact Office"\ncompact_office_phone = "{phone}"\n'
        (tmp_path / f"{state}.toml").write_text(entry, encoding="utf-8")
    made = site_over(tmp_path, source=request.param, rules=load_rules(tmp_path))
    transferred(made.driver)
    made.send()
    return made


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_step_of_the_site_is_accessible_at_every_width(site: SiteUnderTest, page: Page, language: str) -> None:
    words, source = WORDS[language], site.site.source
    with serving(lambda _: site.client.app) as url:

        def shown(name: str, title: str) -> None:
            page.get_by_role("heading", level=1, name=title, exact=True).wait_for()
            wanted = source == "IVINS" and f"{name}-{language}" in PICTURED
            assert_accessible(page, f"{source} {language} {name}", f"site-{name}-{language}" if wanted else "")

        def press(selector: str = "main form button:not(.second)") -> None:
            page.locator(selector).last.click()

        page.goto(f"{url}/{language}/")
        shown("start", words["safety"]["title"])
        page.goto(f"{url}/{language}/find")
        page.fill("#last_name", "walker")
        page.fill("#initial", "t")
        press()
        page.locator("article").wait_for()
        shown("found", words["find"]["title"])
        press("article button")
        shown("what", words["register"]["what_title"])
        press()
        page.locator("[name=discreet]").check()
        shown("how", words["register"]["how_title"])
        if site.site.by_vin:
            page.fill("#email", EMAIL)
            page.fill("#email_again", EMAIL)
        else:
            page.select_option("#channel0", "email")
            page.fill("#address0", EMAIL)
        press()
        shown("pin", words["register"]["pin_title"])
        page.fill("#pin", "4711")
        press()
        shown("code", words["code"]["title"])
        give_code(site, page)
        shown("done", words["done"]["title"])
        page.goto(f"{url}/{language}/manage")
        shown("manage", words["manage"]["title"])
        page.fill("#contact", EMAIL)
        press()
        give_code(site, page)
        shown("yours", words["manage"]["yours"])
        press("main form button.ending")
        shown("end", words["manage"]["end_title"])
        for _ in range(MAX_LOOK_UPS):
            site.site.limits.count("look_up", "127.0.0.1", wall_time())
        page.goto(f"{url}/{language}/find")
        page.fill("#number", "VA7700123")
        press()
        shown("offices", words["offices"]["title"])


def give_code(site: SiteUnderTest, page: Page) -> None:
    """Give the code that the pipeline sent, and ask again once the pipeline has taken it."""
    page.locator("#code").wait_for()
    site.send()
    page.fill("#code", site.code(EMAIL))
    page.locator("main form button").click()
    page.locator("main [role=status]").wait_for()
    site.send()
    page.fill("#code", site.code(EMAIL))
    page.locator("main form button").click()
