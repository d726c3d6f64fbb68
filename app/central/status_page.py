"""The status page as HTML: whole, without scripts, without personal data. Japanese first, English below it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

from app.central.overview import SiteState, StationPage, StationState, Totals, days_of, working_share
from app.central.presence import WORKING
from app.domain.events import JST
from app.messages import say

FRESH = timedelta(minutes=30)
SHOWN_SITES = 300

_STYLE = """
:root{--ink:#1b2733;--soft:#5b6b7a;--line:#d8dfe6;--ground:#f4f6f8;--bad:#b3261e;--badground:#fdecea;--good:#1b6e3c}
*{box-sizing:border-box}
body{margin:0;padding:24px;background:var(--ground);color:var(--ink);
font:15px/1.5 "Noto Sans CJK JP","Noto Sans JP","Hiragino Sans","Yu Gothic UI",Meiryo,sans-serif}
h1{font-size:24px;margin:0}h2{font-size:17px;margin:28px 0 8px}
small{display:block;color:var(--soft);font-size:12px;font-weight:400;line-height:1.3}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px;margin-top:16px}
.figure{background:#fff;border:1px solid var(--line);border-radius:8px;padding:12px 16px}
.figure b{display:block;font-size:28px;line-height:1.2;margin-top:4px;font-variant-numeric:tabular-nums}
.figure.bad{border-color:var(--bad);background:var(--badground)}
.wide{overflow-x:auto;background:#fff;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:7px 10px;text-align:left;border-top:1px solid var(--line);vertical-align:top;white-space:nowrap}
th{border-top:0;font-weight:600;font-size:13px}
td.name{white-space:normal;min-width:150px}
.n{text-align:right}
.bad{color:var(--bad);font-weight:600}
td.n.bad{background:var(--badground)}
.good{color:var(--good)}
.soft{color:var(--soft)}
p{color:var(--soft);font-size:13px;margin:6px 0}
"""
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)
"""Content-Security-Policy: this one style sheet, nothing else from anywhere."""


def page(now: datetime, states: Sequence[SiteState], stations: StationPage, totals: Totals) -> bytes:
    """The page. `stations`: those it lists; `totals` are over all."""
    at = now.astimezone(JST)
    today = at.date().isoformat()
    parts = [
        '<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="refresh" content="60">',
        f"<title>{_ja('title')}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_both('title')}</h1><p>{_both('as_of', at=at.strftime('%Y-%m-%d %H:%M'))}</p>",
        _figures(states, today, totals),
        f"<h2>{_both('sites')}</h2>{_sites(states, today)}<p>{_both('legend')}</p>",
        f"<h2>{_both('stations')}</h2>{_stations(stations, now)}",
        "</body></html>",
    ]
    return "".join(parts).encode()


def _figures(states: Sequence[SiteState], today: str, totals: Totals) -> str:
    working, of = working_share(states, today)
    share = f"{100 * working / of:.1f} % <small>{working} / {of}</small>" if of else _ja("unknown")
    records = sum(day.records for site in states for day in site.days if day.day == today)
    figures = [
        ("working", share, False),
        ("heard", f"{totals.heard} / {totals.stations}", totals.heard < totals.stations),
        ("waiting", str(totals.waiting), False),
        ("broken", str(totals.broken), totals.broken > 0),
        ("records_today", str(records), False),
    ]
    boxes = [
        f'<div class="figure{" bad" if bad else ""}">{_both(name)}<b>{value}</b></div>' for name, value, bad in figures
    ]
    return f'<div class="figures">{"".join(boxes)}</div>'


def _sites(states: Sequence[SiteState], today: str) -> str:
    days = days_of(states)
    head = [_th("site"), *(f'<th class="n">{day[5:7].lstrip("0")}/{day[8:].lstrip("0")}</th>' for day in days)]
    rows = []
    for site in states[:SHOWN_SITES]:
        by_day = {one.day: one for one in site.days}
        cells = [f'<td class="name">{escape(site.name)}<small>{escape(site.id)}</small></td>']
        for day in days:
            one = by_day.get(day)
            # a day that is not over is no failure yet
            bad = one is not None and not one.working and day != today
            cells.append(f'<td class="n{" bad" if bad else ""}">{"" if one is None else one.records}</td>')
        hours = by_day[today].working_hours if today in by_day else None
        cells.append(f'<td class="n">{"" if hours is None else _both("hours", count=hours)}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    rest = len(states) - SHOWN_SITES
    more = f"<p>{_both('more', count=rest)}</p>" if rest > 0 else ""
    return f"{_table([*head, _th('hours_today', 'n')], rows)}{more}"


def _stations(stations: StationPage, now: datetime) -> str:
    names = ("station", "last_heard", "waits", "oldest", "readers", "clock", "chain", "version")
    ordered = sorted(stations.stations, key=lambda one: (not _trouble(one, now), one.site_ids, one.name))
    rows = [_station(one, now) for one in ordered if one.revoked_at is None]
    more = f'<p><a href="?after={escape(stations.next)}">{_both("next")}</a></p>' if stations.next else ""
    return f"{_table([_th(name, 'n' if name in ('waits', 'clock') else '') for name in names], rows)}{more}"


def _station(one: StationState, now: datetime) -> str:
    working = any(reader.condition in WORKING for reader in one.readers)
    state = "no_reader" if not one.readers else "reader_working" if working else "reader_trouble"
    late = not _is_fresh(one, now)
    skew = "" if one.skew_ms is None else _both("seconds", count=f"{one.skew_ms / 1000:.1f}")
    cells = [
        f'<td class="name">{escape(one.name)}<small>{escape(" ".join(one.site_ids))}</small></td>',
        f'<td class="{"bad" if late else "good"}">{_ago(one.last_heard, now)}</td>',
        f'<td class="n">{"" if one.waiting is None else one.waiting}</td>',
        f"<td>{'' if one.oldest_waiting is None else _ago(one.oldest_waiting, now)}</td>",
        f'<td class="{"good" if working else "bad"}">{_both(state)}</td>',
        f'<td class="n{" bad" if abs(one.skew_ms or 0) > 60_000 else ""}">{skew}</td>',
        f'<td class="{"good" if one.chain == "ok" else "bad" if one.chain == "broken" else "soft"}">'
        f"{_both('chain_' + one.chain)}</td>",
        f"<td>{escape(one.app_version)}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _trouble(one: StationState, now: datetime) -> bool:
    working = any(reader.condition in WORKING for reader in one.readers)
    return one.chain == "broken" or not working or not _is_fresh(one, now)


def _is_fresh(one: StationState, now: datetime) -> bool:
    return one.last_heard is not None and now - datetime.fromisoformat(one.last_heard) <= FRESH


def _ago(moment: str | None, now: datetime) -> str:
    if moment is None:
        return _both("never")
    minutes = max(0, int((now - datetime.fromisoformat(moment)).total_seconds() // 60))
    if minutes < 120:
        return _both("minutes_ago", count=minutes)
    if minutes < 48 * 60:
        return _both("hours_ago", count=minutes // 60)
    return _both("days_ago", count=minutes // (24 * 60))


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    return f'<div class="wide"><table><tr>{"".join(head)}</tr>{"".join(rows)}</table></div>'


def _th(name: str, kind: str = "") -> str:
    return f'<th class="{kind}">{_both(name)}</th>'


def _ja(name: str) -> str:
    return escape(say(f"central_page.{name}", "ja").title)


def _both(name: str, **values: object) -> str:
    code = f"central_page.{name}"
    return (
        f'{escape(say(code, "ja", **values).title)}<small lang="en">{escape(say(code, "en", **values).title)}</small>'
    )
