"""
The public's site as people use it: by keyboard, with and without JavaScript, at three widths, in both languages.

`make ui` runs it.
"""

import re
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page

from processors.runtime.clock import wall_time
from processors.site.languages import Words, read_languages
from tests.stories.builders import submission, tagged
from tests.ui import accessibility
from tests.ui.conftest import Running, eventually

pytestmark = [pytest.mark.broker, pytest.mark.long, pytest.mark.timeout(600)]

WORDS: Final = read_languages(None)
TABS: Final = 80  # to reach anything on a page


def now() -> str:
    """Return the time a minute ago, as an agency writes it."""
    return datetime.fromtimestamp(wall_time() / 1000 - 60, UTC).isoformat(timespec="seconds")


def offender(number: str, given: str, sur: str) -> dict[str, Any]:
    return {"identifiers": [{"scheme": "SID", "value": number}], "name": {"given": given, "sur": sur}, "birth_date": "1979-02-11"}


def arrival(person: dict[str, Any], message_id: str) -> dict[str, Any]:
    return submission(
        message_id=message_id,
        event_type="Interstate Compact",
        event_subtype="Arrival",
        notification_type="Movement",
        notification_subtypes=[tagged("Validate", "Date")],
        agency={"ori": "VAICOTS01", "name": "Virginia Interstate Compact", "state": "VA"},
        compact={"sending_state": "VA", "receiving_state": "NC", "case_number": message_id},
        offenders=[person],
        action_at=now(),
    )


