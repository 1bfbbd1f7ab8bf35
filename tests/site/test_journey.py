"""Find, register, verify, get a message, manage: a person's way through the pages and the pipeline."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from processors.domain.registration import RegistrationStatus
from processors.domain.time import iso
from processors.runtime.clock import wall_time
from processors.site.choices import CHOICES
from processors.site.registering import CODE_PAGE_VALID
from processors.topics import OUTBOUND, REGISTRATION_STATUS, REGISTRATIONS
from tests.site.given import PHONE, SiteUnderTest, carried, registered, site_over, transferred
from tests.stories.builders import submission
from tests.views.given import put


def activated(site: SiteUnderTest, language: str = "en") -> None:
    """Somebody has registered and given the right code."""
    page = registered(site, language=language)
    site.send()
    answer = site.post(f"/{language}/register", step="code", awaiting=carried(page, "awaiting"), code=site.code())
    assert answer.status_code == 200
    site.send()
    done = site.post(f"/{language}/register", step="code", awaiting=carried(page, "awaiting"), code="").text
    assert site.site.languages[language]["done"]["title"] in done


@pytest.mark.parametrize("language", ["en", "es"])
def test_somebody_who_is_found_and_registered_for_is_told_of(site: SiteUnderTest, language: str) -> None:
    transferred(site.driver)
    site.send()
    found = site.post(f"/{language}/find", last_name="WALKER", initial="t").text
    assert "Thomas Walker" in found
    assert "North Carolina" in found
    assert "1979" not in found.replace('value="1979"', "")
    page = site.post(f"/{language}/register", step="who", who=carried(found, "who")).text
    about = {"about Movement": "1", "about Status Update": "1", "about Hearing Notice": "1", "about Information": "1"}
    page = site.post(f"/{language}/register", step="what", draft=carried(page, "draft"), **about).text
    page = site.post(f"/{language}/register", step="how", draft=carried(page, "draft"), channel0="sms", address0="804-555-0142").text
    page = site.post(f"/{language}/register", step="pin", draft=carried(page, "draft"), pin="").text
    assert PHONE not in page
    site.send()
    site.post(f"/{language}/register", step="code", awaiting=carried(page, "awaiting"), code=site.code())
    site.send()
    site.driver.submit(submission(message_id="ESCAPE-1"))
    site.driver.advance(timedelta(minutes=5))
    told = [each for each in site.driver.outbound("sms") if "ESCAPE-1" in each.message_ids]
    assert [(each.to, each.language) for each in told] == [(PHONE, language)]


def test_a_new_number_is_a_new_registration_and_the_old_one_is_ended(site: SiteUnderTest) -> None:
    new = "+18045550143"
    for number in (PHONE, new):
        page = registered(site, number)
        site.send()
        site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code=site.code(number))
        site.send()
        done = site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code="").text
    assert "register again with the new one" in done
    page = signed_in(site)
    site.post("/en/manage", step="end_confirmed", session=carried(page, "session"), registration=carried(page, "registration"))
    site.send()
    assert told_of_escape(site) == [new]


@pytest.mark.parametrize("source", ["IVINS", "ICE_VNP"])
def test_a_step_is_corrected_without_losing_what_was_typed(tmp_path: Path, source: str) -> None:
    site = site_over(tmp_path, source=source)
    path, email = "/en/register", "jane@example.org"

    def back(page: str, to: str) -> str:
        assert f'value="back to {to}"' in page
        return site.post(path, step=f"back to {to}", draft=carried(page, "draft")).text

    page = site.post(path, step="who", given="Thomas", sur="Walker", birth_date="1979-02-11", number="A 1").text
    page = site.post(path, step="what", draft=carried(page, "draft"), **{"about Movement": "1"}).text
    form = {"email": email, "email_again": email, "address0": "804-555-0142", "channel0": "voice", "address1": email, "channel1": "email"}
    page = site.post(path, step="how", draft=carried(page, "draft"), told_in="es", discreet="1", **form).text
    page = back(page, "how")
    expected = {"email": email, "email_again": email} if site.site.by_vin else {"address1": email}
    for name, text in (expected | {"address0": PHONE}).items():
        assert carried(page, name) == text
    assert page.count(" selected>") == (2 if site.site.by_vin else 5), "each channel, and the language"
    assert '<option value="voice" selected>' in page
    assert '<option value="es" selected>' in page
    assert 'name="discreet" value="1" checked' in page
    page = back(page, "what")
    assert re.findall(r'name="about (\w+)[^>]* checked', page) == ["Movement"]
    page = back(page, "who")
    for name, text in {"given": "Thomas", "sur": "Walker", "birth_date": "1979-02-11"}.items():
        assert carried(page, name) == text
    assert ('value="A 1"' in page) == site.site.by_vin
    assert site.outbox.to_send(10) == []


def test_a_wrong_code_makes_nothing_active(site: SiteUnderTest) -> None:
    page = registered(site)
    site.send()
    wrong = f"{(int(site.code()) + 1) % 1_000_000:06}"
    answer = site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code=wrong)
    site.send()
    answer = site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code="")
    assert "Not confirmed" in answer.text
    site.driver.submit(submission(message_id="ESCAPE-1"))
    site.driver.advance(timedelta(minutes=5))
    assert [each for each in site.driver.outbound() if each.kind == "notification"] == []


def test_a_form_sent_again_registers_once(site: SiteUnderTest) -> None:
    path, about = "/en/register", {"about Movement": "1"}
    page = site.post(path, step="who", given="Thomas", sur="Walker", birth_date="1979-02-11").text
    page = site.post(path, step="what", draft=carried(page, "draft"), **about).text
    page = site.post(path, step="how", draft=carried(page, "draft"), channel0="sms", address0=PHONE).text
    for _ in range(3):
        assert site.post(path, step="pin", draft=carried(page, "draft"), pin="").status_code == 200
    site.send()
    assert len(site.driver.entries(REGISTRATIONS)) == 1


def test_while_kafka_is_away_the_registration_is_kept_and_says_so(site: SiteUnderTest) -> None:
    page = registered(site)
    answer = site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code="").text
    assert "saved but not active yet" in answer
    site.send()
    answer = site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code="").text
    assert "saved but not active yet" not in answer


def signed_in(site: SiteUnderTest, contact: str = PHONE, language: str = "en") -> str:
    path = f"/{language}/manage"
    page = site.post(path, step="contact", contact=contact).text
    site.send()
    signing = carried(page, "signing")
    site.post(path, step="code", signing=signing, code=site.code(contact))
    site.send()
    return site.post(path, step="code", signing=signing, code=site.code(contact)).text


def test_signing_in_takes_a_code_and_tells_the_contact_nothing_else(site: SiteUnderTest) -> None:
    activated(site)
    before = len(site.driver.outbound())
    page = signed_in(site)
    assert "Thomas Walker" in page
    assert "Active" in page
    assert [each.kind for each in site.driver.outbound()[before:]] == ["verification"]


def test_a_registration_is_paused_goes_on_is_changed_and_ends(site: SiteUnderTest) -> None:
    activated(site)
    page = signed_in(site)
    registration, session = carried(page, "registration"), carried(page, "session")

    def act(step: str, **form: str) -> str:
        answer = site.post("/en/manage", step=step, session=session, registration=registration, **form).text
        site.send()
        return answer

    assert "Paused" in act("pause")
    site.driver.submit(submission(message_id="ESCAPE-1"))
    page = act("resume")
    assert "You will be notified again once" in page
    assert "Saved, not active yet" in page, "what the pipeline last reported is the pause"
    assert "Ended" not in page
    assert "Active" in act("show")
    assert "Your changes are saved" in act("change", told_in="es", **{"about Hearing Notice": "1"})
    assert "Your changes are saved" in act("change", told_in="es"), "emergencies alone"
    page = act("end")
    assert "End this registration?" in page
    assert "Thomas Walker" in page
    assert len(site.outbox.registrations_of(site.outbox.digest(PHONE))) == 1, "nothing has ended yet"
    assert 'value="end_confirmed"' in page
    assert "Thomas Walker" in act("show")
    assert "has ended" in act("end_confirmed")
    assert site.outbox.registrations_of(site.outbox.digest(PHONE)) == []
    site.driver.advance(timedelta(minutes=5))
    assert [each for each in site.driver.outbound() if "ESCAPE-1" in each.message_ids] == []
    assert site.driver.entries(REGISTRATIONS)[-1].value is None


def told_of_escape(site: SiteUnderTest) -> list[str]:
    """Return the addresses that an escape is told to."""
    site.driver.submit(submission(message_id="ESCAPE-1", action_at=iso(site.driver.now)))
    site.driver.advance(timedelta(minutes=5))
    return sorted(each.to for each in site.driver.outbound() if "ESCAPE-1" in each.message_ids)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_registration_whose_code_page_is_lost_is_confirmed_after_signing_in(site: SiteUnderTest, language: str) -> None:
    words = site.site.languages[language]
    page = registered(site, language=language)
    assert words["code"]["later"] in page
    assert words["safety"]["unconfirmed"] in site.client.get(f"/{language}/").text
    site.send()
    site.driver.advance(timedelta(hours=30))  # the registration's own code has expired
    page = signed_in(site, language=language)
    assert words["status_words"]["awaiting_verification"] in page
    form = {"session": carried(page, "session"), "registration": carried(page, "registration")}
    assert words["manage"]["did"]["confirm"] in site.post(f"/{language}/manage", step="confirm", **form).text
    site.send()
    page = signed_in(site, language=language)
    assert words["status_words"]["active"] in page
    assert 'value="confirm"' not in page
    assert told_of_escape(site) == [PHONE]


@pytest.mark.parametrize(
    ("choices", "subtype", "told"), [((), "Escape", {PHONE}), ((), "Recapture", set()), (CHOICES, "Recapture", {PHONE})]
)
def test_who_chooses_nothing_is_told_of_emergencies_alone(
    site: SiteUnderTest, choices: tuple[str, ...], subtype: str, told: set[str]
) -> None:
    page = site.post("/en/register", step="who", given="Thomas", sur="Walker", birth_date="1979-02-11").text
    page = site.post("/en/register", step="what", draft=carried(page, "draft"), **{f"about {each}": "1" for each in choices}).text
    page = site.post("/en/register", step="how", draft=carried(page, "draft"), channel0="sms", address0=PHONE).text
    page = site.post("/en/register", step="pin", draft=carried(page, "draft"), pin="").text
    site.send()
    site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code=site.code())
    site.send()
    site.driver.submit(submission(message_id="M-1", event_subtype=subtype, action_at=iso(site.driver.now)))
    site.driver.advance(timedelta(hours=1))
    assert {each.to for each in site.driver.outbound() if "M-1" in each.message_ids} == told


def test_signing_in_alone_confirms_nothing(site: SiteUnderTest) -> None:
    registered(site)
    site.send()
    signed_in(site)
    site.send()
    assert told_of_escape(site) == []


def test_only_the_address_that_one_signed_in_with_is_confirmed(site: SiteUnderTest) -> None:
    email = "jane@example.org"
    page = site.post("/en/register", step="who", given="Thomas", sur="Walker", birth_date="1979-02-11").text
    page = site.post("/en/register", step="what", draft=carried(page, "draft"), **{"about Movement": "1"}).text
    both = {"channel0": "sms", "address0": PHONE, "channel1": "email", "address1": email}
    page = site.post("/en/register", step="how", draft=carried(page, "draft"), **both).text
    page = site.post("/en/register", step="pin", draft=carried(page, "draft"), pin="").text
    site.send()
    site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code=site.code())
    site.send()
    page = signed_in(site, email)  # the registration is active, but the email address is not confirmed yet
    site.post("/en/manage", step="confirm", session=carried(page, "session"), registration=carried(page, "registration"))
    site.send()
    ((stored, _),) = site.outbox.registrations_of(site.outbox.digest(PHONE))
    assert {each.address: each.verified for each in stored.contacts} == {PHONE: False, email: True}
    assert told_of_escape(site) == sorted([PHONE, email])


def test_the_code_page_is_good_for_a_night_and_a_day_and_then_says_how_to_go_on(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    awaiting = carried(registered(site), "awaiting")
    then = wall_time() + CODE_PAGE_VALID
    monkeypatch.setattr("processors.site.registering.wall_time", lambda: then - 60_000)
    assert site.post("/en/register", step="code", awaiting=awaiting, code="").status_code == 200
    monkeypatch.setattr("processors.site.registering.wall_time", lambda: then)
    answer = site.post("/en/register", step="code", awaiting=awaiting, code="")
    assert answer.status_code == 400
    assert "sign in under “Your registrations”" in answer.text


def test_a_change_leaves_a_paused_registration_paused(site: SiteUnderTest) -> None:
    activated(site)
    page = signed_in(site)
    form = {"session": carried(page, "session"), "registration": carried(page, "registration")}
    site.post("/en/manage", step="pause", **form)
    assert "Paused" in site.post("/en/manage", step="change", told_in="es", **{"about Movement": "1"}, **form).text
    site.send()
    assert told_of_escape(site) == []


def test_a_registration_that_ended_after_it_was_resumed_is_shown_as_ended(site: SiteUnderTest) -> None:
    activated(site)
    page = signed_in(site)
    form = {"session": carried(page, "session"), "registration": carried(page, "registration")}
    for step in ("pause", "resume"):
        site.post("/en/manage", step=step, **form)
    site.send()
    ended = RegistrationStatus(registration_id=form["registration"], source="IVINS", status="expired", since=wall_time() + 120_000)
    put(site.view, REGISTRATION_STATUS, form["registration"], ended, 10_000)
    assert "Ended" in site.post("/en/manage", step="show", **form).text


def test_a_session_reaches_ones_own_registrations_alone(site: SiteUnderTest) -> None:
    activated(site)
    registered(site, "804-555-0199", sur="Baker")
    (other, _) = site.outbox.registrations_of(site.outbox.digest("+18045550199"))[0]
    page = signed_in(site)
    answer = site.post("/en/manage", step="end_confirmed", session=carried(page, "session"), registration=other.registration_id)
    assert answer.status_code == 400
    assert len(site.outbox.registrations_of(site.outbox.digest("+18045550199"))) == 1


def test_unsubscribing_is_a_receipt_and_a_get_changes_nothing(site: SiteUnderTest) -> None:
    reference = "person-1.0123456789abcdef"
    one_click, link = {"List-Unsubscribe": "One-Click"}, f"/unsubscribe?reference={reference}&token={'0a' * 16}"
    assert site.client.get(link).status_code == 405
    assert site.client.post(link, data={"x": "y"}).status_code == 400
    assert site.client.post(f"/unsubscribe?reference={reference}", data=one_click).status_code == 400
    answer = site.client.post(link, data=one_click)
    assert answer.status_code == 200
    (kept,) = site.outbox.to_send(10)
    assert kept.kind == "receipts"
    assert b'"opted_out"' in (kept.value or b"")
    assert set(OUTBOUND) == {"sms", "email", "voice"}
