"""Text to tokens."""

from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import given, strategies as st

from drupe.errors import InvalidQuery
from drupe.search.lexer import TEXT_LENGTH_MAX, Source, Token, TokenKind

from .queries import unhurried


def one(text: str) -> Token:
    token, end = Source(text).tokens()
    assert end.kind is TokenKind.END
    return token


def raws(text: str) -> list[str]:
    return [token.raw for token in Source(text).tokens()]


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_a_blank_text_has_only_an_end(text: str) -> None:
    (end,) = Source(text).tokens()
    assert (end.kind, end.column) == (TokenKind.END, len(text))


@pytest.mark.parametrize(
    ("text", "head", "key", "is_quoted", "tail"),
    [
        ("status", "", "status", False, None),
        ("metrics.loss", "metrics", "loss", False, None),
        ("tags.mlflow.runName", "tags", "mlflow.runName", False, None),
        ("metrics.system/cpu-usage:mean", "metrics", "system/cpu-usage:mean", False, None),
        ("metrics.1", "metrics", "1", False, None),
        ("tags.é", "tags", "é", False, None),
        ("metrics.", "metrics", "", False, None),
        ("params.`a b`", "params", "a b", True, None),
        ('params."a b"', "params", "a b", True, None),
        ("params.'a b'", "params", "a b", True, None),
        ("params.`a'b\"c`", "params", "a'b\"c", True, None),
        ("metrics.`a.b`.min", "metrics", "a.b", True, "min"),
        ("metrics.``", "metrics", "", True, None),
        ("metrics.`a`.", "metrics", "a", True, ""),
        ("`run name`", "", "run name", True, None),
    ],
)
def test_a_name_is_split_at_its_first_dot(text: str, head: str, key: str, is_quoted: bool, tail: str | None) -> None:
    token = one(text)
    assert (token.kind, token.raw, token.head, token.key, token.is_quoted, token.tail) == (TokenKind.NAME, text, head, key, is_quoted, tail)


@pytest.mark.parametrize(
    ("text", "key"), [("'a'", "a"), ('"a"', "a"), ("'a\"b'", 'a"b'), ('"it\'s"', "it's"), ("''", ""), ("'a`b'", "a`b")]
)
def test_quoted_text_loses_its_quotes_and_nothing_else(text: str, key: str) -> None:
    token = one(text)
    assert (token.kind, token.key) == (TokenKind.TEXT, key)


def test_a_doubled_quote_is_no_escape() -> None:
    assert raws("'it''s'") == ["'it'", "'s'", ""]


@pytest.mark.parametrize("text", ["1", "-1", "+1", "1.", ".5", "1.5", "1e3", "1E-3", "-.5e+7", "1e400", "inf", "-inf", "+Infinity", "0005"])
def test_a_number_is_one_token(text: str) -> None:
    token = one(text)
    assert (token.kind, token.raw) == (TokenKind.NUMBER, text)
    float(token.raw)


@pytest.mark.parametrize("text", ["information", "infinite", "inf_1", "inf.x"])
def test_a_name_that_starts_like_infinity_is_a_name(text: str) -> None:
    assert one(text).kind is TokenKind.NAME


@pytest.mark.parametrize("text", ["0x1", "1_000", "1.2.3", "1abc", "12px", "1e", "1e+", "5e5x"])
def test_a_broken_number_is_pointed_at_whole(text: str) -> None:
    with pytest.raises(InvalidQuery, match=r"is not a number|unexpected") as caught:
        Source(f"a < {text}").tokens()
    assert caught.value.column >= 4


def test_tokens_need_no_space_between_them() -> None:
    assert raws("a<=1 AND(b!='x'or c=-1)") == ["a", "<=", "1", "AND", "(", "b", "!=", "'x'", "or", "c", "=", "-1", ")", ""]


def test_every_token_knows_its_column() -> None:
    assert [token.column for token in Source("  a <=\n 'x'  ").tokens()] == [2, 4, 8, 13]


@pytest.mark.parametrize(("text", "word"), [("and", "AND"), ("And", "AND"), ("tags.and", ""), ("`and`", ""), ("ıs", ""), ("'and'", "")])
def test_only_a_bare_ascii_word_can_be_a_keyword(text: str, word: str) -> None:
    assert one(text).word == word


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("a = 'x", 4, "never closed"),
        ('a = "x', 4, "never closed"),
        ("a = `x", 4, "never closed"),
        ("tags.`x", 5, "never closed"),
        ("a = 1;", 5, "without ;"),
        ("a IN ['x']", 5, "in parentheses"),
        ("a LIKE %x%", 7, "LIKE '%text%'"),
        ("a = - 1", 4, "unexpected '-'"),
        ("tags.a.`b`", 0, "quote the whole key: tags.`a.b`"),
        ("a = '\x00'", 5, "not a character"),
        ("a = '\ud800'", 5, "not a character"),
        ("a # b", 2, "unexpected '#'"),
    ],
)
def test_what_makes_no_token_is_pointed_at(text: str, column: int, message: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        Source(text).tokens()
    assert message in caught.value.message
    assert (caught.value.column, caught.value.text) == (column, text)
    assert f"filter, column {column + 1}:" in caught.value.message


def test_a_text_beyond_the_limit_is_refused_unread() -> None:
    with pytest.raises(InvalidQuery, match=f"{TEXT_LENGTH_MAX + 1} characters; at most {TEXT_LENGTH_MAX}"):
        Source("(" * (TEXT_LENGTH_MAX + 1)).tokens()


@pytest.mark.parametrize("unit", ["(", "a ", "a.", "1 ", "'' ", "<", "`` ", "a.``", "- ", "e", "1", ".", " ", "inf", "1.e"])
def test_reading_takes_time_in_proportion_to_length(unit: str) -> None:
    text = (unit * TEXT_LENGTH_MAX)[:TEXT_LENGTH_MAX]
    started = perf_counter()
    with suppress(InvalidQuery):
        Source(text).tokens()
    assert perf_counter() - started < 20  # 0.5 s is usual; quadratic time would be many minutes


def outcome(text: str) -> list[Token] | InvalidQuery:
    try:
        return Source(text).tokens()
    except InvalidQuery as fault:
        return fault


@unhurried
@given(st.text(max_size=60))
def test_any_text_gives_tokens_that_cover_it_or_an_invalid_query(text: str) -> None:
    found = outcome(text)
    if isinstance(found, InvalidQuery):
        assert 0 <= found.column <= len(text)
        assert found.width >= 1
        return
    place = 0
    for token in found:
        assert text[place : token.column].strip() == ""
        place = token.column + len(token.raw)
        assert text[token.column : place] == token.raw
    assert place == len(text)