def focus(page: Page, selector: str) -> None:
    """Reach an element by the tab key alone."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def write(page: Page, selector: str, text: str) -> None:
    focus(page, selector)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def press(page: Page, selector: str, expected: str, key: str = "Enter") -> None:
    """Press a button by keyboard and wait for the page with this heading."""
    focus(page, selector)
    page.keyboard.press(key)
    page.get_by_role("heading", level=1, name=expected, exact=True).wait_for()


def assert_accessible(page: Page, where: str) -> None:
    """It looks right, and there is no cookie."""
    accessibility.assert_accessible(page, where)
    assert page.context.cookies() == []


def opened(browser: Browser, *, script: bool = True) -> Page:
    context = browser.new_context(java_script_enabled=script, viewport={"width": 768, "height": 900})
    context.route("**/leave", lambda route: route.fulfill(body="left"))  # where that leads is elsewhere
    page = context.new_page()
    page.set_default_timeout(30_000)
    return page


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("script", [True, False], ids=["JavaScript", "no JavaScript"])
def test_the_whole_journey_by_keyboard(running: Running, browser: Browser, language: str, script: bool) -> None:  # noqa: FBT001
    words, tag = WORDS[language], f"{language}{int(script)}"
    sur = {"en1": "Stonewell", "en0": "Brookmere", "es1": "Peñafiel", "es0": "Ríoseco"}[tag]
    number = f"VA77{'en1 en0 es1 es0'.index(tag):05}"
    phone = f"804555{2000 + 'en1 en0 es1 es0'.index(tag)}"
    person = offender(number, "Martin", sur)
    running.vn("submit", "-", given=arrival(person, f"ARRIVAL-{tag}"))

    page = opened(browser, script=script)
    urls: list[str] = []
    referrers: list[str | None] = []
    page.on("request", lambda request: (urls.append(request.url), referrers.append(request.headers.get("referer"))))
    page.goto("about:blank")
    page.goto(f"{running.url}/{language}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "leave"
    if script:
        assert_accessible(page, "the first page")
    press(page, "main a.button", words["find"]["title"])
    look_up(page, sur, words, running)
    if script:
        assert_accessible(page, "somebody found")
    registration(page, words, phone, script=script)
    code(page, running, words, phone)
    page.get_by_role("heading", level=1, name=words["done"]["title"]).wait_for()
    if script:
        assert_accessible(page, "done")
    told_and_stopped(running, person, phone, tag)
    assert not any(each in url for url in urls for each in (sur, phone, "Martin", number))
    assert not any(referrers)
    if script:
        page.go_back()
        assert page.url == "about:blank"
    page.context.close()


def look_up(page: Page, sur: str, words: Words, running: Running) -> None:
    """Find the person by name, however it is written, once the pipeline has told the site."""
    assert running.url

    def found() -> bool:
        write(page, "#last_name", sur.upper())
        write(page, "#initial", "m")
        press(page, "main form.grid button", words["find"]["title"])
        page.locator("#found").wait_for()
        return page.get_by_role("heading", level=3, name=f"Martin {sur}").count() == 1

    eventually(found)


def registration(page: Page, words: Words, phone: str, *, script: bool) -> None:
    """Take every step up to the code."""
    press(page, "article button", words["register"]["what_title"])
    if script:
        assert_accessible(page, "what of")
    press(page, "main form > button", words["register"]["how_title"])
    if script:
        assert_accessible(page, "how to be reached")
    write(page, "#address0", "12")
    press(page, "main form > button", words["register"]["how_title"])
    assert page.locator("#address0").input_value() == "12"
    if script:
        assert_accessible(page, "a number that is none")
    write(page, "#address0", phone)
    press(page, "main form > button", words["register"]["pin_title"])
    if script:
        assert_accessible(page, "the PIN")
    press(page, "main form button", words["code"]["title"])
    if script:
        assert_accessible(page, "the code")


def code(page: Page, running: Running, words: Words, phone: str) -> None:
    """Give the code that the text message holds."""
    sent = eventually(lambda: [each for each in running.sent(f"+1{phone}") if each.kind == "verification"])
    digits = re.search(r"\b\d{6}\b", sent[-1].body)
    assert digits is not None
    write(page, "#code", digits[0])
    for _ in range(5):
        focus(page, "main form button")
        page.keyboard.press("Enter")
        page.locator("main [role=status]").wait_for()
        if page.get_by_role("heading", level=1, name=words["done"]["title"]).count():
            return
    raise AssertionError("the code was not taken")


def told_and_stopped(running: Running, person: dict[str, Any], phone: str, tag: str) -> None:
    """An agency's message becomes a text; STOP ends it."""

    def texts(message_id: str) -> list[Any]:
        return [each for each in running.sent(f"+1{phone}") if message_id in each.message_ids]

    escape = submission(message_id=f"ESCAPE-{tag}", offenders=[person], action_at=now())
    running.vn("submit", "-", given=escape)
    eventually(lambda: texts(f"ESCAPE-{tag}"))
    before = running.statuses().count("opted_out")
    stop = {"provider": "test", "channel": "sms", "from": f"+1{phone}", "to": "+18045550000", "body": "STOP", "occurred_at": now()}
    running.vn("inbound", "-", given=stop)
    eventually(lambda: running.statuses().count("opted_out") > before or None)
    running.vn("submit", "-", given=submission(message_id=f"BACK-{tag}", offenders=[person], event_subtype="Recapture", action_at=now()))
    eventually(lambda: "deliver" in running.vn("explain", f"BACK-{tag}", "--json") or None)
    assert texts(f"BACK-{tag}") == []


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("path", ["", "find", "register", "manage", "nothing"])
def test_every_page_is_accessible_at_every_width(running: Running, browser: Browser, language: str, path: str) -> None:
    page = opened(browser)
    page.goto(f"{running.url}/{language}/{path}")
    assert_accessible(page, f"/{language}/{path}")
    if path in {"find", "register", "manage"}:  # with nothing filled in: what is wrong is said, and has the focus
        press(page, "main form button", str(page.locator("h1").text_content()))
        page.locator("#problem").wait_for()
        eventually(lambda: page.evaluate("document.activeElement.id") == "problem")
        assert_accessible(page, f"/{language}/{path} with problems")
    if path == "manage":
        write(page, "#contact", "8045559999")
        press(page, "main form button", WORDS[language]["code"]["title"])
        assert_accessible(page, "the code to sign in")
    page.context.close()


def test_three_times_shift_leaves_and_back_does_not_return(running: Running, browser: Browser) -> None:
    page = opened(browser)
    page.goto("about:blank")
    page.goto(f"{running.url}/en/find")
    for _ in range(3):
        page.keyboard.press("Shift")
    page.wait_for_url("**/leave")
    page.go_back()
    assert page.url == "about:blank"
    page.context.close()


def test_without_javascript_leaving_is_a_link(running: Running, browser: Browser) -> None:
    page = opened(browser, script=False)
    page.goto(f"{running.url}/es/register")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/leave")
    page.context.close()
