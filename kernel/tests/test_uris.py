"""Addresses and artifact paths: what is accepted, what it becomes, what is refused in any spelling."""

import os
import string
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings, strategies as st

from drupe.errors import InvalidPath, InvalidUri, InvalidValue
from drupe.uris import ArtifactPath, ModelsUri, RunsUri, Uri, join_segments, redact


class TestArtifactPath:
    @pytest.mark.parametrize(
        ("text", "segments"),
        [
            (None, ()),
            ("", ()),
            ("a", ("a",)),
            ("a/b.txt", ("a", "b.txt")),
            ("a/b/", ("a", "b")),
            ("with space/é ü/日本", ("with space", "é ü", "日本")),
            (".hidden/..x/...", (".hidden", "..x", "...")),
            ("50%/100%25", ("50%", "100%25")),
            ("a:b/c#d?e&f", None),
            ("ab:c/d#e?f&g", ("ab:c", "d#e?f&g")),
            ("x" * 255, ("x" * 255,)),
        ],
    )
    def test_relative_paths_become_segments(self, text: str | None, segments: tuple[str, ...] | None) -> None:
        if segments is None:
            with pytest.raises(InvalidPath, match="drive"):
                ArtifactPath.parse(text)
        else:
            assert ArtifactPath.parse(text).segments == segments

    @pytest.mark.parametrize("text", ["a", "a/b.txt", "50%/x", "é/日本", ".hidden"])
    def test_text_and_back(self, text: str) -> None:
        assert str(ArtifactPath.parse(text)) == text
        assert ArtifactPath.parse(ArtifactPath.parse(text)) == ArtifactPath.parse(text)

    @pytest.mark.parametrize(
        "text",
        [
            *("/", "/a", "//a", "/etc/passwd", "C:", "C:\\x", "C:/x", "c:x", "\\\\server\\share", "a\\b", "\\"),
            *(".", "..", "./a", "../a", "a/..", "a/../b", "a/./b", "a//b", "a//", " ", "a/ /b", "\t", "a/\u3000"),
            *("a\x00b", "a\nb", "a\x7f", "a\x1fb", "\x00", "a\ud800", "\udcff"),
            *("%2e%2e", "%2E%2e/x", "a/%2e%2e/b", "%252e%252e", "%25252e.", ".%2e", "%2e", "a%2fb", "a%2Fb", "a%252fb", "a%5cb", "a%255Cb"),
            *("%00", "a%00b", "%20", "a/%2520", "%0a", "%2e%2e%2fetc%2fpasswd", "%" + "25" * 40 + "2e."),
            *("x" * 256, "é" * 128, "a/" * 3000),
        ],
    )
    def test_what_could_leave_the_root_is_refused_in_any_spelling(self, text: str) -> None:
        with pytest.raises(InvalidPath):
            ArtifactPath.parse(text)
        with pytest.raises(InvalidPath):
            ArtifactPath.parse("a") / text

    @pytest.mark.parametrize("step", [0, 1, 10, 13, 25, 37, 100, 2000, 2500, 2510, 25000, 252525, -1])
    def test_images_named_by_step_survive(self, step: int) -> None:
        text = f"images/loss%step%{step}%timestamp%1732352000123%5b1c.png"
        assert str(ArtifactPath.parse(text)) == text

    @pytest.mark.parametrize("value", [5, b"a", Path("a"), ["a"]])
    def test_only_text_is_a_path(self, value: object) -> None:
        with pytest.raises(InvalidPath, match="text, not"):
            ArtifactPath.parse(value)  # type: ignore[arg-type]

    def test_parts_of_a_path(self) -> None:
        path = ArtifactPath.parse("a/b/c.txt")
        assert (path.name, str(path.parent), path.is_root) == ("c.txt", "a/b", False)
        root = ArtifactPath()
        assert (root.name, root.parent, root.is_root, str(root)) == ("", root, True, "")
        assert root / "a" / ArtifactPath.parse("b/c.txt") == path
        assert path / "" == path

    def test_names_are_joined_one_by_one(self) -> None:
        assert join_segments(["a", "b c"]) == ArtifactPath.parse("a/b c")
        assert join_segments([]).is_root
        for name in ("a/b", "..", "", " ", "%2e%2e"):
            with pytest.raises(InvalidPath):
                join_segments(["a", name])

    @settings(deadline=None)
    @given(st.lists(st.sampled_from([*"ab./\\%:~ \x00\n", "%2e", "%2f", "%25", "%5c", "é"]), max_size=12).map("".join))
    def test_any_accepted_path_stays_below_the_root(self, text: str) -> None:
        try:
            path = ArtifactPath.parse(text)
        except InvalidPath:
            return
        inside = os.path.normpath(os.path.join("/root/of/run", *path.segments))
        assert inside == "/".join(["/root/of/run", *path.segments])
        assert ArtifactPath.parse(str(path)) == path


