"""Whoever pries, scrapes, injects or floods learns nothing, gets little, and breaks nothing."""

import base64
import gc
import random
import re
import time
import tracemalloc
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest

from processors.domain.offender import HiddenPerson, KnownPerson, OffenderStanding
from processors.domain.person import Identifier, Name
from processors.rules.load import load_rules
from processors.runtime.clock import wall_time
from processors.site.challenge import Challenges, Solution, digest
from processors.site.limits import HOUR, MAX_COUNTED, RateLimits
from processors.site.look_up import MAX_LOOK_UPS
from processors.site.page import EVEN_SECONDS
from processors.topics import PEOPLE, PEOPLE_HIDDEN, STANDINGS
from processors.views.model import Row
from tests.site.given import PHONE, SiteUnderTest, carried, registered, site_over, transferred
from tests.site.timing import interleaved, likelihood
from tests.stories.builders import BAKER
from tests.views.given import AT, put

ROUNDS = 14
UNLIKELY = 0.001  # of times that differ by chance alone
PEOPLE_IN_ALL = 100_000
SURNAMES = 2_000
STRANGER = "804-555-0143"


# Enumeration: same bytes, same time


def test_the_statistical_test_sees_a_difference() -> None:
    took = interleaved({"quick": lambda: time.sleep(0.002), "slow": lambda: time.sleep(0.03)}, ROUNDS)
    assert likelihood(took["quick"], took["slow"]) < UNLIKELY


