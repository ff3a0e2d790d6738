"""Reads a TOML text as a struct and reports every fault of it in one go.

The struct types alone say what is allowed: their fields are the keys, the types
of the fields with their limits the values. A table with one required key may be
written as that key's text alone: `name = "Contact"` for `name = { en = "Contact" }`.

What cannot be read becomes UNSET, so that rules about the rest can still be checked.
"""

import re
import tomllib
from typing import Any

import msgspec
from msgspec import UNSET, inspect

from domain.toml.lines import KeyPath
from domain.toml.problems import Report, did_you_mean, listed, nearest, shown

Table = dict[str, Any]
"""A table that has been read: a key is absent, or has a valid value, or is UNSET."""


def read_table(text: str, where: str, struct: type[msgspec.Struct]) -> tuple[Table, Report]:
    """The table that `text` holds, and what is wrong with it as a `struct`.

    Without errors in the report, the table converts to the struct. The table is
    empty when the text is not TOML, and the report says where it ceases to be.
    """
    try:
        text.encode()
        data = tomllib.loads(text)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        return {}, _unreadable(where, text, line, "The text is not Unicode; allowed is UTF-8.")
    except tomllib.TOMLDecodeError as error:
        return {}, _not_toml(where, text, str(error))
    except RecursionError:
        return {}, _unreadable(
            where, text, None, "Lists or tables are nested too deeply to be read."
        )
    except ValueError as error:
        return {}, _unreadable(where, text, None, f"A value cannot be read: {error}.")
    report = Report(where, text)
    table = _Reader(report).read(data, inspect.type_info(struct), ())
    assert isinstance(table, dict), "the top of a TOML text is a table"
    return table, report


def known(table: Table, key: str, default: Any = None) -> Any:
    """The valid value of a key, `default` when it is absent, None when it is UNSET."""
    value = table.get(key, default)
    return None if value is UNSET else value


def _not_toml(where: str, text: str, error: str) -> Report:
    reason = re.sub(r" \(at [^()]*\)$", "", error)
    found = re.search(r"\(at line (\d+)[^()]*\)$", error)
    line = int(found.group(1)) if found else text.rstrip().count("\n") + 1
    return _unreadable(where, text, line, f"The text is not valid TOML: {reason}.")


def _unreadable(where: str, text: str, line: int | None, message: str) -> Report:
    report = Report(where, text)
    report.unreadable(line, message)
    return report


class _Reader:
    """Walks a value and its type side by side. Reading gives plain data, or UNSET."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def read(self, value: Any, kind: inspect.Type, path: KeyPath) -> Any:
        kind = _without_none(kind)
        match kind:
            case inspect.StructType():
                return self._read_struct(value, kind, path)
            case inspect.VarTupleType():
                return self._read_list(value, kind, path)
            case inspect.DictType():
                return self._read_free_keys(value, kind, path)
            case _:
                return self._read_leaf(value, kind, path)

    def _read_leaf(self, value: Any, kind: inspect.Type, path: KeyPath) -> Any:
        fault = _fault(value, kind)
        if fault is None:
            return value
        return self._refuse(path, fault, kind, _correction(value, kind))

    def _read_list(self, value: Any, kind: inspect.VarTupleType, path: KeyPath) -> Any:
        if not isinstance(value, list):
            return self._refuse(path, f"is {shown(value)}", kind)
        if not _is_within(len(value), kind.min_length, kind.max_length):
            self._refuse(path, f"has {len(value)} elements", kind)
        return [
            self.read(element, kind.item_type, (*path, index))
            for index, element in enumerate(value)
        ]

    def _read_free_keys(self, value: Any, kind: inspect.DictType, path: KeyPath) -> Any:
        """A table whose keys are the writer's own."""
        if not isinstance(value, dict):
            return self._refuse(path, f"is {shown(value)}", kind)
        return {
            key: self.read(element, kind.value_type, (*path, key)) for key, element in value.items()
        }

    def _read_struct(self, value: Any, kind: inspect.StructType, path: KeyPath) -> Any:
        only = _only_required(kind)
        if isinstance(value, str) and only is not None:
            text = self.read(value, only.type, path)
            return UNSET if text is UNSET else {only.name: text}
        if not isinstance(value, dict):
            return self._refuse(path, f"is {shown(value)}", kind)
        table = self._guess_unknown_keys(value, kind, path)
        for field in kind.fields:
            at = (*path, field.name)
            if field.name in value:
                table[field.name] = self.read(value[field.name], field.type, at)
            elif field.required and field.name not in table:
                self._report.error(at, f"is missing; write {_allowed(field.type, at)}.")
                table[field.name] = UNSET
        return table

    def _guess_unknown_keys(self, value: Table, kind: inspect.StructType, path: KeyPath) -> Table:
        """Report unknown keys. The absent keys that they were probably meant to be are UNSET."""
        names = [field.name for field in kind.fields]
        meant: Table = {}
        for key in [key for key in value if key not in names]:
            absent = [name for name in names if name not in value]
            hint = did_you_mean(key, absent)
            message = f"is not a known key; allowed are {', '.join(names)}.{hint}"
            self._report.error((*path, key), message)
            if hint:
                meant[str(nearest(key, absent))] = UNSET
        return meant

    def _refuse(self, path: KeyPath, fault: str, kind: inspect.Type, correction: str = "") -> Any:
        self._report.error(path, f"{fault}; allowed is {_allowed(kind, path)}.{correction}")
        return UNSET


