"""The API's OpenAPI 3.1 page, generated from the kinds: one path for each, with the schema of its body.

Source: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from protocol import body as bodies
from protocol.body import Field
from protocol.practice import Kind
from protocol.practices import KINDS, PRACTICE_OF, PRACTICES

_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?$"
_ID = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_ERROR = {
    "description": "Refused: the sentence says which field and what to do.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


def document(version: str) -> dict[str, Any]:
    """The whole page."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Archipelago node",
            "version": version,
            "description": "One collective's node. Money is decimal text, ids are hexadecimal, instants ISO 8601 in UTC.",
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "paths": {**_reading(), **{f"/api/v1/records/{kind.name}": _writing(kind) for kind in KINDS.values()}},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
                "Placed": {
                    "type": "object",
                    "required": ["digest", "position", "logged_ms"],
                    "properties": {"digest": _ID, "position": {"type": "integer"}, "logged_ms": {"type": "integer"}},
                },
                **{_name(kind): schema(_fields(kind)) for kind in KINDS.values()},
            },
        },
    }


def schema(fields: tuple[Field, ...]) -> dict[str, Any]:
    """The JSON Schema of a body's fields as members write them."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in fields if field.required],
        "properties": {field.name: _field(field) for field in fields},
    }


def _field(field: Field) -> dict[str, Any]:
    one = _one(field)
    if field.many:
        one = {"type": "array", "items": one, "maxItems": bodies.MAX_ROWS}
    told = {"title": field.label, "description": field.help, **one}
    if field.example and not field.many and not field.inner:
        told["examples"] = [int(field.example) if told.get("type") == "integer" and field.example.isdigit() else field.example]
    return told


def _one(field: Field) -> dict[str, Any]:
    if field.inner:
        return schema(field.inner)
    if field.choices:
        return {"enum": list(field.choices)}
    if field.type is bytes:
        if field.widget in ("space", "spaces"):
            return {"type": "string", "pattern": "^([0-9a-f]{64}|isle:[a-z2-7]{52})$"}
        return dict(_ID) if field.least == 32 else {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
    if field.type is bool:
        return {"type": "boolean"}
    if field.type is int:
        if field.widget == "money":
            return {"type": "string", "pattern": r"^[+-]?[0-9]{1,12}([.,][0-9]{1,2})?$"}
        if field.widget == "instant":
            return {"type": "string", "pattern": _INSTANT}
        return _within({"type": "integer"}, field, "minimum", "maximum")
    text = _within({"type": "string"}, field, "minLength", "maxLength")
    if field.required and field.erasable:
        text.setdefault("minLength", 1)
    return {**text, "pattern": field.pattern} if field.pattern else text


def _within(told: dict[str, Any], field: Field, least: str, most: str) -> dict[str, Any]:
    if field.many:
        return told
    if field.least is not None:
        told[least] = field.least
    if field.most is not None:
        told[most] = field.most
    return told


def _fields(kind: Kind[Any]) -> tuple[Field, ...]:
    body: type[Struct] = kind.body
    return bodies.fields(body)


def _name(kind: Kind[Any]) -> str:
    return kind.name.replace("/", ".")


def _writing(kind: Kind[Any]) -> dict[str, Any]:
    return {
        "post": {
            "operationId": "write." + _name(kind),
            "summary": kind.title,
            "description": " ".join(part for part in (kind.help, kind.consequence) if part),
            "tags": [PRACTICE_OF[kind.name].name],
            "security": [{"token": []}],
            "parameters": [
                {
                    "name": "audience",
                    "in": "query",
                    "schema": {"enum": ["public", "allies", "members"]},
                    "description": "Narrower than the kind's own audience, never wider.",
                }
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{_name(kind)}"}}},
            },
            "responses": {
                "201": _answer("Written, and durable.", {"$ref": "#/components/schemas/Placed"}),
                "400": _ERROR,
                "401": _ERROR,
                "403": _ERROR,
                "413": _ERROR,
                "422": _ERROR,
            },
        }
    }


def _reading() -> dict[str, Any]:
    digest = {"name": "digest", "in": "path", "required": True, "schema": _ID}
    practice = {"name": "practice", "in": "path", "required": True, "schema": {"enum": [each.name for each in PRACTICES]}}
    paging = [
        {"name": "start", "in": "query", "schema": {"type": "integer", "minimum": 0}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000}},
    ]
    return {
        "/api/v1/status": _get("status", "How this node stands", [], {}),
        "/api/v1/kinds": _get("kinds", "The kinds of record and their fields", [], {}),
        "/api/v1/log": _get("log", "Entries of this space's log", paging, {}),
        "/api/v1/records/{digest}": _get("record", "One record, what it says and where it stands", [digest], {"404": _ERROR}),
        "/api/v1/receipts/{digest}": _get("receipt", "A record's receipt", [digest], {"404": _ERROR}, "text/plain"),
        "/api/v1/practices/{practice}": _get("practice", "A practice's page as blocks", [practice], {"404": _ERROR}),
    }


def _get(
    name: str, summary: str, parameters: list[dict[str, Any]], more: Mapping[str, Any], kind: str = "application/json"
) -> dict[str, Any]:
    answers = {"200": _answer("As asked.", {}, kind), "400": _ERROR, "401": _ERROR, "403": _ERROR, **more}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": parameters,
            "security": [{"token": []}],
            "responses": answers,
        }
    }


def _answer(description: str, told: Mapping[str, Any], kind: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": dict(told)}}}
