"""Whose data a fact holds, as the names of the keys it is encrypted under.

Theory of operation. A personal field is encrypted under the key of each person
it speaks of, so that destroying one key is enough to forget. Whom it speaks of
is told in two ways. The fields that name people (`Fact.personal`) give the outer
keys, which stand openly beside the ciphertext: they follow from the public part
of the fact alone. The names that occur in its text give the inner keys, which
stand nowhere in the open: who is named in a secret is secret too. A field that
names nobody, and each secret one, has the key of its stream: `deal:<deal>`, or
`user:<user>` in the directory. A customer's person has the key
`person:<person>`, the same on every deal, else `stakeholder:<deal>/<id>`.

To tell this, the names of people and who took part in contacts must be known.
`Subjects` gathers them in order of recording, withdrawn events included: whoever
was named once is protected.
"""

import re
from collections.abc import Mapping
from enum import Enum
from functools import cache, cached_property
from typing import Any
from unicodedata import normalize

import msgspec
from msgspec import UNSET

from domain.history import WITHHELD, Fact
from domain.people.facts import ContactMade, StakeholderIdentified, StakeholderRevised

JOINED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
"""Kana, Hanzi and Hangul: no blank tells where a name ends."""
_WORD = re.compile(rf"[^\W\d_{JOINED}]+")
_JOINED_NAME = re.compile(rf"[{JOINED}]{{2,}}")
_SHORTEST_PART = 3
_SHORTEST_NAME = 2

_OWN_NAME = "name"
"""The field of a name is its bearer's alone, whoever else shares a part of the name."""


_TELLING = frozenset({StakeholderIdentified, StakeholderRevised, ContactMade})
"""The types of fact that tell who may be spoken of."""


class EncryptedField(msgspec.Struct, frozen=True, gc=False):
    """A field that is to be encrypted, and the names of the keys for it, sorted."""

    name: str
    outer: tuple[str, ...]
    """Never empty; may be known to whoever reads the log."""
    inner: tuple[str, ...] = ()
    """None of the outer ones; to be known to nobody without them."""


class Subject(msgspec.Struct, frozen=True, dict=True):
    """One of the customer's people on a deal, as far as it takes to find their data."""

    person: str | None = None
    """The same human being across deals, as known now."""
    persons: tuple[str, ...] = ()
    """Everyone they were ever taken for."""
    names: tuple[str, ...] = ()
    """Every name they ever had."""

    @cached_property
    def parts(self) -> tuple[frozenset[str], frozenset[str]]:
        """The words that mean them where they stand alone, and characters wherever they stand."""
        composed = [normalize("NFC", name) for name in self.names]
        return (
            frozenset(word for name in composed for word in _words_of(name)),
            frozenset(phrase for name in composed for phrase in _phrases_of(name)),
        )


