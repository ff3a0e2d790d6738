"""What CloudEvents 1.0.2 asks of an event in its JSON format, as a JSON Schema.

Written from the text of the specification: "Context Attributes", "Type System" and "Naming
Conventions" of cloudevents/spec.md, and "Envelope" of cloudevents/formats/json-format.md.
"""

from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

# Type System, String: no control characters, no noncharacters. Surrogates cannot be in JSON here.
_STRING = {
    "type": "string",
    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f\\ufdd0-\\ufdef\\ufffe\\uffff]*$",
}
_FILLED = {**_STRING, "minLength": 1}

# RFC 3339, section 5.6, as far as a pattern can tell; the months are left to whoever reads them.
_TIMESTAMP = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$",
}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": _FILLED,
        # RFC 3986, section 4.1: the characters of a URI reference.
        "source": {
            **_FILLED,
            "pattern": r"^([A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$",
        },
        "type": _FILLED,
        "subject": _FILLED,
        "time": _TIMESTAMP,
        # RFC 2046 by RFC 6838, section 4.2.
        "datacontenttype": {
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$",
        },
        "dataschema": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:"},
        "data": True,
        "data_base64": {"type": "string", "contentEncoding": "base64"},
    },
    # Naming Conventions: lower-case letters and digits, and better no more than 20 of them.
    "patternProperties": {
        "^(?!data$|data_base64$|[a-z0-9]{1,20}$)": False,
    },
    # Type System: what extensions may be. Integers have 32 bits.
    "additionalProperties": {
        "oneOf": [
            {"type": "boolean"},
            {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
            _STRING,
        ]
    },
    "not": {"required": ["data", "data_base64"]},
}

Draft202012Validator.check_schema(SCHEMA)
_VALIDATOR = Draft202012Validator(SCHEMA)


def faults(event: object) -> list[str]:
    """What of an event is not as the specification asks."""
    return [error.message for error in _VALIDATOR.iter_errors(event)]
