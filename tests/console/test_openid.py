"""Sign-in by OpenID Connect against a real provider on a free port."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from processors.console import openid
from processors.console.openid import OpenId
from processors.runtime.clock import wall_time
from processors.topics import REVIEWS
from tests.console.openid_provider import Provider, provider
from tests.console.test_console import ConsoleUnderTest, console_over
from tests.views.given import made_view, put, review


@pytest.fixture(scope="module")
def served() -> Iterator[Provider]:
    with provider() as found:
        yield found


@pytest.fixture
def console(tmp_path: Path, served: Provider) -> ConsoleUnderTest:
    view = made_view(tmp_path)
    put(view, REVIEWS, "va", review("va"))
    put(view, REVIEWS, "nc", review("nc", jurisdiction="NC"))
    return console_over(tmp_path, view, OpenId(served.url, "vn-console", "http://127.0.0.1", ""))


def sign_in(console: ConsoleUnderTest) -> httpx.Response:
    """Follow the way to the provider and back, as a browser does; return the answer of the console to the code."""
    away = console.client.get("/sign-in", follow_redirects=False)
    back = httpx.get(away.headers["location"], follow_redirects=False)
    return console.client.get(back.headers["location"], follow_redirects=False)


def test_who_is_not_signed_in_is_sent_to_sign_in_and_can_change_nothing(console: ConsoleUnderTest) -> None:
    assert console.client.get("/reviews", follow_redirects=False).headers["location"] == "/sign-in"
    assert console.client.post("/reviews/va", data={"what": "release", "reason": "x"}).status_code == 401


def test_a_virginia_reviewer_sees_virginia_and_decides_in_her_name(console: ConsoleUnderTest, served: Provider) -> None:
    served.claims = {"preferred_username": "ana", "vn_states": ["va"], "vn_roles": "reviewer"}
    before = dict(console.client.cookies)
    assert sign_in(console).headers["location"] == "/"
    assert dict(console.client.cookies) != before
    page = console.client.get("/reviews").text
    assert "/reviews/va" in page
    assert "/reviews/nc" not in page
    token = re.findall(r'name="token" value="(\w+)"', page)[0]
    assert (
        console.client.post("/reviews/va", data={"token": token, "what": "release", "reason": "asked"}, follow_redirects=False).status_code
        == 303
    )
    waiting = console.actions.pending("va")
    assert waiting is not None
    assert waiting["reviewer"] == "ana"
    assert console.client.post("/policies", data={"token": token, "what": "set", "key": "cancel.hold", "value": "1m"}).status_code == 403


def test_somebody_without_claims_sees_and_changes_nothing(console: ConsoleUnderTest, served: Provider) -> None:
    served.claims = {"email": "new@office.example"}
    sign_in(console)
    page = console.client.get("/reviews")
    assert page.status_code == 200
    assert "/reviews/va" not in page.text


def test_a_code_that_was_used_or_belongs_to_another_browser_signs_nobody_in(console: ConsoleUnderTest, served: Provider) -> None:
    served.claims = {"preferred_username": "ana", "vn_states": "*"}
    away = console.client.get("/sign-in", follow_redirects=False)
    back = httpx.get(away.headers["location"], follow_redirects=False).headers["location"]
    assert console.client.get(back, follow_redirects=False).status_code == 303
    assert console.client.get(back, follow_redirects=False).status_code == 403
    console.client.cookies.clear()
    assert console.client.get(back, follow_redirects=False).status_code == 403
    assert console.client.get("/reviews", follow_redirects=False).status_code == 303


def test_a_session_ends_after_a_working_day_and_by_signing_out(
    console: ConsoleUnderTest, served: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.claims = {"preferred_username": "ana", "vn_states": "*"}
    sign_in(console)
    page = console.client.get("/reviews").text
    assert "/reviews/nc" in page
    later = wall_time() + openid.MAX_SESSION_MILLISECONDS + 1
    monkeypatch.setattr(openid, "wall_time", lambda: later)
    assert console.client.get("/reviews", follow_redirects=False).status_code == 303
    monkeypatch.undo()
    token = re.findall(r'name="token" value="(\w+)"', page)[0]
    assert console.client.post("/sign-out", data={"token": token}).status_code == 200
    assert console.client.get("/reviews", follow_redirects=False).status_code == 303
