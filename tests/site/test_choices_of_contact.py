"""Discreet messages, and the form of sources whose registrants have a verified email address, a VIN and a PIN."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from processors.topics import REGISTRATIONS
from tests.site.given import PHONE, SiteUnderTest, carried, registered, site_over
from tests.stories.builders import submission

EMAIL = "jane@example.org"
WHO = {"given": "Thomas", "sur": "Walker", "birth_date": "1979-02-11"}


def to_contacts(site: SiteUnderTest, **who: str) -> str:
    page = site.post("/en/register", step="who", **(WHO | who)).text
    return site.post("/en/register", step="what", draft=carried(page, "draft"), **{"about Movement": "1"}).text


def verified(site: SiteUnderTest, page: str, to: str) -> str:
    site.send()
    site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code=site.code(to))
    site.send()
    return site.post("/en/register", step="code", awaiting=carried(page, "awaiting"), code="").text


# Discreet messages


def test_a_discreet_registration_is_told_by_initials_and_the_email_says_more(site: SiteUnderTest) -> None:
    page = to_contacts(site)
    form = {"channel0": "sms", "address0": PHONE, "channel1": "email", "address1": EMAIL, "discreet": "1"}
    page = site.post("/en/register", step="how", draft=carried(page, "draft"), **form).text
    page = site.post("/en/register", step="pin", draft=carried(page, "draft"), pin="").text
    site.send()
    first = next(each for each in site.driver.outbound("sms") if each.to == PHONE)
    assert first.body.startswith("Your code is ")
    verified(site, page, PHONE)
    verified(site, page, EMAIL)
    site.driver.submit(submission(message_id="ESCAPE-1"))
    site.driver.advance(timedelta(minutes=5))
    (text,) = (each for each in site.driver.outbound("sms") if "ESCAPE-1" in each.message_ids)
    assert (text.body, text.language) == ("T.W.: urgent news. In an emergency call 911.", "en")
    (email,) = (each for each in site.driver.outbound("email") if "ESCAPE-1" in each.message_ids)
    assert email.subject == "T.W.: urgent news"
    assert email.body.index("Walker") > 120  # beyond what a lock screen shows
    assert "escaped" in email.body


def test_a_discreet_text_message_alone_would_not_say_what_happened(site: SiteUnderTest) -> None:
    page = to_contacts(site)
    answer = site.post("/en/register", step="how", draft=carried(page, "draft"), channel0="sms", address0=PHONE, discreet="1")
    assert answer.status_code == 400
    assert "does not say what happened" in answer.text
    assert re.search(r'name="discreet" value="1" checked', answer.text)


# VIN and PIN


@pytest.fixture
def federal(tmp_path: Path) -> SiteUnderTest:
    return site_over(tmp_path, source="ICE_VNP")


def to_pin(site: SiteUnderTest, **form: str) -> str:
    page = to_contacts(site, number="A 123-456-789")
    return site.post("/en/register", step="how", draft=carried(page, "draft"), email=EMAIL, email_again=EMAIL.upper(), **form).text


def vin_of(site: SiteUnderTest) -> str:
    """Register, and return the number on the last page."""
    page = site.post("/en/register", step="pin", draft=carried(to_pin(site), "draft"), pin="4711").text
    done = verified(site, page, EMAIL)
    found = re.search(r'class="vin">([\d ]+)<', done)
    assert found is not None, done
    return found[1]


@pytest.mark.parametrize(("source", "asked", "phone"), [("ICE_VNP", "A-number", True), ("DOJ_VNS", "Register number", False)])
def test_the_form_asks_what_the_source_has(tmp_path: Path, source: str, asked: str, phone: bool) -> None:  # noqa: FBT001
    site = site_over(tmp_path, source=source)
    assert asked in site.client.get("/en/register").text
    assert ('name="address0"' in to_contacts(site)) == phone


def test_the_email_address_is_written_twice_and_the_pin_is_needed(federal: SiteUnderTest) -> None:
    draft = carried(to_contacts(federal), "draft")
    answer = federal.post("/en/register", step="how", draft=draft, email=EMAIL, email_again="jan@example.org")
    assert "The two email addresses are different" in answer.text
    assert f'value="{EMAIL}"' in answer.text
    page = federal.post("/en/register", step="how", draft=draft, email=EMAIL, email_again=EMAIL).text
    assert "Enter four digits" in federal.post("/en/register", step="pin", draft=carried(page, "draft"), pin="").text


def test_what_is_registered_has_the_source_and_the_number_and_no_vin(federal: SiteUnderTest) -> None:
    vin = vin_of(federal).replace(" ", "")
    documents = [each.value for each in federal.driver.entries(REGISTRATIONS)]
    assert not any(vin.encode() in each for each in documents if each)
    assert b"ICE_VNP" in documents[0]
    assert b"A-NUMBER" in documents[0]


def test_vin_and_pin_lead_to_a_code_by_email_and_that_to_the_registrations(federal: SiteUnderTest) -> None:
    vin = vin_of(federal)
    before = len(federal.driver.outbound("email"))
    page = federal.post("/en/manage", step="contact", vin=vin, pin="4711").text
    federal.send()
    assert [each.to for each in federal.driver.outbound("email")[before:]] == [EMAIL]
    federal.post("/en/manage", step="code", signing=carried(page, "signing"), code=federal.code(EMAIL))
    federal.send()
    assert "Thomas Walker" in federal.post("/en/manage", step="code", signing=carried(page, "signing"), code=federal.code(EMAIL)).text


@pytest.mark.parametrize(("vin", "pin"), [("0000000000", "4711"), ("", "4712"), ("", "")])
def test_a_wrong_vin_or_pin_gets_the_same_page_and_no_code(federal: SiteUnderTest, vin: str, pin: str) -> None:
    own = vin_of(federal)
    before = len(federal.driver.outbound())
    right, wrong = (
        re.sub(r'name="signing" value="[^"]*"', "", federal.post("/en/manage", step="contact", vin=one, pin=two).text)
        for one, two in ((own, "4711"), (vin or own, pin))
    )
    assert right == wrong
    federal.send()
    assert len(federal.driver.outbound()) == before + 1


def test_without_its_source_a_site_knows_no_vin(site: SiteUnderTest) -> None:
    registered(site)
    assert "VIN" not in site.client.get("/en/manage").text
    assert site.post("/en/manage", step="contact", vin="0000000000", pin="4711").status_code == 400
