"""Set-wise SQL that both databases take with one bound value: membership in long lists, and upserts.

A list travels as one JSON text (SQLite) or one array (PostgreSQL): no limit on the number of variables, and one
statement text that both sides keep prepared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Table,
    Text,
    any_,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

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
    if not rows:
        return
    if tx.dialect.name == "postgresql":
        tx.execute(_from_arrays(table, rows))
    else:
        tx.execute(table.insert(), list(rows))


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
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = _from_arrays(table, rows) if tx.dialect.name == "postgresql" else sqlite.insert(table)
    changed: dict[str, Any] = {
        name: table.c[name] + 1 if name in count else statement.excluded[name]
        for name in rows[0]
        if name not in keys and name not in keep
    }
    upsert = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    if tx.dialect.name == "postgresql":
        tx.execute(upsert)
    else:
        tx.execute(upsert, list(rows))


def _from_arrays(table: Table, rows: Sequence[Mapping[str, Any]]) -> postgresql.Insert:
    """One statement with an array for each column: many times quicker on PostgreSQL than a statement a row."""
    names = list(rows[0])
    arrays = [literal([row[name] for row in rows], ARRAY(table.c[name].type)) for name in names]
    source = func.unnest(*arrays).table_valued(*names).render_derived()
    return postgresql.insert(table).from_select(names, select(*(source.c[name] for name in names)))
