"""Whoever fixes a session, injects or floods gets nowhere at the console."""

import random
import re
from pathlib import Path

import pytest

from processors.cli.console import sign_in
from processors.console.people import SignIn, SignInProxy
from processors.console.security import SESSION
from processors.runtime.errors import UserError
from processors.runtime.settings import Settings
from processors.topics import REVIEWS
from tests.console.test_console import ConsoleUnderTest, console_over
from tests.examples import examples
from tests.views.given import made_view, put, review

HOSTS = ("127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]", "[::1]:8080", "vn.example", "vn.example:443")
FIXED = "a-session-that-eve-made"
PATHS = (
    "/",
    "/reviews",
    "/reviews/va",
    "/messages/M",
    "/offenders/o",
    "/registrants",
    "/policies",
    "/rules/VA",
    "/dead-letters",
    "/x",
    "/%ff",
)


@pytest.fixture
def console(tmp_path: Path) -> ConsoleUnderTest:
    view = made_view(tmp_path)
    put(view, REVIEWS, "va", review("va"))
    return console_over(tmp_path, view, SignInProxy("X-User", "X-States", frozenset({"testclient"})))


@pytest.fixture
def local_user(monkeypatch: pytest.MonkeyPatch) -> SignIn:
    monkeypatch.setenv("VN_CONSOLE_URL", "https://VN.example/")
    return sign_in(Settings(), "127.0.0.1")


def test_a_session_that_somebody_else_began_lets_nobody_act_for_her(console: ConsoleUnderTest) -> None:
    console.client.cookies.set(SESSION, FIXED)
    eves = re.findall(r'name="token" value="(\w+)"', console.client.get("/reviews/va", headers={"X-User": "eve"}).text)[0]
    form = {"token": eves, "what": "release", "reason": "x"}
    assert console.client.post("/reviews/va", data=form, headers={"X-User": "ana"}).status_code == 403
    assert console.actions.pending("va") is None
    anas = re.findall(r'name="token" value="(\w+)"', console.client.get("/reviews/va", headers={"X-User": "ana"}).text)[0]
    assert anas != eves


@pytest.mark.parametrize("path", ["/reviews/%0d%0aSet-Cookie:%20a=b", "/offenders/%0d%0aX:1", "/reviews/", "/rules/%0d%0aX"])
def test_a_path_puts_nothing_into_headers_and_leads_nowhere_else(console: ConsoleUnderTest, path: str) -> None:
    answer = console.client.get(path, headers={"X-User": "ana", "host": "evil.example"}, follow_redirects=False)
    assert answer.status_code == 404
    assert "evil.example" not in str(answer.headers)
    assert "a=b" not in answer.headers.get("set-cookie", "")


def test_a_flood_of_rubbish_is_no_error(console: ConsoleUnderTest) -> None:
    chance, statuses = random.Random(7), set[int]()
    for _ in range(examples(200)):
        text = "".join(chr(chance.randrange(1, 0xD800)) for _ in range(30))
        headers = {"X-User": chance.choice(("ana", "")), "cookie": f"{SESSION}={chance.randrange(10**9)}; vn_person={text.encode().hex()}"}
        path = chance.choice(PATHS)
        if chance.randrange(2):
            answer = console.client.get(path, headers=headers, params={"q": text, "registrant": text}, follow_redirects=False)
        else:
            answer = console.client.post(path, headers=headers, data={"token": text, "what": text, "reason": text}, follow_redirects=False)
        statuses.add(answer.status_code)
    assert max(statuses) < 500, statuses


@pytest.mark.parametrize("host", HOSTS)
def test_the_console_of_the_local_user_answers_at_its_own_names(tmp_path: Path, local_user: SignIn, host: str) -> None:
    console = console_over(tmp_path, made_view(tmp_path), local_user)
    assert console.client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/registrants?registrant=R-1&reason=x", "/healthz", "/static/console.css"])
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "evil.example@localhost",
        "localhost.",
        "::1",
        "",
    ],
)
def test_a_name_that_another_site_has_lead_to_loopback_gets_nothing(tmp_path: Path, local_user: SignIn, host: str, path: str) -> None:
    console = console_over(tmp_path, made_view(tmp_path), local_user)
    refused = console.client.get(path, headers={"host": host})
    assert refused.status_code == 400
    assert refused.text.startswith("This console answers only at 127.0.0.1, localhost and [::1], and at vn.example.")
    assert console.client.post(path, data={"token": "x"}, headers={"host": host}).status_code == 400
    assert console.sent.records == []


@pytest.mark.parametrize("url", ["vn.example", "https://[", "https://"])
def test_a_public_url_without_a_host_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("VN_CONSOLE_URL", url)
    with pytest.raises(UserError, match="VN_CONSOLE_URL names no host"):
        sign_in(Settings(), "127.0.0.1")


def test_a_sign_in_proxy_may_pass_on_any_host(console: ConsoleUnderTest) -> None:
    assert console.client.get("/", headers={"X-User": "ana", "host": "office.example"}).status_code == 200
