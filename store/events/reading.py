"""Events opened for an audience: what it may not see is never decrypted.

Whatever is worked out from events so opened (states, figures, words) holds
nothing else, so it has the same audience without a word about it.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec
from msgspec import inspect

from domain.access import EVERYTHING, PUBLIC_ONLY, Sensitivity
from domain.history import ERASED, HIDDEN, LOST, Fact, stored_name
from store.events.fields import Encrypted, FieldCipher, KeyErased, KeyLost, Place

_END = b"}}"
_ENCRYPTED = b'},"encrypted":'
_to_json = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, Encrypted]).decode
_decode_names = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class WithheldForm(msgspec.Struct, frozen=True):
    """What is read in place of a value that cannot be shown, as JSON; None: the field's default."""

    erased: bytes | None = None
    hidden: bytes | None = None
    lost: bytes | None = None

    @classmethod
    def of(cls, template: str | None) -> "WithheldForm":
        if template is None:
            return cls()
        return cls(*(template.replace(_WORD, word).encode() for word in (ERASED, HIDDEN, LOST)))


class FieldForm(msgspec.Struct, frozen=True):
    """How one field of a type of fact is kept and shown."""

    sensitivity: Sensitivity
    withheld: WithheldForm


_WORD = "\0"
_ANY_MEMBER = "other"
_OF_EARLIER_RELEASES = FieldForm(Sensitivity.SECRET, WithheldForm.of(f'"{_WORD}"'))
"""For fields that today's types do not have any more: as few people as possible see them."""


def field_forms(fact_type: type[Fact]) -> dict[str, FieldForm]:
    """The fields of a type that are not public, by their stored names.

    Raises TypeError where a field has no form in which it could be withheld.
    """
    info = inspect.type_info(fact_type)
    assert isinstance(info, inspect.StructType)
    forms = {}
    for field in info.fields:
        if field.name in fact_type.personal:
            sensitivity, template = Sensitivity.PERSONAL, _template(field.type)
        elif field.name in fact_type.secret:
            # Whether there is a secret at all is secret too, unless there always is one.
            sensitivity = Sensitivity.SECRET
            template = _template(field.type) if field.required else None
        else:
            continue
        if template is None and field.required:
            place = f"{stored_name(fact_type)}.{field.name}"
            raise TypeError(f"{place} is required, and nothing could stand for it, withheld")
        forms[field.encode_name] = FieldForm(sensitivity, WithheldForm.of(template))
    return forms


def _template(kind: inspect.Type) -> str | None:
    """JSON with the mark of a word for each text, None where the type holds more than texts.

    So it still shows that there is something: a way to reach somebody, a reason.
    """
    match kind:
        case inspect.StrType():
            return f'"{_WORD}"'
        case inspect.UnionType(types=types):
            return next((found for one in types if (found := _template(one)) is not None), None)
        case inspect.VarTupleType(item_type=item):
            found = _template(item)
            return None if found is None else f"[{found}]"
        case inspect.EnumType(cls=enum) if _ANY_MEMBER in {one.value for one in enum}:
            return f'"{_ANY_MEMBER}"'
        case inspect.StructType(fields=fields):
            parts = {one.encode_name: _template(one.type) for one in fields if one.required}
            if None in parts.values():
                return None
            return "{" + ",".join(f'"{name}":{part}' for name, part in parts.items()) + "}"
        case _:
            return None


def with_values(state: bytes, values: Mapping[str, bytes]) -> bytes:
    """The bytes of an event with more fields of its fact, as JSON by their stored names."""
    return _shown(state[: -len(_END)], values.items())


def with_encrypted(state: bytes, fields: Mapping[str, Encrypted]) -> bytes:
    """The bytes of an event, behind its fact the encrypted fields by their stored names."""
    return state[: -len(_END)] + _ENCRYPTED + _to_json(fields) + b"}"


class Reading:
    """Opens stored events for an audience, given as the sensitivities that it may see."""

    def __init__(self, cipher: FieldCipher | None, visible: Collection[Sensitivity]) -> None:
        self.visible = frozenset(visible)
        self.is_whole = self.visible == EVERYTHING
        """Whether nothing is hidden."""
        assert cipher is not None or self.visible <= PUBLIC_ONLY, "without keys nothing is opened"
        self._cipher = cipher

    def opened(
        self, stream: str, version: int, type_: str, state: bytes, forms: Mapping[str, FieldForm]
    ) -> bytes:
        """The bytes with what may be seen put in its place. Raises KeyMissing, ValueError."""
        head, found, tail = state.partition(_ENCRYPTED)
        if not found:
            return state
        if self._cipher is None:
            names = _decode_names(tail[:-1])
            return _shown(head, [(name, _form(name, forms).hidden) for name in names])
        shown: list[tuple[str, bytes | None]] = []
        for name, encrypted in _decode_fields(tail[:-1]).items():
            if not self.is_whole and not self._sees(name, forms):
                shown.append((name, _form(name, forms).hidden))
                continue
            try:
                place = Place(stream, version, type_, name)
                shown.append((name, self._cipher.decrypt(place, encrypted).value))
            except KeyErased:
                shown.append((name, _form(name, forms).erased))
            except KeyLost:
                shown.append((name, _form(name, forms).lost))
        return _shown(head, shown)

    def _sees(self, field: str, forms: Mapping[str, FieldForm]) -> bool:
        return forms.get(field, _OF_EARLIER_RELEASES).sensitivity in self.visible


def _form(field: str, forms: Mapping[str, FieldForm]) -> WithheldForm:
    return forms.get(field, _OF_EARLIER_RELEASES).withheld


def _shown(head: bytes, fields: Iterable[tuple[str, bytes | None]]) -> bytes:
    """The bytes of an event up to the end of its fact, with the fields of it that have a value."""
    parts = [head]
    for name, value in fields:
        if value is not None:
            parts += (b',"', name.encode(), b'":', value)
    parts.append(_END)
    return b"".join(parts)


PUBLIC = Reading(None, PUBLIC_ONLY)
"""What needs no key."""