class Subjects(msgspec.Struct, frozen=True, dict=True):
    """Who may be spoken of on one deal."""

    stakeholders: Mapping[str, Subject] = {}
    """By stakeholder id."""
    contacts: Mapping[str, tuple[str, ...]] = {}
    """By contact id: the stakeholders who took part."""

    def after(self, fact: Fact) -> "Subjects":
        """What is known once `fact` is recorded. Total; not for folding in order of occurrence."""
        if type(fact) not in _TELLING:
            return self
        match fact:
            case StakeholderIdentified(id=one, name=name, person=person):
                return self._known(one, name, person)
            case StakeholderRevised(stakeholder=one, name=name, person=person):
                if one in self.stakeholders:
                    return self._known(one, name, person)
            case ContactMade(id=contact, their_people=people):
                return self._met(contact, people)
            case _:
                pass
        return self

    def _met(self, contact: str, people: tuple[str, ...]) -> "Subjects":
        before = self.contacts.get(contact)
        after = tuple(dict.fromkeys((*(before or ()), *people)))
        if after == before:
            return self
        return Subjects(self.stakeholders, {**self.contacts, contact: after})

    def _known(self, stakeholder: str, name: Any, person: Any) -> "Subjects":
        """With what is said of a stakeholder; UNSET says nothing."""
        before = self.stakeholders.get(stakeholder, Subject())
        current = before.person if person is UNSET else person
        persons = dict.fromkeys((*before.persons, current))
        names = before.names if name is UNSET or name in WITHHELD else (*before.names, name)
        after = Subject(
            person=current,
            persons=tuple(one for one in persons if one is not None),
            names=tuple(dict.fromkeys(names)),
        )
        if after == before and stakeholder in self.stakeholders:
            return self
        return Subjects({**self.stakeholders, stakeholder: after}, self.contacts)

    def keys_of(self, stakeholder: str, stream: str) -> tuple[str, ...]:
        """The names of all keys that ever were a stakeholder's on the deal, sorted."""
        subject = self.stakeholders.get(stakeholder, Subject())
        of_persons = (_key_of_person(person) for person in subject.persons)
        return tuple(sorted({_key_of_stakeholder(stakeholder, stream), *of_persons}))

    def stakeholders_of(self, person: str) -> tuple[str, ...]:
        """The ids of all stakeholders who were ever taken for this person."""
        return tuple(one for one, known in self.stakeholders.items() if person in known.persons)

    def key(self, stakeholder: str, stream: str) -> str:
        """The name of the key under which the data of a stakeholder is encrypted now."""
        person = self.stakeholders[stakeholder].person
        return (
            _key_of_stakeholder(stakeholder, stream) if person is None else _key_of_person(person)
        )

    def named_in(self, value: object) -> set[str]:
        """The stakeholders whose name, or a part of it, occurs in a text of `value`."""
        words, phrases = self._names
        named: set[str] = set()
        if not words and not phrases:
            return named
        for text in _texts(value):
            found = [word for word in words if word in text]
            for word in set(_WORD.findall(text)).intersection(found) if found else ():
                named |= words[word]
            for phrase, stakeholders in phrases.items():
                if phrase in text:
                    named |= stakeholders
        return named

    @cached_property
    def _names(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """Who is meant by a word that stands alone, and by characters wherever they stand."""
        words: dict[str, set[str]] = {}
        phrases: dict[str, set[str]] = {}
        for stakeholder, subject in self.stakeholders.items():
            alone, anywhere = subject.parts
            for word in alone:
                words.setdefault(word, set()).add(stakeholder)
            for phrase in anywhere:
                phrases.setdefault(phrase, set()).add(stakeholder)
        return words, phrases


def encrypted_fields(fact: Fact, stream: str, subjects: Subjects) -> tuple[EncryptedField, ...]:
    """The fields of `fact` that are to be encrypted, in order of declaration.

    `subjects` is what was known before the fact, or with it; it counts itself. Personal
    fields at their default are not written, and so not among them; secret ones always are.
    """
    marked = _marked(type(fact))
    if not marked:
        return ()
    known = subjects.after(fact)
    of_stream: tuple[str, ...] = (stream,)
    nobody: tuple[str, ...] = ()
    found = []
    for name, default, whose in marked:
        value = getattr(fact, name)
        outer, inner = of_stream, nobody
        if whose is not None:
            if value is UNSET or value == default:
                continue
            if whose:
                outer = _named_by(fact, whose, stream, known) or of_stream
        if name != _OWN_NAME and (named := known.named_in(value)):
            inner = tuple(sorted({known.key(one, stream) for one in named}.difference(outer)))
        found.append(EncryptedField(name, outer, inner))
    return tuple(found)


@cache
def _marked(fact_type: type[Fact]) -> tuple[tuple[str, Any, tuple[str, ...] | None], ...]:
    """Name and default of each field that is not public, and whose it is; None: secret."""
    return tuple(
        (field.name, field.default, fact_type.personal.get(field.name))
        for field in msgspec.structs.fields(fact_type)
        if field.name in fact_type.personal or field.name in fact_type.secret
    )


def _named_by(
    fact: Fact, whose: tuple[str, ...], stream: str, subjects: Subjects
) -> tuple[str, ...]:
    """The keys of the people whom these fields of the fact name, sorted."""
    keys = set()
    for field in whose:
        value = getattr(fact, field)
        if field == "contact":
            value = subjects.contacts.get(value, ())
        for one in value if isinstance(value, tuple) else (value,):
            if one in subjects.stakeholders:
                keys.add(subjects.key(one, stream))
    return tuple(sorted(keys))


def texts_in(fact: Fact) -> dict[str, list[str]]:
    """The texts of each field of a fact that is not public, but the name somebody is given."""
    return {
        name: texts
        for name, _, _ in _marked(type(fact))
        if name != _OWN_NAME and (texts := _texts(getattr(fact, name)))
    }


def key_linked_by(fact: Fact) -> str | None:
    """The name of the key of the person whom a fact takes a stakeholder for."""
    match fact:
        case StakeholderIdentified(person=str(person)) | StakeholderRevised(person=str(person)):
            return _key_of_person(person)
        case _:
            return None


def _key_of_person(person: str) -> str:
    return f"person:{person}"


def _key_of_stakeholder(stakeholder: str, stream: str) -> str:
    """A slash in the id of a deal is escaped: no two stakeholders ever share a name."""
    deal = stream.partition(":")[2].replace("%", "%25").replace("/", "%2F")
    return f"stakeholder:{deal}/{stakeholder}"


def _words_of(name: str) -> list[str]:
    """The words that give somebody away: long ones, and the only one there is."""
    words = _WORD.findall(name)
    shortest = _SHORTEST_NAME if len(words) == 1 else _SHORTEST_PART
    return [word for word in words if len(word) >= shortest]


def _phrases_of(name: str) -> list[str]:
    """The characters that give somebody away, whatever stands around them."""
    joined: list[str] = _JOINED_NAME.findall(name)
    words = list(_WORD.finditer(name))
    if words and not _words_of(name):
        # Short words give nobody away one by one, but do together.
        spoken = name[words[0].start() : words[-1].end()]
        return [*joined, spoken] if len(spoken) >= _SHORTEST_NAME else joined
    whole = len(name) >= _SHORTEST_NAME and not joined and not words
    return [name] if whole else joined


def _texts(value: object) -> list[str]:
    """Each text anywhere in a value of a field."""
    match value:
        case Enum():
            return []
        case str():
            return [normalize("NFC", value)]
        case tuple():
            return [text for one in value for text in _texts(one)]
        case msgspec.Struct():
            return [
                text for name in value.__struct_fields__ for text in _texts(getattr(value, name))
            ]
        case _:
            return []
