"""What every page must satisfy: for people in danger, against bad input and prying, in each language."""

import asyncio
import base64
import re
from collections.abc import Iterator
from html import unescape
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from sqlalchemy.exc import OperationalError

from processors.domain.offender import HiddenPerson
from processors.domain.time import iso
from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.site import limits as limits_module
from processors.site.app import HEADERS, STATIC
from processors.site.challenge import WAIT, Challenges, digest
from processors.site.forms import Offender
from processors.site.languages import BUILT_IN, read_languages
from processors.site.limits import HOUR, RateLimits
from processors.site.look_up import FREE_LOOK_UPS, MAX_LOOK_UPS, FoundPerson
from processors.site.page import padded_time
from processors.site.sealed_values import seal_value
from processors.topics import DEAD_LETTERS, PEOPLE_HIDDEN
from tests.site.given import PHONE, SEAL, SiteUnderTest, carried, registered, transferred
from tests.stories.builders import BAKER
from tests.views.given import AT, put

PATHS = ("", "find", "register", "manage")
LANGUAGES = ("en", "es")
NASTY = ("<script>alert(1)</script>", "x" * 10_000, "{{7*7}}", "\u202eevil", "a\x00b", "';DROP TABLE people;--")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PATHS)
def test_every_page_leaves_first_says_nothing_and_is_small(site: SiteUnderTest, language: str, path: str) -> None:
    answer = site.client.get(f"/{language}/{path}")
    assert answer.status_code == 200
    assert len(answer.content) < 50_000
    tabs = re.findall(r"<(?:a|button|input|select)\b[^>]*>", answer.text.partition("<body>")[2])
    assert 'id="leave"' in tabs[0]
    assert re.search(r"<title>(Information|Información)</title>", answer.text)
    assert "set-cookie" not in answer.headers
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text), "something from elsewhere"
    assert f'lang="{language}"' in answer.text


def test_leaving_asks_the_browser_to_forget(site: SiteUnderTest) -> None:
    answer = site.client.get("/leave", follow_redirects=False)
    assert answer.status_code == 303
    assert '"storage"' in answer.headers["clear-site-data"]
    assert "vn" not in answer.headers["location"]


def test_the_scripts_and_styles_of_a_page_are_small() -> None:
    assert sum(each.stat().st_size for each in STATIC.iterdir()) < 25_000


def test_the_first_page_is_in_the_browsers_language(site: SiteUnderTest) -> None:
    for wanted, place in (("es-MX,en;q=0.8", "/es/"), ("fr", "/en/")):
        assert site.client.get("/", headers={"accept-language": wanted}, follow_redirects=False).headers["location"] == place
    assert site.client.get("/xx/find", follow_redirects=False).headers["location"] == "/en/"


def test_a_third_language_is_one_file(tmp_path: Any) -> None:
    (tmp_path / "fr.toml").write_text((BUILT_IN / "en.toml").read_text("utf-8").replace('name = "English"', 'name = "Français"'), "utf-8")
    assert read_languages(tmp_path)["fr"]["name"] == "Français"
    (tmp_path / "fr.toml").write_text('name = "Français"\n', "utf-8")
    with pytest.raises(UserError, match="fr lacks or adds"):
        read_languages(tmp_path)


# Bad input


def forms() -> Iterator[tuple[str, dict[str, str]]]:
    for nasty in NASTY:
        yield "find", {"last_name": nasty, "initial": "a"}
        yield "find", {"last_name": "Walker", "initial": nasty}
        yield "find", {"number": nasty, "year": nasty}
        yield "register", {"step": "who", "given": nasty, "sur": nasty, "birth_date": nasty}
        yield "register", {"step": nasty, "draft": nasty}
        yield "register", {"step": "code", "awaiting": nasty, "code": nasty}
        yield "manage", {"step": "contact", "contact": nasty}
        yield "manage", {"step": "code", "signing": nasty, "code": nasty}
        yield "manage", {"step": "end", "session": nasty, "registration": nasty}


@pytest.mark.parametrize(("path", "form"), list(forms()), ids=range(9 * len(NASTY)))
def test_bad_input_is_a_sentence_and_never_an_error(site: SiteUnderTest, path: str, form: dict[str, str]) -> None:
    for language in LANGUAGES:
        answer = site.post(f"/{language}/{path}", **form)
        assert answer.status_code in {200, 400}
        assert "<script>alert" not in answer.text
        assert ">49<" not in answer.text


