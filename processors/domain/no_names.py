"""Words typed where a name is not known: a name that holds one of them, or of which nothing else is left, is nobody's."""

from collections.abc import Collection, Sequence
from typing import Final

# Typed where there is no middle name.
NO_MIDDLE: Final = frozenset(
    {"nmn", "nmi", "nomiddle", "nomiddlename", "none", "null", "na", "unknown", "unk", "unkn", "tbd", "notgiven", "notknown", "ninguno"}
)
# A given name or surname that says that it is not known: first, last, no name known.
NO_NAME: Final = frozenset(
    {
        *("fnu", "lnu", "nfn", "nln", "unknown", "unk", "unkn", "noname", "notgiven", "notknown", "unidentified", "undisclosed"),
        *("desconocido", "desconocida", "inconnu", "unbekannt", "anonymous", "redacted", "undefined"),
        *("none", "tbd", "tba", "nan", "withheld", "refused", "sealed", "confidential"),
        *("unspecified", "notspecified", "notstated", "unkown", "unknwn", "unknow", "ukn", "tobedetermined", "donotuse"),
        *("deleted", "voided"),
        *("noidentificado", "noidentificada", "sinidentificar", "noconsta", "fulano", "fulana", "mengano", "mengana", "inconnue"),
        "sansnom",
        *("desconhecido", "desconhecida", "semnome", "sconosciuto", "nieznany", "неизвестно", "不明", "無名氏", "seefile", "seeabove"),
        "asabove",
    }
)
# People are called so, but nobody is called by such words alone.
NO_WORDS: Final = frozenset(
    {
        *("na", "nan", "none", "null", "nil", "no", "not", "tbd", "tba", "blank", "empty", "test", "dummy", "fake", "placeholder"),
        *("name", "names", "named", "unnamed", "given", "first", "middle", "last", "firstname", "lastname", "middlename", "fullname"),
        *("surname", "initial", "available", "applicable", "provided", "known", "reported", "recorded", "entered", "listed", "stated"),
        *("refused", "declined", "withheld", "sealed", "expunged", "confidential", "restricted", "protected", "pending", "missing"),
        *("record", "identity", "person", "individual", "subject", "defendant", "offender", "inmate", "prisoner", "detainee", "arrestee"),
        *("suspect", "juvenile", "minor", "infant", "baby", "child", "boy", "girl", "male", "female", "man", "woman", "adult", "party"),
        *("white", "black", "hispanic", "specified", "duplicate", "sample", "tester", "alias", "aka", "anon", "nobody", "ref"),
        *("asdf", "qwer"),
        *("qwerty", "fname", "lname", "prenom", "nome", "id"),
        *("sin", "nombre", "apellido", "ninguno", "ninguna", "dato", "datos", "keine", "angabe", "angaben", "nom", "aucun", "n", "a"),
    }
)
NOTHING_SAID: Final = NO_WORDS | NO_NAME
# The given names that stand with the surname of nobody in particular.
NOBODYS: Final = frozenset({"doe", "roe", "public"})
NOBODY: Final = frozenset({"john", "jane", "johnny", "janie", "juan", "juana", "baby", "babyboy", "babygirl", "infant", "jimmy"})


NOT_AVAILABLE: Final = ("n", "a")  # as "N/A" compares; Na is a surname


def is_nobodys(given: Sequence[str], sur: Sequence[str]) -> bool:
    """Whether a name, in the words that are compared, stands for nobody's."""
    words = [letters for each in (*given, *sur) if (letters := without_digits(each))]
    return (
        not words
        or says_unknown(given[:1])
        or says_unknown(given)
        or says_unknown(sur)
        or without_digits("".join(words)) in NO_NAME
        or NOT_AVAILABLE in {tuple(given), tuple(sur)}
        or NO_WORDS.issuperset(words)
        or max(map(len, words)) == 1
        or len(set("".join(words))) == 1
        or ("".join(sur) in NOBODYS and not NOBODY.isdisjoint({*given[:1], "".join(given)}))
    )


def says_unknown(words: Collection[str]) -> bool:
    """Whether the words of a part of a name say that it is not known; of several, all that are typed for none."""
    return without_digits("".join(words)) in NO_NAME or (len(words) > 1 and NOTHING_SAID.issuperset(words))


def without_digits(word: str) -> str:
    """Return a word without the digits around it: UNKNOWN of UNKNOWN1."""
    return word.strip("0123456789")