def ways_to_ask(site: SiteUnderTest) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Return, for each thing that must not be told, a request for which it is so and one for which it is not."""
    transferred(site.driver, {**BAKER, "name": {"given": "Tim", "sur": "Hidden"}}, "ARRIVAL-2")
    site.send()
    put(site.view, PEOPLE_HIDDEN, "SID:VA7700456", HiddenPerson(identifier="SID:VA7700456", reason="r", hidden_by="a", set_at=AT))
    registered(site)
    site.send()
    known, unknown = (carried(site.post("/en/manage", step="contact", contact=contact).text, "signing") for contact in (PHONE, STRANGER))

    def post(path: str, **form: str) -> Callable[[], object]:
        return lambda: site.post(path, **form)

    return {
        "hidden": (post("/en/find", last_name="Hidden", initial="t"), post("/en/find", last_name="Nobody", initial="t")),
        "registrant": (post("/en/manage", step="contact", contact=PHONE), post("/en/manage", step="contact", contact=STRANGER)),
        "code": (
            post("/en/manage", step="code", signing=known, code="000000"),
            post("/en/manage", step="code", signing=unknown, code="000000"),
        ),
    }


@pytest.mark.slow
@pytest.mark.parametrize("what", ["hidden", "registrant", "code"])
def test_time_does_not_tell(site: SiteUnderTest, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimits, "count", lambda *_: 1)
    monkeypatch.setattr("processors.site.page.EVEN_SECONDS", EVEN_SECONDS)  # as the site has it; the fixture `site` shortens it
    is_so, is_not = ways_to_ask(site)[what]
    is_so(), is_not()  # what is done once only
    took = interleaved({"so": is_so, "not so": is_not}, ROUNDS)
    assert likelihood(took["so"], took["not so"]) > UNLIKELY, took


@pytest.mark.parametrize("what", ["hidden", "registrant", "code"])
def test_bytes_do_not_tell(site: SiteUnderTest, what: str) -> None:
    def plain(answer: Any) -> tuple[int, str, list[tuple[str, str]]]:
        text = re.sub(r'name="signing" value="[^"]*"', lambda found: f"{len(found[0])}", answer.text)
        return answer.status_code, text.replace("Hidden", "Nobody"), list(answer.headers.items())

    is_so, is_not = ways_to_ask(site)[what]
    assert plain(is_so()) == plain(is_not())


# Scraping


@pytest.mark.slow
def test_one_address_sees_less_than_one_and_a_half_per_cent_of_a_hundred_thousand_in_an_hour(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.view.writing() as database:
        apply = site.view.model.apply
        for number in range(PEOPLE_IN_ALL):
            name = Name(given=f"{chr(97 + number % 26)}na", sur=surname(number % SURNAMES))
            person = KnownPerson(
                offender=f"o{number}", names=(name,), identifiers=(Identifier("SID", f"VA{number:07}"),), birth_years=("1980",)
            )
            apply[PEOPLE](database, Row(0, number, AT, person.offender, person))
            apply[STANDINGS](database, Row(0, number, AT, person.offender, OffenderStanding(offender=person.offender, transferred=True)))
    began = now = wall_time()
    monkeypatch.setattr("processors.site.page.EVEN_SECONDS", 0.0005)
    for module in ("look_up", "page", "registering", "managing"):
        monkeypatch.setattr(f"processors.site.{module}.wall_time", lambda: now)
    seen: set[str] = set()
    solved, asked = "", 0
    while now < began + HOUR:
        number = asked % SURNAMES
        page = site.post("/en/find", last_name=surname(number), initial=chr(97 + asked * 7 % 26), altcha=solved).text
        seen |= set(re.findall(r"SID VA\d{7}", page))
        found = re.search(r"data-challenge='([^']*)'", page)
        solved = solution(found[1]) if found else ""
        asked, now = asked + (0 if found else 1), now + 4_000
    assert 0 < len(seen) < PEOPLE_IN_ALL * 0.015


def surname(number: int) -> str:
    return "Sur" + "".join(chr(97 + number // 26**digit % 26) for digit in range(3))


def solution(challenge: str) -> str:
    given = msgspec.json.decode(unescape(challenge))
    number = next(each for each in range(given["maxnumber"]) if digest(given["salt"], each) == given["challenge"])
    return base64.b64encode(msgspec.json.encode({**given, "number": number})).decode()


def test_who_names_other_addresses_is_still_one_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = site_over(tmp_path)
    object.__setattr__(site.site, "proxies", frozenset())
    for number in range(MAX_LOOK_UPS + 1):
        answer = site.client.post("/en/find", data={"number": "VA1"}, headers={"x-forwarded-for": f"203.0.113.{number}"})
    assert answer.status_code == 429
    object.__setattr__(site.site, "proxies", frozenset({"testclient"}))
    for number in range(MAX_LOOK_UPS + 1):  # what the proxy adds is last, whatever stands before
        answer = site.client.post("/en/find", data={"number": "VA1"}, headers={"x-forwarded-for": f"203.0.113.{number}, 198.51.100.7"})
    assert answer.status_code == 429


# Injection


@pytest.mark.parametrize(
    "given",
    ["<svg onload=alert(1)>", '"><script>alert(1)</script>', "Tim\r\nSet-Cookie: a=b", "{{ 777*111 }}", "javascript:alert(1)", "'><b>"],
)
def test_a_name_from_an_agency_is_text_on_every_page_and_in_no_header(site: SiteUnderTest, given: str) -> None:
    transferred(site.driver, {**BAKER, "name": {"given": given, "sur": "Walker"}})
    site.send()
    found = site.post("/en/find", number="VA7700456")
    pages = [found]
    if 'name="who"' in found.text:
        pages.append(site.post("/en/register", step="who", who=carried(found.text, "who")))
        pages.append(site.post("/en/register", step="what", draft=carried(pages[-1].text, "draft"), **{"about Movement": "1"}))
    for page in pages:
        assert page.status_code == 200
        assert not re.search(r"<(?:svg|b>)|<script>alert|86247", page.text)
        assert "set-cookie" not in page.headers
        assert all(value.isprintable() for value in page.headers.values())


@pytest.mark.parametrize(
    "path",
    ["/en%0d%0aSet-Cookie:%20a=b/find", "/%0d%0aLocation:%20//evil.example/", "//evil.example/%2e%2e", "/en/%0d%0a", "/xx/find?a=%0d%0a"],
)
def test_a_path_puts_nothing_into_headers_and_leads_nowhere_else(site: SiteUnderTest, path: str) -> None:
    answer = site.client.get(path, headers={"accept-language": "es\t,en", "host": "evil.example"}, follow_redirects=False)
    assert answer.status_code in {303, 404}
    assert "set-cookie" not in answer.headers
    assert re.fullmatch(r"/(en|es)/", answer.headers.get("location", "/en/"))
    assert "evil" not in answer.text


# Telephones of offices


def test_both_offices_telephones_are_in_the_answer_and_on_the_page_for_who_asks_too_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for state, phone in (("VA", "804-555-0100"), ("NC", "919-555-0100")):
        entry = f'[[jurisdiction]]\ncompact_office = "{state} office"\ncompact_office_phone = "{phone}"\n'
        (tmp_path / f"{state}.toml").write_text(entry, encoding="utf-8")
    site = site_over(tmp_path, rules=load_rules(tmp_path))
    transferred(site.driver)
    site.send()
    page = site.post("/en/find", last_name="Walker", initial="t").text
    assert 'VA office <span class="phone">804-555-0100' in page
    assert 'NC office <span class="phone">919-555-0100' in page
    assert "Transferred to North Carolina and supervised there" in page
    for _ in range(MAX_LOOK_UPS):
        page = site.post("/en/find", last_name="Walker", initial="t").text
    assert 'Virginia: VA office, <span class="phone">804-555-0100' in page
    assert 'North Carolina: NC office, <span class="phone">919-555-0100' in page
    assert "Ohio" not in page


# Floods


def test_a_signature_in_other_letters_is_refused() -> None:
    challenges = Challenges()
    made = challenges.new(AT)
    forged = base64.b64encode(msgspec.json.encode(Solution(made.challenge, made.salt, "é" * 64, 1)))
    assert not challenges.accept(forged.decode(), AT + 1)


def rubbish(site: SiteUnderTest, chance: random.Random) -> int:
    """Send something random from some address, and return the status of the answer."""
    path = chance.choice(
        ("/", "/en/", "/es/find", "/en/register", "/en/manage", "/unsubscribe", "/healthz", "/static/..%2f..", "/en/x", "/%ff")
    )
    text = "".join(chr(chance.choice((chance.randrange(32, 127), chance.randrange(0x110000 - 0x800)))) for _ in range(40))
    text = text.encode("utf-8", "replace").decode()
    fields = {
        chance.choice(("step", "who", "draft", "awaiting", "signing", "session", "code", "contact", "last_name", "number", text)): text
    }
    fields["step"] = chance.choice(("", "who", "what", "how", "pin", "code", "contact", "change", text))
    headers = {"x-forwarded-for": f"198.51.{chance.randrange(256)}.{chance.randrange(256)}", "accept-language": text.encode().hex()}
    kind = chance.randrange(4)
    if kind == 0:
        answer = site.client.get(path, headers=headers, params={"q": text}, follow_redirects=False)
    elif kind == 1:
        answer = site.client.post(path, headers=headers, data=fields, follow_redirects=False)
    elif kind == 2:
        content_type = chance.choice(("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", ""))
        answer = site.client.post(
            path, headers=headers | {"content-type": content_type}, content=chance.randbytes(200), follow_redirects=False
        )
    else:
        answer = site.client.request(
            chance.choice(("PUT", "DELETE", "HEAD", "OPTIONS", "TRACE")), path, headers=headers, follow_redirects=False
        )
    return int(answer.status_code)


@pytest.mark.slow
def test_a_flood_of_rubbish_is_no_error_and_takes_no_memory(site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.site.page.EVEN_SECONDS", 0.0005)
    chance = random.Random(7)
    statuses = {rubbish(site, chance) for _ in range(600)}
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        statuses |= {rubbish(site, chance) for _ in range(1_000)}
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert not {each for each in statuses if each >= 500}, statuses
    assert grown < 3_000_000, grown


def test_what_is_kept_of_one_client_is_bounded() -> None:
    limits = RateLimits()
    counts = [limits.count("look_up", "198.51.100.7", at) for at in range(MAX_COUNTED * 3)]
    assert counts[-1] == MAX_COUNTED > MAX_LOOK_UPS


def test_unsubscriptions_and_codes_of_one_client_are_bounded(site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    awaiting = carried(registered(site), "awaiting")
    kept = len(site.outbox.to_send(10_000))
    monkeypatch.setattr(RateLimits, "count", lambda *_: MAX_COUNTED)
    form = {"List-Unsubscribe": "One-Click", "reference": "R-1.abcdef", "token": "0" * 64}
    assert site.client.post("/unsubscribe", data=form).status_code in {400, 429}
    assert site.post("/en/register", step="code", awaiting=awaiting, code="123456").status_code == 429
    assert len(site.outbox.to_send(10_000)) == kept
