"""Triggers that keep the centre's records append-only, on SQLite and on PostgreSQL.

`audit` and `event_erasure` take no change at all. `event` has one door: an event's body and subject may become
exactly what the newest row of `event_erasure` for it says, and nothing else of it changes, ever. So whoever goes
through that door leaves a row that cannot be taken away, with what was done and by whom.
"""

from __future__ import annotations

_KEPT = ("receipt", "id", "station_id", "seq", "site_id", "type", "received_at", "digest")
_SEALED = ("audit", "event_erasure")

_DOOR = """EXISTS (SELECT 1 FROM event_erasure e WHERE e.event_id = OLD.id AND e.body = NEW.body
  AND e.subject {same} NEW.subject
  AND e.audit_number = (SELECT max(x.audit_number) FROM event_erasure x WHERE x.event_id = OLD.id))"""


def triggers(dialect: str) -> list[str]:
    """Statements that make them, for 'sqlite' or 'postgresql'."""
    return _postgresql() if dialect == "postgresql" else _sqlite()


def _sqlite() -> list[str]:
    kept = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _KEPT)
    made = [
        f"CREATE TRIGGER event_no_update BEFORE UPDATE ON event WHEN NOT ({kept} AND {_DOOR.format(same='IS')}) "
        "BEGIN SELECT RAISE(ABORT, 'event is append-only'); END",
        "CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'event is append-only'); END",
    ]
    for table in _SEALED:
        for name in ("update", "delete"):
            made.append(
                f"CREATE TRIGGER {table}_no_{name} BEFORE {name.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    return made


def _postgresql() -> list[str]:
    kept = " AND ".join(f"NEW.{name} = OLD.{name}" for name in _KEPT)
    door = _DOOR.format(same="IS NOT DISTINCT FROM")
    made = [
        "CREATE OR REPLACE FUNCTION is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$",
        "CREATE OR REPLACE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {kept} AND {door} THEN RETURN NEW; END IF; RAISE EXCEPTION 'event is append-only'; END $$",
        "CREATE TRIGGER event_no_change BEFORE DELETE OR TRUNCATE ON event "
        "FOR EACH STATEMENT EXECUTE FUNCTION is_append_only()",
        "CREATE TRIGGER event_no_update BEFORE UPDATE ON event FOR EACH ROW EXECUTE FUNCTION event_is_append_only()",
    ]
    for table in _SEALED:
        made.append(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION is_append_only()"
        )
    return made
