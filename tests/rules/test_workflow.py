"""The workflow as a table: which move a step takes, which steps may be late, and how states and moves are worded."""

from types import SimpleNamespace
from typing import Any

import pytest

from processors.rules.workflow import UNKNOWN_STATE, Activity, CaseState, Move, Workflow

ANYWHERE: tuple[str, ...] = ()


def move(*needs: tuple[str, ...], to: CaseState) -> Move:
    return Move((*needs, *[ANYWHERE] * (3 - len(needs))), to)


ASK = Activity("ask", CaseState("asked", "none"), (move(("none", "refused"), to=CaseState("asked")),))
GRANT = Activity("grant", CaseState("granted"), (move(("asked",), to=CaseState("granted")),), awaits=("ask",))
GO = Activity(
    "go",
    CaseState("granted", "accepted", "gone"),
    (
        move(ANYWHERE, ("accepted",), ("here",), to=CaseState(supervision="gone")),
        move(("granted",), ANYWHERE, ("here",), to=CaseState("used", None, "gone")),
    ),
    awaits=("grant", "nothing known", "go"),
)
ARRIVE = Activity("arrive", CaseState(supervision="there"), (move((), (), ("gone",), to=CaseState(supervision="there")),), awaits=("go",))
TABLE = Workflow({each.name: each for each in (ASK, GRANT, GO, ARRIVE)}, frozenset({"closed"}))
HOME = CaseState("none", "none", "here")


def test_a_case_that_begins_with_a_step_enters_where_the_step_says() -> None:
    assert TABLE.step(UNKNOWN_STATE, "go") == CaseState("granted", "accepted", "gone")


def test_a_step_moves_the_regions_it_names_and_no_other() -> None:
    assert TABLE.step(HOME, "ask") == CaseState("asked", "none", "here")
    assert TABLE.step(CaseState("refused", None, "here"), "ask") == CaseState("asked", None, "here")


def test_a_step_that_no_move_allows_may_not_be_taken() -> None:
    assert TABLE.step(HOME, "grant") is None
    assert TABLE.step(CaseState("granted", "accepted", "gone"), "go") is None


def test_a_move_that_surely_fits_goes_before_one_that_may_fit() -> None:
    assert TABLE.step(CaseState("granted", None, "here"), "go") == CaseState("used", None, "gone")
    assert TABLE.step(CaseState("granted", "accepted", "here"), "go") == CaseState("granted", "accepted", "gone"), "the first that fits"
    assert TABLE.step(CaseState(None, None, "here"), "go") == CaseState(None, None, "gone"), "what is not known fits"


@pytest.mark.parametrize(
    ("standing", "surely", "perhaps"),
    [
        (CaseState("asked"), True, True),
        (CaseState("none"), False, False),
        (CaseState(None, "accepted"), False, True),
    ],
)
def test_a_move_fits_where_every_region_it_names_stands(standing: CaseState, *, surely: bool, perhaps: bool) -> None:
    one = move(("asked", "granted"), to=UNKNOWN_STATE)
    assert (one.fits(standing, surely=True), one.fits(standing, surely=False)) == (surely, perhaps)


def test_a_step_that_somebody_let_go_is_taken_by_the_table_or_else_to_where_it_enters() -> None:
    assert TABLE.forced_step(HOME, "ask") == CaseState("asked", "none", "here")
    assert TABLE.forced_step(HOME, "grant") == CaseState("granted", "none", "here")


def test_the_step_that_may_be_late_is_the_one_whose_message_would_make_this_one_legal() -> None:
    asked, granted = CaseState("asked", "none", "here"), CaseState("granted", "none", "here")
    assert TABLE.late(HOME, "grant") == "ask"
    assert TABLE.late(asked, "go") == "grant"
    assert TABLE.late(granted, "arrive") == "go"
    assert TABLE.late(CaseState("used", "none", "there"), "arrive") is None


def test_several_may_be_late_at_once() -> None:
    assert TABLE.late(HOME, "go") == "grant", "by way of what that awaits itself"
    assert TABLE.late(HOME, "arrive") == "go"


def test_steps_that_await_each_other_end_nowhere() -> None:
    one = Activity("one", UNKNOWN_STATE, (move(("a",), to=CaseState("b")),), awaits=("two",))
    two = Activity("two", UNKNOWN_STATE, (move(("b",), to=CaseState("a")),), awaits=("one", "two"))
    assert Workflow({"one": one, "two": two}, frozenset()).late(CaseState("c"), "one") is None


