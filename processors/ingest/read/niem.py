"""
Navigate a NIEM document of any version from 2 to 6: references, augmentations, dates.

Elements are found by local name, whatever their namespace. An element refers to another by `structures:ref` or
`structures:uri` (`ref="x"` and `uri="#x"` mean the same), with or without the suffix Reference in its name and with or
without `xsi:nil`; objects with the same URI are one object. Properties that an augmentation adds count as the augmented
object's own. Only children are properties: deeper elements belong to something else.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import urljoin

from lxml import etree

from processors.domain.normalize import without_invisible
from processors.ingest.read.rejection import Rejection, quote

Element = etree._Element  # noqa: SLF001 - lxml gives its element type no public name

XSI_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
XML_BASE: Final = "{http://www.w3.org/XML/1998/namespace}base"
# The attributes by which elements name themselves and refer to others. Attributes of these names without a namespace count only
# if the document has none with one.
NAMING: Final = frozenset({"id", "ref", "uri"})
# The elements that may stand for a date (substitution group of nc:DateRepresentation), the most exact first.
DATES: Final = ("DateTime", "ZonedDateTime", "ZuluDateTime", "Date", "YearMonthDate", "YearDate", "DateRepresentation")

# How many elements all references together may lead to: many references to one large object would be many times its size.
MAX_FOLLOWED: Final = 500_000

NOT_SEARCHED: Final = re.compile("Person|Contact")  # elements whose content belongs to somebody
_ESCAPED: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def _unescape(escaped: re.Match[str]) -> str:
    """Return the characters that are percent-encoded in a URI."""
    return bytes.fromhex(escaped[0].replace("%", "")).decode("utf-8", "replace")


@lru_cache(4096)
def local_name(name: str | bytes) -> str:
    """Return a tag or attribute name without its namespace."""
    return str(name).rpartition("}")[2]


@lru_cache(4096)
def base_name(name: str | bytes) -> str:
    """Return a tag's local name without the suffix of a reference."""
    return local_name(name).removesuffix("Reference")


def text_of(element: Element | None) -> str | None:
    """Return the element's own text with single blanks and no invisible characters; None if there is none."""
    return (plain(element.text or "") or None) if element is not None else None


def plain(text: str) -> str:
    return " ".join(without_invisible(text).split())


def has_content(element: Element) -> bool:
    """Whether the element has content of its own; a nil or empty one can only refer to another."""
    return attribute_is_true(element.get(XSI_NIL)) is False and (len(element) > 0 or text_of(element) is not None)


def attribute_is_true(value: str | None) -> bool:
    return value is not None and value.strip() in {"true", "1"}


def owner(element: Element) -> Element | None:
    """Return the element of which this one is a property; an augmentation's belong to what it augments."""
    return next((each for each in element.iterancestors() if not local_name(each.tag).endswith("Augmentation")), None)


def join_uri(base: str | None, uri: str) -> str:
    """Return the absolute URI that a relative one means; unchanged if there is no base, or if either is no URI."""
    try:
        return urljoin(base or "", uri)
    except ValueError:
        return uri