class TestUri:
    @pytest.mark.parametrize(
        ("text", "scheme", "host", "path"),
        [
            ("sqlite:///drupe.db", "sqlite", "", "/drupe.db"),
            ("sqlite:////abs/drupe.db", "sqlite", "", "//abs/drupe.db"),
            ("http://host:5000/prefix", "http", "host:5000", "/prefix"),
            ("HTTP://Host/Prefix", "http", "host", "/Prefix"),
            ("http://host:0/", "http", "host:0", "/"),
            ("http://[::1]:5000/x", "http", "[::1]:5000", "/x"),
            ("http://[::1]", "http", "[::1]", ""),
            ("s3://bucket/a%20b", "s3", "bucket", "/a b"),
            ("s3://bucket/a%2520b", "s3", "bucket", "/a%20b"),
            ("mlflow-artifacts:/1/2/artifacts", "mlflow-artifacts", "", "/1/2/artifacts"),
            ("databricks", "file", "", None),
            ("file:///a/b%20c", "file", "", "/a/b c"),
            ("file://localhost/a", "file", "", "/a"),
            ("FILE:/a", "file", "", "/a"),
            ("/a/b c", "file", "", "/a/b c"),
            ("/a/50%25#?", "file", "", "/a/50%25#?"),
            ("/a//b/./c/", "file", "", "/a/b/c"),
            ("/a/../b", "file", "", "/b"),
        ],
    )
    def test_addresses_are_taken_apart_and_decoded_once(self, text: str, scheme: str, host: str, path: str | None) -> None:
        uri = Uri.parse(text)
        assert (uri.scheme, uri.host, uri.path) == (scheme, host, str(Path.cwd() / text) if path is None else path)

    @pytest.mark.parametrize(
        "text",
        [
            *(
                "sqlite:///drupe.db",
                "sqlite:////abs/drupe.db",
                "sqlite://",
                "http://host:5000/prefix",
                "http://[::1]:5000/x",
                "s3://b/a%20b",
                "s3://b/a%2520b",
            ),
            *("mlflow-artifacts:/1/artifacts", "mlflow-artifacts://host:1/x", "file:///a/b%20c", "s3://b//a//b", "x-y+z.1:/a"),
        ],
    )
    def test_text_and_back(self, text: str) -> None:
        assert Uri.parse(text).text == str(Uri.parse(text)) == text
        assert Uri.parse(Uri.parse(text)) == Uri.parse(text)

    def test_relative_paths_are_made_absolute(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for text in ("runs/a", "./runs/a", "x/../runs/a", Path("runs/a"), "file:runs/a"):
            assert Uri.parse(text) == Uri("file", path=str(tmp_path / "runs" / "a"))
        assert Uri.parse("../a").path == str(tmp_path.parent / "a")
        assert Uri.parse(Path("//a")).path == "/a"

    def test_the_home_folder_is_known_in_texts_and_not_in_paths(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        assert Uri.parse("~/runs").path == str(tmp_path / "runs")
        assert Uri.parse(Path("~/runs")).path == str(tmp_path / "~" / "runs")

    @pytest.mark.parametrize("text", ["a/../../b", "x/y/..", "./a b", "~x/é", "50%"])
    def test_a_local_path_survives_as_an_address(self, text: str) -> None:
        uri = Uri.parse(text)
        assert Uri.parse(uri.text) == uri

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "an address is needed"),
            ("  ", "an address is needed"),
            (" /a", "blanks"),
            ("http://host ", "blanks"),
            ("http://host/\n", "blanks"),
            ("http://ho\nst/", "control characters"),
            ("/a\x00b", "control characters"),
            ("/a\ud800", "not UTF-8"),
            ("s3://b/a%00b", "control characters"),
            ("s3://b/a%0d%0aX: y", "control characters"),
            ("s3://b/%ff", "not UTF-8"),
            ("file:///a%00", "control characters"),
            ("C:\\runs", "drive"),
            ("C:/runs", "drive"),
            ("c:runs", "drive"),
            ("\\\\server\\share", "network share"),
            ("//server/share", "network share"),
            ("file:////server/share", "network share"),
            ("file:///C:/runs", "drive"),
            ("file:///c%3A/runs", "drive"),
            ("file://server/share", "local"),
            ("file:", "no path"),
            ("file://", "no path"),
            ("file:///a/../b", "climbs"),
            ("file:///a/%2e%2e/b", "climbs"),
            ("file:..", "climbs"),
            ("http://user@host/", "user or password"),
            ("http://user:secret@host/", "user or password"),
            ("http://@host/", None),
            ("http://host/?a=1", "query"),
            ("http://host/#x", "fragment"),
            ("http://host/#", "fragment"),
            ("file:///a#b", "fragment"),
            ("http://host:port/", "cannot be read"),
            ("http://host:99999/", "cannot be read"),
            ("http://[::1/", "cannot be read"),
        ],
    )
    def test_addresses_that_could_be_misread_are_refused(self, text: str, message: str | None) -> None:
        if message is None:
            assert Uri.parse(text).text == "http://host/"
            return
        with pytest.raises(InvalidUri, match=message) as caught:
            Uri.parse(text)
        assert "secret" not in caught.value.message

    @pytest.mark.parametrize("value", [None, 5, b"/a"])
    def test_only_text_and_paths_are_addresses(self, value: object) -> None:
        with pytest.raises(InvalidUri, match="an address is needed"):
            Uri.parse(value)  # type: ignore[arg-type]

    def test_options_and_logins_are_read_where_they_are_allowed(self) -> None:
        uri = Uri.parse("postgresql://ada:p%40ss@db:5432/runs?sslmode=require&empty=&a%20b=c+d", query=True, user_info=True)
        assert (uri.host, uri.path, uri.user_info) == ("db:5432", "/runs", "ada:p%40ss")
        assert uri.query == {"sslmode": "require", "empty": "", "a b": "c d"}

    def test_a_login_is_never_shown(self) -> None:
        uri = Uri.parse("postgresql://ada:hunter2@db/runs", user_info=True)
        assert uri.text == "postgresql://db/runs"
        assert "hunter2" not in f"{uri} {uri!r}"

    def test_options_survive_as_text(self) -> None:
        uri = Uri.parse("sqlite:///a.db?x=1%202&y=a%2Bb%26c", query=True)
        assert Uri.parse(uri.text, query=True) == uri

    def test_a_path_below_an_address(self) -> None:
        assert (Uri.parse("s3://b/root/") / "a b/c.txt").text == "s3://b/root/a%20b/c.txt"
        assert (Uri.parse("mlflow-artifacts:/1") / "x").text == "mlflow-artifacts:/1/x"
        assert Uri.parse("s3://b/root") / "" == Uri.parse("s3://b/root")
        with pytest.raises(InvalidPath):
            Uri.parse("s3://b/root") / "../x"

    def test_addresses_with_the_same_parts_are_equal_and_hash_alike(self) -> None:
        one, other = Uri.parse("sqlite:///a.db?x=1", query=True), Uri.parse("sqlite:///a.db?x=1", query=True)
        assert one == other
        assert hash(one) == hash(other)
        assert one != Uri.parse("sqlite:///a.db?x=2", query=True)

    @settings(deadline=None)
    @example("A0:// :")
    @example("/A:")
    @given(
        st.text(max_size=40)
        | st.lists(st.sampled_from([*"ab:/@?#%.\\[]~ ", "file:", "http://", "s3://b/", "%2e", "%00"]), max_size=15).map("".join)
    )
    def test_any_text_is_an_address_or_invalid(self, text: str) -> None:
        try:
            uri = Uri.parse(text)
        except InvalidUri:
            return
        assert Uri.parse(uri.text) == uri
        assert uri.scheme != "file" or (uri.path.startswith("/") and ".." not in uri.path.split("/"))

    @settings(deadline=None)
    @given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(lambda t: t.strip("/")))
    def test_any_bucket_path_survives_percent_encoding(self, path: str) -> None:
        assert Uri.parse(f"s3://bucket/{quote(path)}").path == f"/{path}"