@pytest.mark.parametrize(
    ("contact", "channel"),
    [
        ("1-900-555-0199", "sms"),
        ("976-1234", "sms"),
        ("911", "voice"),
        ("+44 20 7946 0958", "sms"),
        ("pаypal@еxample", "email"),
        ("a b", "email"),
    ],
)
def test_a_contact_that_cannot_be_used_is_said_so_and_kept_in_the_form(site: SiteUnderTest, contact: str, channel: str) -> None:
    page = site.post("/en/register", step="who", given="Ann", sur="Walker", birth_date="1979-02-11").text
    page = site.post("/en/register", step="what", draft=carried(page, "draft"), **{"about Movement": "1"}).text
    answer = site.post("/en/register", step="how", draft=carried(page, "draft"), channel0=channel, address0=contact)
    assert answer.status_code == 400
    assert carried(answer.text, "address0") == contact
    assert ("phone number in the United States" if channel != "email" else "complete email address") in answer.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("who", "problem"),
    [
        ({"birth_date": "2079-02-03"}, "impossible_date"),
        ({"birth_date": iso(wall_time() + 3 * 86_400_000)[:10]}, "impossible_date"),
        ({"birth_date": "1900-01-01"}, "impossible_date"),
        ({"birth_date": "1850-01-01"}, "impossible_date"),
        ({"given": "Unknown", "sur": "Unknown"}, "unusable_name"),
        ({"given": "李", "sur": "王"}, "unusable_name"),
        ({"given": "John", "sur": "Doe"}, "unusable_name"),
        ({"given": "T", "sur": "W"}, "unusable_name"),
    ],
)
def test_whom_the_pipeline_cannot_identify_the_first_step_refuses(
    site: SiteUnderTest, language: str, who: dict[str, str], problem: str
) -> None:
    answer = site.post(f"/{language}/register", step="who", **({"given": "Thomas", "sur": "Walker", "birth_date": "1979-02-11"} | who))
    assert answer.status_code == 400
    assert site.site.languages[language]["problems"][problem] in unescape(answer.text)
    for field, text in who.items():
        assert carried(answer.text, field) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_problem_names_its_field(site: SiteUnderTest, language: str) -> None:
    words = site.site.languages[language]
    page = unescape(site.post(f"/{language}/register", step="who").text)
    for field in ("given", "sur", "birth_date"):
        assert f'<a href="#{field}">{words["register"][field]}: {words["problems"]["missing"]}</a>' in page
    page = site.post(f"/{language}/register", step="who", given="Ann", sur="Walker", birth_date="1979-02-11").text
    page = site.post(f"/{language}/register", step="what", draft=carried(page, "draft")).text
    page = unescape(site.post(f"/{language}/register", step="how", draft=carried(page, "draft"), address1="12", channel1="sms").text)
    assert f"{words['register']['contact'].format(number=2)}: {words['problems']['bad_phone']}" in page


@pytest.mark.parametrize("born", ["1979-02-11", "19790211", "1979-W06-7"])
@pytest.mark.parametrize("given", ["Thomas", "José María", "O’Neil", "Ли"])
def test_whom_the_first_step_accepts_the_pipeline_accepts(site: SiteUnderTest, given: str, born: str) -> None:
    registered(site, given=given, birth_date=born)
    site.send()
    assert site.driver.entries(DEAD_LETTERS) == []
    assert len(site.driver.outbound()) == 1


def test_somebody_found_who_has_only_a_number_that_others_may_have_is_described_instead(site: SiteUnderTest) -> None:
    person = FoundPerson("Thomas Walker", Offender(numbers=(("BOOKING", "12345", None),)))
    answer = site.post("/en/register", step="who", who=seal_value(person, wall_time(), SEAL))
    assert answer.status_code == 400
    assert site.site.languages["en"]["problems"]["not_enough"] in answer.text


@pytest.mark.parametrize("step", ["what", "how", "pin", "code"])
def test_a_form_without_what_the_page_before_gave_changes_nothing(site: SiteUnderTest, step: str) -> None:
    answer = site.post("/en/register", step=step)
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.text
    assert site.outbox.to_send(10) == []