class NiemDocument:
    """The elements of one document, by local name and by the names that references use."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.named: dict[str, list[Element]] = defaultdict(list)
        self._ids: dict[str, Element] = {}
        self._objects: dict[str, list[Element]] = defaultdict(list)
        self._doubled: str | None = None
        self._attributed: list[Element] = []
        attributes = {name for each in root.iter() for name, _ in each.items()}
        self._structural = {name for name in attributes if "}" in str(name) and local_name(name) in NAMING} or NAMING
        self._followed = 0
        self._based = XML_BASE in attributes
        self._uris_of_ids: dict[str, str] = {}
        for element in root.iter():
            self.named[local_name(element.tag)].append(element)
            if element.items():
                self._attributed.append(element)
                if identity := self._attribute(element, "id"):
                    self._doubled = identity if identity in self._ids else self._doubled
                    self._ids[identity] = element
                    if self._based:
                        self._uris_of_ids[join_uri(element.base, f"#{identity}")] = f"#{identity}"
        for element in self._attributed:
            if has_content(element) or self._attribute(element, "id"):
                for key in self._keys(element):
                    self._objects[key].append(element)

    def _attribute(self, element: Element, name: str) -> str | None:
        """Return the attribute with this local name that NIEM defines, without blanks around it."""
        found = (value for key, value in element.items() if local_name(key) == name and key in self._structural)
        return next((plain(str(value)) for value in found), None)

    def _keys(self, element: Element) -> list[str]:
        """Return the names by which an element is referred to: `#x` for its id, and its URI."""
        identity, uri = self._attribute(element, "id"), self._uri(element)
        return list(dict.fromkeys([*([f"#{identity}"] if identity else []), *([uri] if uri else [])]))

    def _uri(self, element: Element) -> str | None:
        """Return the URI of an element, as `#id` if it is that of an id in the document; a relative one depends on `xml:base`."""
        uri = self._attribute(element, "uri")
        if not uri or uri in self._ids:
            return f"#{uri}" if uri else None
        whole = uri if uri.startswith("#") or not self._based else join_uri(element.base, uri)
        return self._uris_of_ids.get(whole, whole)

    def target(self, element: Element) -> str | None:
        """Return what the element refers to, as `#id` or as a URI; None if it refers to nothing."""
        reference = self._attribute(element, "ref")
        if reference:
            return f"#{reference.removeprefix('#')}"
        uri = self._uri(element)
        return _ESCAPED.sub(_unescape, uri) if uri and uri.startswith("#") else uri

    def key(self, element: Element) -> str | None:
        """Return the one name of the object that this element is or refers to, which may have an id and a URI."""
        target = self.target(element)
        first = next(iter(self._objects.get(target, ())), element) if target else element
        return next(iter(self._keys(first)), target)

    def resolve(self, element: Element) -> list[Element]:
        """Return the element itself if it has content, otherwise the elements that it refers to."""
        if has_content(element):
            return [element]
        target = self.target(element) if element.items() else None
        found = [each for each in self._objects.get(target, ()) if each is not element] if target else []
        self._followed += sum(map(len, found))
        if self._followed > MAX_FOLLOWED:
            raise Rejection("too_complex", f"The references of the XML lead to more than {MAX_FOLLOWED} elements.")
        return found

    def members(self, element: Element, reached: set[Element] | None = None) -> Iterator[Element]:
        """Yield the element's properties: its children and those of its augmentations, each augmentation once."""
        for child in element:
            if not local_name(child.tag).endswith("Augmentation"):
                yield child
                continue
            reached = set() if reached is None else reached
            found = [each for each in self.resolve(child) if each not in reached]
            reached.update(found)
            for each in found:
                yield from self.members(each, reached)

    def children(self, element: Element, name: str) -> Iterator[Element]:
        """Yield the properties of this name; references are followed."""
        if self.has(name):
            for each in self.members(element):
                if base_name(each.tag) == name:
                    yield from self.resolve(each)

    def nearest(self, element: Element, name: str) -> list[Element]:
        """Return the properties of this name; if there are none, the deeper elements of this name."""
        if not self.has(name):
            return []
        found = list(self.children(element, name))
        return found or [each for each in element.iterdescendants() if local_name(each.tag) == name and has_content(each)]

    def descendants_named(self, element: Element, name: str) -> list[Element]:
        """Return the elements of this name at any depth within an element, references followed, except within people and contacts."""
        reached, found = {element}, [element]
        for each in found:
            referring = (inner for inner in each.iter() if not has_content(inner) and not NOT_SEARCHED.search(local_name(inner.tag)))
            further = [other for inner in referring for other in self.resolve(inner) if other not in reached]
            reached.update(further)
            found += further
        return [inner for each in found for inner in each.iter() if local_name(inner.tag) == name and has_content(inner)]

    def has(self, name: str) -> bool:
        """Whether any element of the document has this name, or refers to something that has."""
        return name in self.named or f"{name}Reference" in self.named

    def elements_named(self, name: str) -> list[Element]:
        """Return the elements of this name, with or without the suffix of a reference."""
        return self.named.get(name, []) + self.named.get(f"{name}Reference", [])

    def elements_with_content(self, name: str) -> list[Element]:
        """Return the elements of this name that have content, anywhere in the document."""
        return [each for each in self.named.get(name, ()) if has_content(each)]

    def text(self, element: Element | None, *path: str) -> str | None:
        """Return the first text found along a path of properties."""
        if element is None or not path:
            return text_of(element)
        return next((text for each in self.children(element, path[0]) if (text := self.text(each, *path[1:]))), None)

    def date(self, element: Element) -> str | None:
        """Return the date that an element holds, in whichever representation, or its own text."""
        return next((text for name in DATES if (text := self.text(element, name))), None) or text_of(element)

    def check_references(self) -> None:
        """Reject two elements with one id, and a reference to an id that no element has."""
        if self._doubled is not None:
            raise Rejection("doubled_reference", f"Two elements carry the id {quote(self._doubled)}.")
        for element in self._attributed:
            target = self.target(element)
            if target is not None and target.startswith("#") and target not in self._objects:
                detail = f"{quote(local_name(element.tag))} refers to the id {quote(target[1:])}, which is not the id of any element."
                raise Rejection("dangling_reference", detail)