class TestRunsUri:
    @pytest.mark.parametrize(
        ("text", "run_id", "path"),
        [
            ("runs:/abc", "abc", ""),
            ("runs:/abc/", "abc", ""),
            ("runs:/abc/model", "abc", "model"),
            ("runs:/abc/a b/c.txt", "abc", "a b/c.txt"),
            ("runs:///abc/model/", "abc", "model"),
            ("RUNS:/abc/model", "abc", "model"),
            ("runs:/a-b_c/50%/a%20b", "a-b_c", "50%/a%20b"),
        ],
    )
    def test_a_run_and_a_path(self, text: str, run_id: str, path: str) -> None:
        uri = RunsUri.parse(text)
        assert (uri.run_id, str(uri.path)) == (run_id, path)
        assert RunsUri.parse(str(uri)) == uri

    @pytest.mark.parametrize(
        "text",
        [
            "runs:",
            "runs:/",
            "runs:abc",
            "run:/abc",
            "abc",
            "",
            "/abc",
            "runs:/../x",
            "runs:/./x",
            "runs:/a b/x",
            "runs://profile@host/abc",
            "runs:/" + "a" * 257,
        ],
    )
    def test_what_names_no_run_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidUri):
            RunsUri.parse(text)

    @pytest.mark.parametrize("text", ["runs:/abc/../x", "runs:/abc//x", "runs:/abc/%2e%2e", "runs:/abc/a\\b"])
    def test_a_path_that_leaves_the_run_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidPath):
            RunsUri.parse(text)


