"""
Templates: jinja2's syntax, and of it no more than a text needs.

A template is read once, into functions, and filled in often. It names only what is listed here and calls only `n` and
`also`; anything else is found where it is read (`vn rules check`), not when somebody is to be told, and nothing in a
rule file can reach further than the facts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

from jinja2 import Environment, TemplateSyntaxError, nodes

# What may be named, as default/texts.en.toml explains it: facts; of lists of facts, what each item has; and, in an entry
# that goes around others, those others.
NAMES: Final = frozenset({
    "names", "when", "place", "origin", "court", "case", "agency", "sending", "receiving", "report_by", "way",
    "emergency", "hearing", "unsaid",
})  # fmt: skip
PARTS: Final = frozenset({"text", "noun", "about"})
LISTS: Final[Mapping[str, frozenset[str]]] = {
    "offenders": frozenset({"name", "number"}),
    "offices": frozenset({"name", "phone"}),
    "changes": frozenset({"label", "old", "new"}),
}


class BadTemplate(ValueError):
    """The source cannot be filled in; the message says why, without a full stop."""


class Turn(NamedTuple):
    """Where a loop is: its item, and whether that is the last."""

    item: Any
    last: bool


class Loop(NamedTuple):
    """What a loop calls its item, and what that has."""

    target: str
    fields: frozenset[str]


Facts = Any  # has an attribute for each of NAMES and LISTS, and `ahead`: whether the event is still to come
Value = Callable[[Facts, Turn], Any]
Template = Callable[[Facts], str]

NOWHERE: Final = Turn(None, last=False)

SYNTAX: Final = Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701  plain text for people; and only read, never run


@lru_cache(maxsize=4_096)
def template(source: str, *, frame: bool = False) -> Template:
    """Return what fills the facts into `source`, in a `frame` also the parts it goes around; raises BadTemplate where it is none."""
    try:
        tree = SYNTAX.parse(source)
    except TemplateSyntaxError as error:
        raise BadTemplate((error.message or "it is broken").rstrip(".")) from None
    if not frame and any(name.name in PARTS for name in tree.find_all(nodes.Name)):
        raise BadTemplate(f"{', '.join(sorted(PARTS))} are only for the entries that go around others")
    text = joined(tree.body, None)
    return lambda facts: text(facts, NOWHERE)


# --- what may be called --------------------------------------------------------------------------------------------


def n(facts: Facts, one: str, several: str, one_ahead: str | None = None, several_ahead: str | None = None) -> str:
    """Return the words for as many offenders as there are, and for an event that is still to come where those differ."""
    many = len(facts.offenders) > 1
    if one_ahead is not None and facts.ahead:
        return (several_ahead or one_ahead) if many else one_ahead
    return several if many else one


def also(_: Facts, words: str, value: str, after: str = "") -> str:
    """Return the words and the value; nothing where there is no value."""
    return f"{words}{value}{after}" if value else ""


CALLS: Final[Mapping[str, tuple[Callable[..., str], frozenset[int]]]] = {"n": (n, frozenset({2, 3, 4})), "also": (also, frozenset({2, 3}))}


# --- what it is made of --------------------------------------------------------------------------------------------


def joined(body: Iterable[nodes.Node], loop: Loop | None) -> Value:
    """Return the text of these nodes, one after the other."""
    parts = tuple(part for node in body for part in statement(node, loop))
    return lambda facts, turn: "".join([str(part(facts, turn)) for part in parts])


def statement(node: nodes.Node, loop: Loop | None) -> Iterator[Value]:
    match node:
        case nodes.Output():
            yield from (value(each, loop) for each in node.nodes)
        case nodes.If():
            otherwise = joined(node.else_, loop)
            for each in reversed((node, *node.elif_)):
                otherwise = choice(value(each.test, loop), joined(each.body, loop), otherwise)
            yield otherwise
        case nodes.For(target=nodes.Name(name=target), iter=nodes.Name(name=name), else_=[], test=None) if loop is None:
            yield repeated(name, target, node.body)
        case _:
            raise BadTemplate(f"a text has no use for {type(node).__name__}")


def repeated(name: str, target: str, body: Iterable[nodes.Node]) -> Value:
    """Return the text for each item of a list of facts."""
    if name not in LISTS:
        raise BadTemplate(f"there is no list {name!r} (there are {', '.join(LISTS)})")
    items, text = attrgetter(name), joined(body, Loop(target, LISTS[name]))

    def each(facts: Facts, _: Turn) -> str:
        found = items(facts)
        return "".join([text(facts, Turn(item, place == len(found))) for place, item in enumerate(found, 1)])

    return each


def value(node: nodes.Node, loop: Loop | None) -> Value:  # noqa: PLR0911  one for each kind of expression
    """Return what an expression stands for."""
    match node:
        case nodes.TemplateData(data=found) | nodes.Const(value=found):
            return lambda _, __: found
        case nodes.Name(name=name):
            return named(name)
        case nodes.Getattr(node=nodes.Name(name=owner), attr=attribute) if loop is not None:
            return part_of(owner, attribute, loop)
        case nodes.Not(node=inner):
            return choice(value(inner, loop), lambda _, __: False, lambda _, __: True)
        case nodes.Or() | nodes.And() | nodes.Compare():
            return compared(node, loop)
        case nodes.CondExpr(test=test, expr1=left, expr2=nodes.Expr() as right):
            return choice(value(test, loop), value(left, loop), value(right, loop))
        case nodes.Concat(nodes=several):
            return joined([nodes.Output(list(several))], loop)
        case nodes.Call(node=nodes.Name(name=name), args=args, kwargs=[], dyn_args=None, dyn_kwargs=None):
            return called(name, [value(each, loop) for each in args])
        case _:
            raise BadTemplate(f"a text has no use for {type(node).__name__}")


def compared(node: nodes.Node, loop: Loop | None) -> Value:
    """Return what two expressions come to."""
    match node:
        case nodes.Or(left=left, right=right):
            one, other = value(left, loop), value(right, loop)
            return lambda facts, turn: one(facts, turn) or other(facts, turn)
        case nodes.And(left=left, right=right):
            one, other = value(left, loop), value(right, loop)
            return lambda facts, turn: one(facts, turn) and other(facts, turn)
        case nodes.Compare(expr=left, ops=[nodes.Operand(op="eq", expr=right)]):
            one, other = value(left, loop), value(right, loop)
            return lambda facts, turn: bool(one(facts, turn) == other(facts, turn))
        case _:
            raise BadTemplate("of comparisons, a text has use for == alone")


def named(name: str) -> Value:
    if name not in NAMES | PARTS | LISTS.keys():
        raise BadTemplate(f"there is no {name!r}")
    get = attrgetter(name)
    return lambda facts, _: get(facts)


def part_of(owner: str, attribute: str, loop: Loop) -> Value:
    """Return what the loop's item has, or `loop.last`."""
    if (owner, attribute) == ("loop", "last"):
        return lambda _, turn: turn.last
    if owner != loop.target or attribute not in loop.fields:
        raise BadTemplate(f"there is no '{owner}.{attribute}'")
    get = attrgetter(attribute)
    return lambda _, turn: get(turn.item)


def choice(test: Value, yes: Value, no: Value) -> Value:
    return lambda facts, turn: yes(facts, turn) if test(facts, turn) else no(facts, turn)


def called(name: str, given: list[Value]) -> Value:
    if name not in CALLS:
        raise BadTemplate(f"there is nothing to call {name!r} (there are {', '.join(CALLS)})")
    function, counts = CALLS[name]
    if len(given) not in counts:
        raise BadTemplate(f"'{name}' takes {min(counts)} to {max(counts)} words, not {len(given)}")
    return lambda facts, turn: function(facts, *[each(facts, turn) for each in given])