@pytest.mark.parametrize("standing", [CaseState("closed"), CaseState("none", "closed"), CaseState("none", "none", "closed")])
def test_a_case_is_closed_if_any_region_is(standing: CaseState) -> None:
    assert TABLE.is_closed(standing)
    assert not TABLE.is_closed(HOME)


def test_standings_and_moves_are_worded_by_region() -> None:
    assert str(CaseState("asked", None, "here")) == "instructions asked, supervision here"
    assert str(UNKNOWN_STATE) == "not known"
    assert str(move(("asked", "granted"), ANYWHERE, ("here",), to=UNKNOWN_STATE)) == "instructions asked or granted, supervision here"


def entry(**fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**fields)


def test_the_table_is_made_from_the_entries_of_the_rule_files() -> None:
    states = {1: entry(name="none", closed=False, completed=True), 2: entry(name="closed", closed=True, completed=False)}
    move_ = entry(instructions=("none",), transfer=(), supervision=("here", "there"), to={"supervision": "gone"}, way="back")
    reasons = (entry(activity="ask", reason=""), entry(activity="refuse", reason="refused"))
    enters = {"instructions": "none", "supervision": "gone"}
    activities = {1: entry(name="go", enters=enters, moves=(move_,), awaits=("ask",), most_days=45, reason_from=reasons)}
    found = Workflow.of(states, activities)
    assert found.closed == {"closed"}
    assert found.completed == {"none"}
    assert found.activities == {
        "go": Activity(
            "go",
            CaseState("none", None, "gone"),
            (Move((("none",), (), ("here", "there")), CaseState(supervision="gone"), "back"),),
            ("ask",),
            45,
            (("ask", ""), ("refuse", "refused")),
        )
    }


def test_a_step_takes_the_way_of_its_move_and_none_if_nothing_is_known() -> None:
    home = Move((ANYWHERE, ANYWHERE, ("there",)), CaseState(supervision="home"), "back")
    out = Move((ANYWHERE, ANYWHERE, ("home",)), CaseState(supervision="there"))
    table = Workflow({"go": Activity("go", CaseState(), (out, home)), "rest": Activity("rest", CaseState(), (out,))}, frozenset())
    assert [table.way(CaseState(supervision=place), "go") for place in ("home", "there", "lost")] == [None, "back", None]
    assert table.way(UNKNOWN_STATE, "go") is None
    assert Workflow({"go": Activity("go", CaseState(), (home,))}, frozenset()).way(UNKNOWN_STATE, "go") is None
    assert (table.has_ways("go"), table.has_ways("rest")) == (True, False)


@pytest.mark.parametrize(
    ("needs", "to", "closes", "reopens"),
    [
        (("here",), "closed", True, False),
        (("closed",), "closed", False, False),
        (("here", "closed"), "closed", True, False),
        ((), "closed", False, False),
        (("closed",), "here", False, True),
        (("there", "closed"), "here", False, True),
        (("there",), "here", False, False),
        (("closed",), None, False, False),
    ],
)
def test_a_step_closes_or_reopens_a_case(needs: tuple[str, ...], to: str | None, *, closes: bool, reopens: bool) -> None:
    step = Activity("step", CaseState(), (Move((ANYWHERE, ANYWHERE, needs), CaseState(supervision=to)),))
    table = Workflow({"step": step}, frozenset({"closed"}))
    assert (table.closes("step"), table.reopens("step")) == (closes, reopens)


def test_a_word_that_no_table_has_is_no_step() -> None:
    table = Workflow({}, frozenset({"closed"}))
    assert (table.closes("polka"), table.reopens("polka"), table.has_ways("polka"), table.gives_reasons("polka")) == (False,) * 4


def test_a_step_gives_its_reason_to_those_that_say_so() -> None:
    reply = Activity("reply", CaseState(), (), reason_from=(("request", ""), ("denial", "denied")))
    table = Workflow(
        {each.name: each for each in (reply, Activity("request", CaseState(), ()), Activity("denial", CaseState(), ()))}, frozenset()
    )
    assert [table.gives_reasons(name) for name in ("request", "denial", "reply")] == [True, False, False]


def test_any_of_the_steps_that_are_awaited_may_be_the_late_one() -> None:
    idle = Activity("idle", CaseState(), (move(("none",), to=CaseState(transfer="idle")),))
    last = Activity("last", CaseState(), (move(("asked",), to=CaseState()),), awaits=("nothing known", "idle", "ask"))
    assert Workflow({each.name: each for each in (ASK, idle, last)}, frozenset()).late(HOME, "last") == "ask"
