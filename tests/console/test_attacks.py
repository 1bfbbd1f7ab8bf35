"""Whoever fixes a session, injects or floods gets nowhere at the console."""

import random
import re
from pathlib import Path

import pytest

from processors.console.people import SignInProxy
from processors.console.security import SESSION
from processors.topics import REVIEWS
from tests.console.test_console import ConsoleUnderTest, console_over
from tests.examples import examples
from tests.views.given import made_view, put, review

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