class TestModelsUri:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("models:/clf/3", ModelsUri("clf", version="3")),
            ("models:/clf/003", ModelsUri("clf", version="3")),
            ("models:/clf/0", ModelsUri("clf", version="0")),
            ("models:/clf/Production", ModelsUri("clf", stage="Production")),
            ("models:/clf/latest", ModelsUri("clf")),
            ("models:/clf/LATEST", ModelsUri("clf")),
            ("models:/clf/٣", ModelsUri("clf", stage="٣")),
            ("models:/clf@champion", ModelsUri("clf", alias="champion")),
            ("models:/a@b@champion", ModelsUri("a@b", alias="champion")),
            ("models:/my model/1", ModelsUri("my model", version="1")),
            ("models:/50%25/1", ModelsUri("50%25", version="1")),
            ("models:///clf/1", ModelsUri("clf", version="1")),
        ],
    )
    def test_a_name_and_a_version_stage_or_alias(self, text: str, expected: ModelsUri) -> None:
        uri = ModelsUri.parse(text)
        assert uri == expected
        assert ModelsUri.parse(str(uri)) == uri

    @pytest.mark.parametrize(
        "text",
        [
            "models:/",
            "models:/clf",
            "models:/clf/",
            "models:/clf/1/x",
            "models:/clf@",
            "models:/@champion",
            "models:clf/1",
            "models:/ /1",
            "models:/clf/" + "9" * 5000,
            "clf",
            "",
            "runs:/clf/1",
        ],
    )
    def test_other_forms_are_refused(self, text: str) -> None:
        with pytest.raises(InvalidUri):
            ModelsUri.parse(text)

    @pytest.mark.parametrize("value", [None, 5, Path("models:/a/1")])
    def test_only_text_is_read(self, value: object) -> None:
        for kind in (ModelsUri, RunsUri):
            with pytest.raises(InvalidUri):
                kind.parse(value)  # type: ignore[arg-type]

    @settings(deadline=None)
    @given(st.text(alphabet=string.printable + "é", max_size=20))
    def test_any_text_is_an_address_or_invalid(self, text: str) -> None:
        for kind in (ModelsUri, RunsUri):
            try:
                uri = kind.parse(f"{kind.__name__[:-3].lower()}:/{text}")
            except InvalidValue:
                continue
            assert kind.parse(str(uri)) == uri


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ada:hunter2@db/runs", "postgresql://***@db/runs"),
        ("cannot reach http://a:b@c/x and http://d:e@f/y", "cannot reach http://***@c/x and http://***@f/y"),
        ("http://a:p@ss@host/x", "http://***@host/x"),
        ("http://host/x@y", "http://host/x@y"),
        ("s3://b/x?region=eu&secret_access_key=abc&token=d", "s3://b/x?region=eu&secret_access_key=***&token=***"),
        ("http://h/?Password=x", "http://h/?Password=***"),
        ("http://h/?tokens_per_s=5", "http://h/?tokens_per_s=***"),
        ("mail ada@example.org", "mail ada@example.org"),
    ],
)
def test_secrets_are_taken_out_of_messages(text: str, shown: str) -> None:
    assert redact(text) == shown
