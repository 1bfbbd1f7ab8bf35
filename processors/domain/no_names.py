"""Placeholders that people type for an unknown name; a name made of them identifies nobody."""

from collections.abc import Collection, Sequence
from typing import Final

# Typed if there is no middle name.
NO_MIDDLE_NAME: Final = frozenset(
    {"nmn", "nmi", "nomiddle", "nomiddlename", "none", "null", "na", "unknown", "unk", "unkn", "tbd", "notgiven", "notknown", "ninguno"}
)
# A given name or surname that stands for an unknown one: first name unknown, last name unknown, no name known.
UNKNOWN_NAMES: Final = frozenset(
    {
        *("fnu", "lnu", "nfn", "nln", "unknown", "unk", "unkn", "noname", "notgiven", "notknown", "unidentified", "undisclosed"),
        *("desconocido", "desconocida", "inconnu", "unbekannt", "anonymous", "redacted", "undefined"),
        *("none", "tbd", "tba", "nan", "withheld", "refused", "sealed", "confidential"),
        *("unspecified", "notspecified", "notstated", "unkown", "unknwn", "unknow", "ukn", "tobedetermined", "donotuse"),
        *("deleted", "voided"),
        *("noidentificado", "noidentificada", "sinidentificar", "noconsta", "fulano", "fulana", "mengano", "mengana", "inconnue"),
        *("sansnom", "nmn", "nmi", "notonfile", "seealias", "seeaka", "seeremarks", "seenotes", "seebelow", "unabletoobtain"),
        *("unabletoidentify", "ignorado", "ignorada", "nosabe", "nosesabe", "notienenombre", "佚名", "无名氏"),
        *("desconhecido", "desconhecida", "semnome", "sconosciuto", "nieznany", "неизвестно", "不明", "無名氏", "seefile", "seeabove"),
        "asabove",
    }
)
# Each may be part of a real name, but nobody's name consists of these words alone.
PLACEHOLDER_WORDS: Final = frozenset(
    {
        *("na", "nan", "none", "null", "nil", "no", "not", "tbd", "tba", "blank", "empty", "test", "dummy", "fake", "placeholder"),
        *("name", "names", "named", "unnamed", "given", "first", "middle", "last", "firstname", "lastname", "middlename", "fullname"),
        *("surname", "initial", "available", "applicable", "provided", "known", "reported", "recorded", "entered", "listed", "stated"),
        *("refused", "declined", "withheld", "sealed", "expunged", "confidential", "restricted", "protected", "pending", "missing"),
        *("record", "identity", "person", "individual", "subject", "defendant", "offender", "inmate", "prisoner", "detainee", "arrestee"),
        *("suspect", "juvenile", "minor", "infant", "baby", "child", "boy", "girl", "male", "female", "man", "woman", "adult", "party"),
        *("white", "black", "hispanic", "specified", "duplicate", "sample", "tester", "alias", "aka", "anon", "nobody", "ref"),
        *("asdf", "qwer", "temp", "temporary", "delete", "void", "error", "invalid", "new", "booking", "hold"),
        *("qwerty", "fname", "lname", "prenom", "nome", "id"),
        *("sin", "nombre", "apellido", "ninguno", "ninguna", "dato", "datos", "keine", "angabe", "angaben", "nom", "aucun", "n", "a"),
    }
)
PLACEHOLDERS: Final = PLACEHOLDER_WORDS | UNKNOWN_NAMES
# John Doe: placeholder surnames with the given names used with them.
PLACEHOLDER_SURNAMES: Final = frozenset({"doe", "roe", "public"})
PLACEHOLDER_GIVEN_NAMES: Final = frozenset(
    {"john", "jane", "johnny", "janie", "juan", "juana", "baby", "babyboy", "babygirl", "infant", "jimmy"}
)


NOT_AVAILABLE: Final = ("n", "a")  # "N/A" in comparable form; Na is a surname


def is_placeholder_name(given: Sequence[str], sur: Sequence[str]) -> bool:
    """Whether a name, split into words in comparable form, is a placeholder."""
    words = [letters for each in (*given, *sur) if (letters := without_digits(each))]
    return (
        not words
        or says_unknown(given[:1])
        or says_unknown(given)
        or says_unknown(sur)
        or without_digits("".join(words)) in UNKNOWN_NAMES
        or NOT_AVAILABLE in {tuple(given), tuple(sur)}
        or PLACEHOLDER_WORDS.issuperset(words)
        or max(map(len, words)) == 1
        or len(set("".join(words))) == 1
        or ("".join(sur) in PLACEHOLDER_SURNAMES and not PLACEHOLDER_GIVEN_NAMES.isdisjoint({*given[:1], "".join(given)}))
    )


def says_unknown(words: Collection[str]) -> bool:
    """Whether one part of a name says that it is not known: an unknown name, or several words that are all placeholders."""
    return without_digits("".join(words)) in UNKNOWN_NAMES or (len(words) > 1 and PLACEHOLDERS.issuperset(words))


def without_digits(word: str) -> str:
    """Return a word without the digits around it: UNKNOWN1 becomes UNKNOWN."""
    return word.strip("0123456789")