def test_what_one_step_gave_is_taken_by_no_other(site: SiteUnderTest) -> None:
    awaiting = carried(registered(site), "awaiting")
    assert site.post("/en/manage", step="end", session=awaiting, registration="x").status_code == 400
    assert site.post("/en/register", step="pin", draft=awaiting).status_code == 400


def test_a_body_that_is_no_form_or_too_large_is_a_sentence(site: SiteUnderTest) -> None:
    assert site.client.post("/en/find", content=b"x" * 200_000).status_code in {200, 400, 413}
    large = site.client.post("/en/find", data={"last_name": "x" * 100_000})
    assert large.status_code == 413
    assert "shorten it" in large.text
    many = site.client.post("/en/find", data={f"f{number}": "1" for number in range(500)})
    assert many.status_code in {200, 400}
    assert site.client.get("/en/nothing").status_code == 404
    assert site.client.delete("/en/find").status_code == 405


def test_names_from_agencies_are_text(site: SiteUnderTest) -> None:
    name = {"given": "<img src=x onerror=alert(1)>", "sur": "Walker"}
    transferred(site.driver, {**BAKER, "name": name})
    site.send()
    page = site.post("/en/find", number="VA7700456").text
    assert "<img" not in page
    assert "&lt;img" in page


# Prying


def hidden(site: SiteUnderTest) -> None:
    transferred(site.driver)
    transferred(site.driver, {**BAKER, "name": {"given": "Tim", "sur": "Hidden"}}, "ARRIVAL-2")
    site.send()
    put(site.view, PEOPLE_HIDDEN, "SID:VA7700456", HiddenPerson(identifier="SID:VA7700456", reason="r", hidden_by="a", set_at=AT))


def test_nobody_hidden_and_not_public_are_the_same_bytes(site: SiteUnderTest) -> None:
    hidden(site)
    pages = [site.post("/en/find", last_name=name, initial="t").text.replace(name, "") for name in ("Hidden", "Absentee")]
    assert pages[0] == pages[1]
    assert "Thomas" in site.post("/en/find", last_name="Walker", initial="t").text


def test_a_contact_that_is_registered_and_one_that_is_not_get_the_same_answers(site: SiteUnderTest) -> None:
    registered(site)
    pages = []
    for contact in (PHONE, "+18045550177"):
        page = site.post("/en/manage", step="contact", contact=contact).text
        signing = carried(page, "signing")
        answer = site.post("/en/manage", step="code", signing=signing, code="123456").text
        pages.append(re.sub(r'value="[^"]*"', "", page + answer))
        assert len(base64.urlsafe_b64decode(signing)) == len(base64.urlsafe_b64decode(carried(answer, "signing")))
    assert pages[0] == pages[1]
    site.send()
    assert "+18045550177" not in {each.to for each in site.driver.outbound()}


