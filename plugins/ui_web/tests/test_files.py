"""Files as the page lists and shows them: folders, tables page by page, pages and PDFs in frames; what is bad is refused in words."""

from __future__ import annotations

import io
import json

import pytest

from plugins.ui_web.tests.conftest import Ui


@pytest.fixture
def run(ui: Ui) -> str:
    return ui.server.new_run()


def test_a_folder_lists_folders_first_and_tells_where_bytes_are(ui: Ui, run: str) -> None:
    ui.put(run, "b.txt", b"text")
    ui.put(run, "a b/c ü.txt", b"more")
    told = ui.get("files", run_id=run)
    assert told["files"] == [{"path": "a b", "is_dir": True, "size": None}, {"path": "b.txt", "is_dir": False, "size": 4}]
    assert told["count"] == 2
    assert ui.server.ask("GET", f"/{told['address']}/b.txt").body == b"text"
    assert ui.get("files", run_id=run, path="a b")["files"] == [{"path": "a b/c ü.txt", "is_dir": False, "size": 4}]


def test_a_run_without_files_lists_none(ui: Ui, run: str) -> None:
    assert ui.get("files", run_id=run)["files"] == []


@pytest.mark.parametrize("path", ["../..", "a/../../b", "%2e%2e/x", "/etc/passwd", "a//b"])
def test_a_path_that_leads_out_is_refused(ui: Ui, run: str, path: str) -> None:
    for what in ("files", "preview", "frame"):
        assert ui.refused(what, run_id=run, path=path) == "INVALID_PARAMETER_VALUE"


def test_what_is_not_there_is_told_apart_from_bad_questions(ui: Ui, run: str) -> None:
    assert ui.refused("files", run_id="f" * 32) == "RESOURCE_DOES_NOT_EXIST"
    assert ui.refused("files") == "INVALID_PARAMETER_VALUE"
    assert ui.refused("preview", run_id=run, path="no.csv") == "RESOURCE_DOES_NOT_EXIST"
    assert ui.refused("preview", run_id=run) == "INVALID_PARAMETER_VALUE"
    assert ui.refused("files", name="nobody", version="1") == "RESOURCE_DOES_NOT_EXIST"


def test_csv_comes_page_by_page(ui: Ui, run: str) -> None:
    ui.put(run, "t.csv", b"id,text\n" + b"".join(b'%d,"row, %d"\n' % (n, n) for n in range(120)))
    first = ui.get("preview", run_id=run, path="t.csv", limit=50)
    assert first["columns"] == [{"name": "id", "type": "number"}, {"name": "text", "type": "text"}]
    assert first["rows"][0] == ["0", "row, 0"]
    assert len(first["rows"]) == 50
    assert (first["has_more"], first["count"]) == (True, None)
    last = ui.get("preview", run_id=run, path="t.csv", limit=50, offset=100)
    assert last["rows"][-1] == ["119", "row, 119"]
    assert (last["has_more"], last["count"]) == (False, 120)


def test_tsv_and_bytes_that_are_no_utf8_are_shown(ui: Ui, run: str) -> None:
    ui.put(run, "t.tsv", b"a\tb\n1\t\xff\n")
    assert ui.get("preview", run_id=run, path="t.tsv")["rows"] == [["1", "\N{REPLACEMENT CHARACTER}"]]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1e3"])
def test_a_page_of_a_table_has_bounds(ui: Ui, run: str, limit: str) -> None:
    ui.put(run, "t.csv", b"a\n1\n")
    assert ui.refused("preview", run_id=run, path="t.csv", limit=limit) == "INVALID_PARAMETER_VALUE"


def test_parquet_tells_how_many_rows_there_are(ui: Ui, run: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # the library itself is optional

    content = io.BytesIO()
    table = pyarrow.table({"n": range(1000), "word": [f"w{n}" for n in range(1000)], "list": [[n] for n in range(1000)]})
    parquet.write_table(table, content, row_group_size=300)
    ui.put(run, "t.parquet", content.getvalue())
    told = ui.get("preview", run_id=run, path="t.parquet", offset=290, limit=20)
    assert [row[0] for row in told["rows"]] == list(range(290, 310))
    assert told["rows"][0] == [290, "w290", "[290]"]
    assert (told["count"], told["has_more"], told["columns"][0]) == (1000, True, {"name": "n", "type": "number"})


def test_the_json_of_log_table_is_a_table(ui: Ui, run: str) -> None:
    ui.put(run, "t.json", json.dumps({"columns": ["a", "b"], "data": [[1, "x"], [2.5, None]]}).encode())
    told = ui.get("preview", run_id=run, path="t.json")
    assert told["rows"] == [[1, "x"], [2.5, None]]
    assert told["count"] == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [("bad.parquet", b"PAR1 not really"), ("bad.json", b"{"), ("bad.json", b'{"columns": 3}'), ("bad.csv", b"a,b\0\n"), ("no.bin", b"x")],
)
def test_a_file_that_is_no_table_is_refused_in_words(ui: Ui, run: str, name: str, content: bytes) -> None:
    ui.put(run, name, content)
    assert ui.refused("preview", run_id=run, path=name) == "INVALID_PARAMETER_VALUE"


def test_long_cells_are_cut_and_numbers_beyond_json_are_texts(ui: Ui, run: str) -> None:
    ui.put(run, "t.json", b'{"columns": ["a"], "data": [["%s"], [NaN], [1e400], [123456789012345678901]]}' % (b"x" * 2000))
    cells = [row[0] for row in ui.get("preview", run_id=run, path="t.json")["rows"]]
    assert len(cells[0]) == 501
    assert cells[1:] == ["nan", "inf", "123456789012345678901"]


def test_a_page_in_a_frame_is_kept_apart_from_the_server(ui: Ui, run: str) -> None:
    ui.put(run, "p.html", b"<script>1</script>")
    reply = ui.ask("frame", run_id=run, path="p.html")
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_only_pages_and_pdfs_come_in_a_frame(ui: Ui, run: str) -> None:
    ui.put(run, "p.pdf", b"%PDF-1.4")
    ui.put(run, "p.svg", b"<svg/>")
    assert ui.ask("frame", run_id=run, path="p.pdf").headers["content-type"] == "application/pdf"
    assert ui.refused("frame", run_id=run, path="p.svg") == "INVALID_PARAMETER_VALUE"


def test_a_folder_of_thousands_is_told_whole(ui: Ui, run: str, server: object) -> None:
    for n in range(300):
        ui.put(run, f"many/{n:04}.txt", b"")
    assert ui.get("files", run_id=run, path="many")["count"] == 300
