"""Every row that can be read from the pages of a database, table by table, without SQLite.

Trees are walked from their roots. Where a page between root and leaves is damaged, pages that nothing leads to are looked through, and
one whose rows fit a single table of those whose trees are broken is taken for a part of it. Rows from pages that are not
whole come last, so that a row from a sound page wins over one with the same key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import define, field, frozen

from drupe_store_sqlite.layout import IndexLayout, Layout, TableLayout, read_layout
from drupe_store_sqlite.pages import Pages
from drupe_store_sqlite.records import INDEX_INTERIOR, INDEX_LEAF, TABLE_INTERIOR, TABLE_LEAF, Node, Value, read_node

__all__ = ["IndexRow", "Row", "Salvage"]

SCHEMA = 1
_ENTRIES, _NUMBERED = (INDEX_LEAF, INDEX_INTERIOR), (TABLE_LEAF, TABLE_INTERIOR)
_SCHEMA_FIELDS = 5  # type, name, table, root page, statement
_VERSION_FIELDS = 3


@frozen
class Row:
    """A row of a table, by column, and the page that it was read from."""

    table: str
    values: dict[str, Value]
    page: int


@frozen
class IndexRow:
    """An entry of an index: the columns of the table that it holds, expressions left out."""

    index: IndexLayout
    values: dict[str, Value]


@define
class Salvage:
    """The rows of one damaged database. `template` is the list of tables of a new one, of version `newest`, for what the damaged one forgot.

    `faults` fills while rows are read: a sentence for every page that could not be read or not whole.
    """

    pages: Pages
    template: Sequence[tuple[str, str, int, str]]  # type, name, root page, statement
    newest: int
    layout: Layout = field(init=False)
    faults: list[str] = field(factory=list)
    lost: dict[str, int] = field(factory=dict)
    _roots: dict[str, int] = field(factory=dict)
    _seen: set[int] = field(factory=set)
    _broken: set[str] = field(factory=set)
    _entries: list[tuple[IndexLayout, int]] = field(factory=list)
    _indexed: dict[str, set[tuple[Value, ...]]] = field(factory=dict)
    _keys: dict[str, set[Value]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.layout = read_layout(self._read_schema())

    def rows(self) -> Iterator[Row]:
        """All rows of all tables: those of sound pages first."""
        doubtful: list[Row] = []
        for table in self.layout.tables.values():
            for page, node in self._walk(table.name, _kinds_of(table)):
                yield from self._taken(table, page, node, doubtful)
        for table in self.layout.tables.values():
            for index in table.indexes:
                self._entries += [(index, page) for page, _ in self._walk(index.name, _ENTRIES)]
        if self._broken:
            yield from self._of_strays(doubtful)
        yield from doubtful

    def index_rows(self) -> Iterator[IndexRow]:
        """All entries of all indexes that can be read. To be called when all rows were read."""
        for index, page in self._entries:
            node = read_node(self.pages, page)
            if node is not None:
                self._note(page, node, f"index {index.name}")
                found = (index.fit(cell.rowid, cell.values) for cell in node.cells)
                yield from (IndexRow(index, values) for values in found if values is not None)

    # --- the schema

    def _read_schema(self) -> list[str]:
        """The CREATE statements to go by. Those of a new database wherever they apply: a flipped letter of a name would still be SQL."""
        found: dict[str, tuple[int, str]] = {}
        self._roots = {"sqlite_schema": SCHEMA}
        for page, node in self._walk("sqlite_schema", _NUMBERED):
            self._note(page, node, "the list of tables")
            for cell in node.cells:
                if len(cell.values) == _SCHEMA_FIELDS:
                    _, name, _, root, statement = cell.values
                    if isinstance(name, str) and isinstance(root, int):
                        found[name] = (root, statement if isinstance(statement, str) else "")
        usual = {name: (root, statement) for _, name, root, statement in self.template}
        self._roots |= {name: root for name, (root, _) in found.items()}
        older = self._older_version()
        own = {name: statement for name, (_, statement) in found.items()}
        expected = own if older else {name: statement for name, (_, statement) in usual.items()}
        changed = sorted(name for name, statement in expected.items() if own.get(name) != statement)
        if changed:
            self._broken.add("sqlite_schema")
            self.faults.append(f"the list of tables is damaged where it tells of {', '.join(changed)}")
        if not older:
            self._roots = {name: root for name, root in self._roots.items() if name in usual or name == "sqlite_schema"}
        taken = set(self._roots.values())
        self._roots |= {name: root for name, (root, _) in usual.items() if name not in found and root not in taken}
        return [statement for name, statement in expected.items() if statement and not name.startswith("sqlite_")]

    def _older_version(self) -> int | None:
        """The version of the schema if it is older than a new database's; None when it is not, or cannot be read."""
        node = read_node(self.pages, self._roots.get("drupe_schema", 0))
        versions = [cell.rowid for cell in node.cells if cell.rowid is not None and len(cell.values) == _VERSION_FIELDS] if node else []
        return max(versions) if versions and 0 < max(versions) < self.newest else None

    # --- trees

    def _walk(self, name: str, kinds: tuple[int, int]) -> Iterator[tuple[int, Node]]:
        """The pages of a tree from the left to the right, as far as they can be reached."""
        waiting = [self._roots[name]] if name in self._roots else []
        while waiting:
            number = waiting.pop()
            if not 1 <= number <= self.pages.count or number in self._seen:
                why = "is used twice" if number in self._seen else "does not exist"
                self._break(name, f"page {number}, to which a page of {name} leads, {why}")
                continue
            node = read_node(self.pages, number)
            if node is None or node.kind not in kinds:
                self._break(name, f"page {number}, of {name}, cannot be read")
                continue
            self._seen.add(number)
            if node.lost and node.kind in (TABLE_INTERIOR, INDEX_INTERIOR):
                self._broken.add(name)
            waiting += reversed(node.children)
            yield number, node

    def _of_strays(self, doubtful: list[Row]) -> Iterator[Row]:
        """Rows of pages that nothing leads to."""
        is_any = "sqlite_schema" in self._broken
        tables = [table for name, table in self.layout.tables.items() if is_any or name in self._broken]
        indexes = [index for table in self.layout.tables.values() for index in table.indexes if is_any or index.name in self._broken]
        free = self.pages.free()
        for number in range(2, self.pages.count + 1):
            node = None if number in self._seen or number in free else read_node(self.pages, number)
            if node is None or not node.cells:
                continue
            fitting: list[TableLayout | IndexLayout] = [table for table in tables if node.kind in _kinds_of(table) and _fits(table, node)]
            fitting += [index for index in indexes if node.kind in _ENTRIES and _fits(index, node)]
            chosen = fitting[0] if len(fitting) == 1 else self._likeliest(fitting, node)
            if isinstance(chosen, TableLayout):
                self._seen.add(number)
                yield from self._taken(chosen, number, node, doubtful)
            elif chosen is not None:
                self._entries.append((chosen, number))
            elif fitting:
                names = " or ".join(one.name for one in fitting)
                self.faults.append(
                    f"page {number} may belong to {names}; which cannot be told, so its {len(node.cells)} entries were left out"
                )

    def _likeliest(self, fitting: Sequence[TableLayout | IndexLayout], node: Node) -> TableLayout | IndexLayout | None:
        """Of tables with rows of one form, the one whose indexes tell of these rows, or else whose other rows have the same keys."""
        for score in (self._in_indexes, self._of_known_keys):
            scores = sorted(((score(one, node), place) for place, one in enumerate(fitting)), reverse=True)
            if len(scores) > 1 and scores[0][0] > scores[1][0]:
                return fitting[scores[0][1]]
        return None

    def _in_indexes(self, one: TableLayout | IndexLayout, node: Node) -> int:
        if isinstance(one, IndexLayout):
            return 0
        if one.name not in self._indexed:
            own = [(index, page) for index, page in self._entries if index.table == one.name]
            nodes = ((index, read_node(self.pages, page)) for index, page in own)
            entries = (index.fit(cell.rowid, cell.values) for index, found in nodes if found for cell in found.cells)
            self._indexed[one.name] = {tuple(entry.get(name) for name in one.key) for entry in entries if entry}
        rows = (one.fit(cell.rowid, cell.values) or {} for cell in node.cells)
        return sum(tuple(row.get(name) for name in one.key) in self._indexed[one.name] for row in rows)

    def _of_known_keys(self, one: TableLayout | IndexLayout, node: Node) -> int:
        known = self._keys.get(one.name, set())
        return sum((one.fit(cell.rowid, cell.values) or {}).get("key") in known for cell in node.cells)

    def _taken(self, table: TableLayout, page: int, node: Node, doubtful: list[Row]) -> Iterator[Row]:
        self._note(page, node, table.name)
        rows = [table.fit(cell.rowid, cell.values) for cell in node.cells]
        for cell in node.cells:
            self._seen.update(cell.overflow)
        misfits = rows.count(None)
        if misfits:
            self.faults.append(f"page {page}, of {table.name}: {misfits} {'row does' if misfits == 1 else 'rows do'} not fit the table")
        self.lost[table.name] = self.lost.get(table.name, 0) + node.lost + misfits
        found = [Row(table.name, row, page) for row in rows if row is not None]
        if table.rowid is None and "key" in table.key:
            self._keys.setdefault(table.name, set()).update(row.values["key"] for row in found)
        if node.is_sound and not misfits:
            yield from found
        else:
            doubtful += found

    def _break(self, name: str, fault: str) -> None:
        self._broken.add(name)
        self.faults.append(fault)

    def _note(self, page: int, node: Node, name: str) -> None:
        if node.lost:
            self.faults.append(f"page {page}, of {name}: {node.lost} {'entry' if node.lost == 1 else 'entries'} cannot be read")
        elif not node.is_sound:
            self.faults.append(f"page {page}, of {name}: its entries are out of order, or it was cut short")


def _kinds_of(table: TableLayout) -> tuple[int, int]:
    return _ENTRIES if table.rowid is None else _NUMBERED


def _fits(what: TableLayout | IndexLayout, node: Node) -> bool:
    """All cells of the page are rows of the table, or entries of the index."""
    return all(what.fit(cell.rowid, cell.values) is not None for cell in node.cells)
