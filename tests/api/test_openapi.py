"""The OpenAPI document: complete, typed, and as it was released."""

import json
from typing import Any

import msgspec
import pytest

from api.openapi import field_docs
from api.wire.deals import Deal
from domain.stages.facts import ForecastRevised
from domain.values import Value
from tests.api.serving import serving
from tests.golden.openapi import GOLDEN, document, rendered

DOCUMENT = document()
STANDARD = {"/v1/events", "/v1/events/stream"}
"""What has a form that others have set: CloudEvents."""
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def test_it_is_as_it_was_released() -> None:
    assert GOLDEN.read_text(encoding="utf-8") == rendered(), (
        "renew it with: python -m tests.golden.openapi"
    )


def test_it_is_openapi_3_1_and_speaks_of_this_product() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert DOCUMENT["info"]["title"] == "dealstate"


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_route_has_words_a_typed_answer_and_problems(path: str) -> None:
    for operation in DOCUMENT["paths"][path].values():
        assert operation["description"]
        told = operation["responses"]
        done = [one for status, one in told.items() if status in {"200", "201", "204"}]
        for kinds in (one.get("content", {}) for one in done):
            assert kinds or "204" in told
            if "application/json" in kinds and path not in STANDARD:
                answer = kinds["application/json"]["schema"]
                assert answer["$ref"].rpartition("/")[2] in SCHEMAS
        assert done
        wrong = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert wrong == {"$ref": "#/components/schemas/Problem"}
        assert all(parameter.get("description") for parameter in operation.get("parameters", []))


def test_every_reference_leads_to_a_schema() -> None:
    text = json.dumps(DOCUMENT)
    wanted = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert wanted <= set(SCHEMAS)
    assert "HTTPValidationError" not in SCHEMAS


def test_every_schema_has_words() -> None:
    assert [name for name, schema in SCHEMAS.items() if not schema.get("description")] == []


def test_the_words_below_a_field_are_its_description() -> None:
    assert field_docs(Deal)["probability"] == "Per cent."
    assert SCHEMAS["Deal"]["properties"]["probability"]["description"] == "Per cent."
    assert field_docs(ForecastRevised)["probability"] == "Overrides the stage's probability."
    reference = SCHEMAS["Deal"]["properties"]["amount"]["description"]
    assert reference.startswith("The contract value once won")


def test_times_are_described_as_such() -> None:
    opened = SCHEMAS["Deal"]["properties"]["opened_at"]
    assert (opened["type"], opened["format"]) == ("string", "date-time")


def test_keys_are_snake_case() -> None:
    for name, schema in SCHEMAS.items():
        for key in schema.get("properties", {}):
            assert key == key.lower().replace("-", "_"), (name, key)


def _below(base: type[Value]) -> set[type[Value]]:
    """The values that facts hold, at any depth of inheritance."""
    values = set(base.__subclasses__())
    return values.union(*(_below(value) for value in values))


def _bodies() -> set[str]:
    """What requests send, and what is in it: there, a key may be left out."""
    operations = [one for path in DOCUMENT["paths"].values() for one in path.values()]
    contents = [one["requestBody"]["content"] for one in operations if "requestBody" in one]
    schemas = [kind["schema"] for content in contents for kind in content.values()]
    found, wanted = set[str](), [json.dumps(schemas)]
    while wanted:
        named = {one.partition('"')[0] for one in wanted.pop().split("#/components/schemas/")[1:]}
        wanted += [json.dumps(SCHEMAS[name]) for name in named - found]
        found |= named
    return found


def test_an_answer_leaves_no_key_out() -> None:
    """Only facts, which show their stored form, and problems leave keys out."""
    stored = {name for name, schema in SCHEMAS.items() if "type" in schema.get("properties", {})}
    values = {value.__name__ for value in _below(Value)}
    exempt = stored | values | _bodies() | {"Problem"}
    for name, schema in SCHEMAS.items():
        if "properties" in schema and name not in exempt:
            assert schema["required"] == list(schema["properties"]), name


def test_a_struct_of_the_wire_has_no_default() -> None:
    assert all(field.required for field in msgspec.structs.fields(Deal))


def _is_limited(schema: dict[str, Any]) -> bool:
    """Whether what may be sent for a parameter has an end."""
    if "anyOf" in schema:
        return all(_is_limited(part) for part in schema["anyOf"])
    match schema.get("type"):
        case "string":
            return bool(schema.keys() & {"maxLength", "enum", "const", "format", "pattern"})
        case "integer" | "number":
            return bool(schema.keys() & {"maximum", "exclusiveMaximum"})
        case _:
            return True


def test_every_parameter_has_a_limit() -> None:
    endless = {
        f"{parameter['in']} {parameter['name']} of {method.upper()} {path}"
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        for parameter in operation.get("parameters", [])
        if not _is_limited(parameter["schema"])
    }
    assert endless == set()


def test_every_limit_of_a_text_is_kept_to(small_store: str) -> None:
    with serving(small_store) as client:
        for path, methods in DOCUMENT["paths"].items():
            given = methods.get("get", {}).get("parameters", [])
            texts = [one["name"] for one in given if one["in"] == "query"]
            if path.startswith("/v1/") and "{" not in path and "stream" not in path:
                for name in texts:
                    answer = client.get(path, params={name: "9" * 5_000})
                    assert answer.status_code == 422, (path, name, answer.text[:200])