@pytest.mark.parametrize(("took", "rest"), [(0.0, 0.25), (0.1, 0.15), (0.249, 0.001), (0.25, 0.25), (0.6, 0.15)])
def test_an_answer_takes_a_multiple_of_a_quarter_second(took: float, rest: float, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((100.0, 100.0 + took))
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def answer() -> None:
        async with padded_time():
            pass

    monkeypatch.setattr("processors.site.page.time", SimpleNamespace(monotonic=lambda: next(times)))
    monkeypatch.setattr("processors.site.page.asyncio", SimpleNamespace(sleep=sleep))
    asyncio.run(answer())
    assert slept == [pytest.approx(rest)]


def test_who_asks_often_works_for_it_and_then_is_sent_to_the_offices(site: SiteUnderTest) -> None:
    for _ in range(FREE_LOOK_UPS):
        assert "data-challenge" not in site.post("/en/find", last_name="Walker", initial="t").text
    page = site.post("/en/find", last_name="Walker", initial="t").text
    challenge = msgspec.json.decode(re.findall(r"data-challenge='([^']*)'", page)[0].replace("\\u0022", '"'))
    number = next(each for each in range(challenge["maxnumber"]) if digest(challenge["salt"], each) == challenge["challenge"])
    solved = base64.b64encode(msgspec.json.encode({**challenge, "number": number})).decode()
    assert "We found no one" in site.post("/en/find", last_name="Walker", initial="t", altcha=solved).text
    assert "data-challenge" in site.post("/en/find", last_name="Walker", initial="t", altcha=solved).text, "each counts once"
    for _ in range(MAX_LOOK_UPS):
        answer = site.post("/en/find", last_name="Walker", initial="t")
    assert answer.status_code == 429
    assert "interstatecompact.org" in answer.text
    assert "1-855-484-2846" in answer.text
    elsewhere = site.client.post("/en/find", data={"last_name": "Walker", "initial": "t"}, headers={"x-forwarded-for": "203.0.113.9"})
    assert elsewhere.status_code == 200


def test_without_javascript_one_waits_a_minute() -> None:
    challenges = Challenges()
    challenge = challenges.new(1_000)
    waited = base64.b64encode(
        msgspec.json.encode({"challenge": challenge.challenge, "salt": challenge.salt, "signature": challenge.signature})
    ).decode()
    assert not challenges.accept(waited, 1_000 + WAIT - 1)
    assert challenges.accept(waited, 1_000 + WAIT)
    assert not challenges.accept(waited, 1_000 + WAIT)
    forged = base64.b64encode(msgspec.json.encode({"challenge": "x", "salt": "y?made=1000", "signature": "z", "number": 1})).decode()
    for rubbish in (forged, "", "!", base64.b64encode(b"[" * 2_000).decode()):
        assert not challenges.accept(rubbish, 2_000)


def test_a_client_is_counted_by_the_hour_under_a_key_of_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = RateLimits()
    assert [limits.count("look_up", "203.0.113.9", at) for at in (0, 1, HOUR)] == [1, 2, 2]
    assert limits.count("look_up", "2001:db8::1", 0) == 1
    assert limits.count("look_up", "2001:db8::2", 0) == 2
    assert limits.count("look_up", "2001:db8:0:1::1", 0) == 1
    assert "203.0.113.9" not in repr(limits._times)
    before = set(limits._times)
    limits.count("look_up", "203.0.113.9", 24 * HOUR)
    assert before.isdisjoint(limits._times)
    monkeypatch.setattr(limits_module, "MAX_CLIENTS", 10)
    for number in range(50):
        limits.count("look_up", f"client {number}", 25 * HOUR)
    assert len(limits._times) <= 10


def test_what_people_type_is_in_no_url_no_view_and_in_the_clear_in_no_database(
    site: SiteUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    page = registered(site, "804-555-0188", given="Canarygiven", sur="Canarysur")
    site.send()
    site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code="918273")
    canaries = (b"8045550188", b"Canarygiven", b"Canarysur", b"918273")
    for file in (site.view.path, *site.view.path.parent.glob("outbox.sqlite*")):
        for canary in canaries:
            assert canary not in file.read_bytes(), file
    assert not any(canary.decode() in caplog.text for canary in canaries)
    assert "?" not in page.partition("<form")[2].partition(">")[0]


def test_the_view_being_built_is_a_sentence(site: SiteUnderTest) -> None:
    site.view.path.unlink()
    answer = site.post("/en/find", last_name="Walker", initial="t")
    assert answer.status_code == 503
    assert "try again in a minute" in answer.text


def test_a_registration_is_kept_before_the_view_is_first_built(site: SiteUnderTest) -> None:
    site.view.path.unlink()
    page = registered(site)
    answer = site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code="")
    assert answer.status_code == 200
    assert "saved but not active yet" in answer.text


def test_a_database_that_is_away_is_a_sentence(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("statement", {"address": "canary"}, Exception("away"))

    monkeypatch.setattr(site.outbox, "store_registration", away)
    page = site.post("/en/register", step="who", given="Thomas", sur="Walker", birth_date="1979-02-11").text
    page = site.post("/en/register", step="what", draft=carried(page, "draft"), **{"about Movement": "1"}).text
    page = site.post("/en/register", step="how", draft=carried(page, "draft"), channel0="sms", address0=PHONE).text
    answer = site.post("/en/register", step="pin", draft=carried(page, "draft"), pin="")
    assert answer.status_code == 503
    assert "Nothing was lost" in answer.text
    assert "canary" not in caplog.text
