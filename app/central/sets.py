"""Set-wise SQL that both databases take with one bound value: membership in long lists, and upserts.

A list travels as one JSON text (SQLite) or one array (PostgreSQL): no limit on the number of variables, and one
statement text that both sides keep prepared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    Text,
    any_,
    func,
    literal,
    select,
    tuple_,
)

from app import codec


def any_of(tx: Connection, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """`column` is one of `values` (texts or whole numbers)."""
    if tx.dialect.name == "postgresql":
        return column == any_(literal(list(values), ARRAY(column.type)))
    each = func.json_each(codec.encode(list(values)).decode()).table_valued("value")
    return column.in_(select(each.c.value))


def any_pair(
    tx: Connection, columns: tuple[ColumnElement[Any], ColumnElement[Any]], pairs: Collection[tuple[str, str]]
) -> ColumnElement[bool]:
    """The two text columns are one of `pairs`."""
    if tx.dialect.name == "postgresql":
        first = literal([a for a, _ in pairs], ARRAY(Text))
        second = literal([b for _, b in pairs], ARRAY(Text))
        rows = func.unnest(first, second).table_valued("a", "b").render_derived()
        return tuple_(*columns).in_(select(rows.c.a, rows.c.b))
    each = func.json_each(codec.encode(sorted(pairs)).decode()).table_valued("value")
    return tuple_(*columns).in_(
        select(func.json_extract(each.c.value, "$[0]"), func.json_extract(each.c.value, "$[1]"))
    )


def insert_many(tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of the same columns; nothing happens without rows."""
    if rows:
        _send(tx, _insert(tx.dialect, table, tuple(rows[0])), rows)


def upsert_many(
    tx: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    keep: Collection[str] = (),
    count: Collection[str] = (),
) -> None:
    """Insert rows (no key twice), or replace the other columns where the primary key is there already.

    `keep`: columns that stay as they are then; `count`: columns that go up by one then.
    """
    if rows:
        _send(tx, _upsert(tx.dialect, table, tuple(rows[0]), tuple(keep), tuple(count)), rows)


def _send(tx: Connection, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """To the driver itself: what SQLAlchemy does for each row costs more than the row. Values are plain here."""
    values = [tuple(row.values()) for row in rows]
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(sql, tuple(list(column) for column in zip(*values, strict=True)))
    else:
        tx.exec_driver_sql(sql, values)


@lru_cache(maxsize=64)
def _insert(dialect: Dialect, table: Table, names: tuple[str, ...]) -> str:
    """PostgreSQL: one statement with an array for each column, many times quicker than a statement a row."""
    quote = dialect.identifier_preparer.quote
    if dialect.name == "postgresql":
        arrays = ", ".join(f"%s::{table.c[name].type.compile(dialect)}[]" for name in names)
        values = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - types of our own columns
    else:
        values = f"VALUES ({', '.join('?' for _ in names)})"
    return f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, names))}) {values}"


@lru_cache(maxsize=64)
def _upsert(
    dialect: Dialect, table: Table, names: tuple[str, ...], keep: tuple[str, ...], count: tuple[str, ...]
) -> str:
    quote = dialect.identifier_preparer.quote
    keys = [column.name for column in table.primary_key]
    changed = {
        quote(name): f"{quote(table.name)}.{quote(name)} + 1" if name in count else f"excluded.{quote(name)}"
        for name in names
        if name not in keys and name not in keep
    }
    sets = ", ".join(f"{name} = {value}" for name, value in changed.items())
    return f"{_insert(dialect, table, names)} ON CONFLICT ({', '.join(map(quote, keys))}) DO UPDATE SET {sets}"