def _fault(value: Any, kind: inspect.Type) -> str | None:
    """What is wrong with a value that is not a list or table."""
    match kind:
        case inspect.StrType():
            if isinstance(value, str) and not value.strip():
                return "is empty"
            if isinstance(value, str) and not _is_within(
                len(value), kind.min_length, kind.max_length
            ):
                return f"has {len(value):,} characters"
            is_valid = isinstance(value, str)
        case inspect.IntType():
            is_number = isinstance(value, int) and not isinstance(value, bool)
            is_valid = is_number and abs(value) < 2**63 and _is_within(value, kind.ge, kind.le)
        case inspect.EnumType():
            is_valid = isinstance(value, str) and value in _choices(kind)
        case inspect.BoolType():
            is_valid = isinstance(value, bool)
        case _:
            raise TypeError(f"no TOML value is read as {kind}")
    return None if is_valid else f"is {shown(value)}"


def _correction(value: Any, kind: inspect.Type) -> str:
    if isinstance(kind, inspect.EnumType) and isinstance(value, str):
        return did_you_mean(value, _choices(kind))
    return ""


def _allowed(kind: inspect.Type, path: KeyPath) -> str:
    """What may stand at `path`, in words."""
    kind = _without_none(kind)
    match kind:
        case inspect.StructType():
            keys = f"a table with the keys {', '.join(field.name for field in kind.fields)}"
            return keys if _only_required(kind) is None else f"a text, or {keys}"
        case inspect.VarTupleType(item_type=inspect.StructType() as item) if (
            _only_required(item) is None
        ):
            header = ".".join(part for part in path if isinstance(part, str))
            span = _span(kind.min_length, kind.max_length)
            return f"{span} tables, each under [[{header}]]".lstrip()
        case inspect.VarTupleType():
            return f"a list, each element {_allowed(kind.item_type, path)}"
        case inspect.DictType():
            return f"a table with keys of your own, each value {_allowed(kind.value_type, path)}"
        case inspect.StrType():
            span = _span(kind.min_length, kind.max_length)
            return f"a text of {span} characters" if span else "a text"
        case inspect.IntType():
            span = _span(kind.ge, kind.le)
            return f"a whole number, {span}" if span else "a whole number"
        case inspect.EnumType():
            return f"one of {listed(_choices(kind))}"
        case _:
            return "true or false"


def _span(low: int | None, high: int | None) -> str:
    if high is None:
        return "" if low is None else f"{low} or more"
    return f"{low or 0} to {high}"


def _is_within(number: int, low: int | None, high: int | None) -> bool:
    return (low is None or low <= number) and (high is None or number <= high)


def _choices(kind: inspect.EnumType) -> list[str]:
    return [str(member.value) for member in kind.cls]


def _only_required(kind: inspect.StructType) -> inspect.Field | None:
    required = [field for field in kind.fields if field.required]
    return required[0] if len(required) == 1 else None


def _without_none(kind: inspect.Type) -> inspect.Type:
    """An optional key is left out in TOML, which has no null."""
    if not isinstance(kind, inspect.UnionType):
        return kind
    types = [option for option in kind.types if not isinstance(option, inspect.NoneType)]
    assert len(types) == 1, f"one type per key, not {types}"
    return types[0]
