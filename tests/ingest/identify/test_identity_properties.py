"""Properties of identity for any people and any order of their messages (contract §3.2)."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.domain.merge import Merge
from processors.domain.person import ComparedPerson, Identifier, Name, Person
from processors.ingest.comparison import compare_person
from processors.ingest.identify.description import Description, describe
from processors.ingest.identify.evidence import is_same, strong_contradiction
from processors.ingest.identify.identity import identify
from processors.ingest.identify.state import MergedOffender, Offender, State
from processors.rules.identity import Issuer, group_of, is_strong
from processors.rules.load import load_rules
from tests.examples import examples
from tests.ingest.identify.read_and_identify import ReadAndIdentify
from tests.ingest.records import offender

RULES = load_rules().rule_set("VA", 0).identity
JAIL = Issuer("VA0430000", "VA")

# People who exist: each has one number of each kind, and a name and birth date of their own.
MARKS = ("SID:VA{}1", "FBI:{}2A", "ICOTS:{}3", "DOC@VA:{}4", "~BOOKING@VA0430000:{}5")
TRUE_PEOPLE = 4


def truth(number: int, shown: Iterable[int], *, named: bool) -> Description:
    """Return what a message shows of a true person."""
    marks = tuple(MARKS[each].format(number + 1) for each in sorted(shown))
    names = (f"john,sample{chr(97 + number)}|19{80 + number}-05-17",) if named or not marks else ()
    return describe(ComparedPerson(marks, names))


messages = st.builds(
    lambda number, shown, named: (number, truth(number, shown, named=named)),
    st.integers(0, TRUE_PEOPLE - 1),
    st.sets(st.integers(0, len(MARKS) - 1), max_size=3),
    st.booleans(),
)


def arrive(descriptions: Sequence[Description]) -> tuple[dict[str, State], list[tuple[str, ...]]]:
    """Return what is known after the messages, and the keys each went out under."""
    states: dict[str, Any] = {}
    keys = []
    for seq, described in enumerate(descriptions):
        found = identify(states, described, seq, 0)
        states |= found.change.states
        keys.append(found.offenders)
    return states, keys


def current(states: dict[str, Any], key: str) -> str:
    state = states[key]
    return state.into if isinstance(state, MergedOffender) else key


def together(states: dict[str, Any], keys: Sequence[tuple[str, ...]]) -> set[frozenset[int]]:
    """Return which messages are about one person, by their places in the list."""
    groups: dict[str, set[int]] = {}
    for index, (key, *_) in enumerate(keys):
        groups.setdefault(current(states, key), set()).add(index)
    return {frozenset(each) for each in groups.values()}


@given(st.lists(messages, min_size=2, max_size=9), st.randoms(use_true_random=False))
@settings(max_examples=examples(300))
def test_who_is_together_does_not_depend_on_the_order(sent: list[tuple[int, Description]], random: Any) -> None:
    order = list(range(len(sent)))
    random.shuffle(order)
    described = [each for _, each in sent]
    before = together(*arrive(described))
    after = together(*arrive([described[index] for index in order]))
    assert {frozenset(order.index(each) for each in group) for group in before} == after


@given(st.lists(messages, min_size=2, max_size=9))
@settings(max_examples=examples(300))
def test_nobody_is_taken_for_somebody_else(sent: list[tuple[int, Description]]) -> None:
    states, keys = arrive([each for _, each in sent])
    for group in together(states, keys):
        assert len({sent[index][0] for index in group}) == 1


# People as they may be described wrongly: numbers and names of others, whatever contradicts.
anybody = st.builds(
    lambda marks, names: describe(ComparedPerson(tuple(sorted(marks)), tuple(sorted(names)))),
    st.sets(
        st.sampled_from(["SID:VA1", "SID:VA2", "SID:NC3", "FBI:1A", "FBI:2A", "ICOTS:7", "~BOOKING@VA1:5", "~BOOKING@VA1:6"]), max_size=3
    ),
    st.sets(st.sampled_from(["john,sample|1981-05-17", "john q,sample|1981-05-17", "jane,other|1990-01-01", "|1981-05-17"]), max_size=2),
).filter(lambda each: bool(each.marks) or any(name.count(",") for name in each.names))


@given(st.lists(anybody, min_size=2, max_size=10))
@settings(max_examples=examples(400))
def test_contradicting_strong_identifiers_never_share_a_key(sent: list[Description]) -> None:
    states, _ = arrive(sent)
    in_one_message = {frozenset(pair) for each in sent for pair in combinations(each.marks, 2)}
    for each in states.values():
        if isinstance(each, Offender):
            for pair in combinations(filter(is_strong, each.marks), 2):
                assert group_of(pair[0]) != group_of(pair[1]) or frozenset(pair) in in_one_message


@given(st.lists(anybody, min_size=2, max_size=10))
@settings(max_examples=examples(200))
def test_a_strong_identifier_is_one_persons_and_every_key_leads_to_somebody(sent: list[Description]) -> None:
    states, keys = arrive(sent)
    held = [mark for each in states.values() if isinstance(each, Offender) for mark in each.marks if is_strong(mark)]
    assert len(held) == len(set(held))
    assert all(isinstance(states[current(states, key)], Offender) for offenders in keys for key in offenders)


@given(anybody, anybody)
@settings(max_examples=examples(300))
def test_what_contradicting_descriptions_share_weakly_reaches_neithers_registrant(one: Description, other: Description) -> None:
    if strong_contradiction(one, other) is None or any(is_strong(each) for each in {*one.marks} & {*other.marks}):
        return
    assert not is_same(one, other)
    assert not is_same(other, one)


@given(
    st.sampled_from(["SID", "FBI", "DOC", "BOOKING", "ICOTS", "COUNTY"]),
    st.one_of(
        st.sampled_from(sorted(RULES.words)),
        st.builds(lambda sign, count: sign * count, st.sampled_from("0123456789AXZ"), st.integers(3, 9)),
        st.builds(lambda first, count: "".join(str((first + each) % 10) for each in range(count)), st.integers(0, 9), st.integers(4, 9)),
    ),
    st.sampled_from(["{}", " {} ", "{}\u200b", "{}.", "-{}-"]),
)
def test_a_filler_never_ties(scheme: str, value: str, written: str) -> None:
    person = Person((Identifier(scheme, written.format(value)),), Name(full="John Sample"), birth_date="1981-05-17")
    other = Person((Identifier(scheme, value.lower()),), Name(full="Jane Other"), birth_date="1990-01-01")
    one, _ = compare_person(person, RULES, JAIL)
    two, _ = compare_person(other, RULES, JAIL)
    assert one.marks == two.marks == ()
    assert not is_same(describe(one), describe(two))


steps = st.lists(
    st.tuples(
        st.sampled_from(["submit", "register"]),
        st.integers(0, 2),
        st.sets(st.sampled_from(["SID:VA{}1", "FBI:{}2A", "ICOTS:{}3"]), min_size=1, max_size=2),
    ),
    min_size=3,
    max_size=9,
)


@given(steps)
@settings(max_examples=examples(40))
def test_registrations_follow_their_offenders_through_merges(story: list[tuple[str, int, set[str]]]) -> None:
    """Each registration is, at the end, with the one key of whom it is for; nobody else's registration ever is."""
    ingest = ReadAndIdentify()
    wanted: dict[str, tuple[int, set[str]]] = {}
    enrolled: dict[str, set[str]] = {}
    shown: dict[str, int] = {}
    for index, (kind, number, shapes) in enumerate(story):
        person = offender(*sorted(each.format(number + 1) for each in shapes))
        if kind == "register":
            wanted[f"REG-{index}"] = (number, shapes)
            decided = ingest.register(f"REG-{index}", registrant_id=f"R-{index}", offender=person)
        else:
            decided = ingest.submit(offenders=[person])
            shown[decided.offenders[0]] = number
        for merge in decided.of(Merge):
            for keys in enrolled.values():
                if merge.offender in keys:
                    keys.remove(merge.offender)
                    keys.add(merge.into)
        for registration_id, key, ended in decided.enrolled:
            keys = enrolled.setdefault(registration_id, set())
            (keys.discard if ended else keys.add)(key)
    for registration_id, (number, _) in wanted.items():
        kept = set(ingest.state(f"r{registration_id}").offenders)
        assert kept == enrolled.get(registration_id, set())
        assert all(shown[key] == number for key in kept)
