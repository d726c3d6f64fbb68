"""A small fictional site in the form of a site file (docs/site-file.md)."""

from __future__ import annotations

from typing import Any

SITE_ID = "90000000000001"


def tiny_site(workers: int = 5, **site: Any) -> dict[str, Any]:
    """One 元請, one 一次; `workers` people of the 一次 with a FeliCa card each, all in order. `site`: more settings."""
    people = [f"9100000000{n:04d}"[:14] for n in range(1, workers + 1)]
    return {
        "site": {"id": SITE_ID, "name": "架空の現場", "suppress_seconds": 1, **site},
        "companies": [
            {"id": "92000000000001", "name": "架空建設株式会社", "short_name": "架空建設"},
            {"id": "92000000000002", "name": "髙﨑鉄筋㈱", "short_name": "髙﨑鉄筋"},
        ],
        "contracts": [
            {"id": "C0", "company_id": "92000000000001", "tier": 0},
            {"id": "C1", "company_id": "92000000000002", "tier": 1, "parent_id": "C0"},
        ],
        "occupations": [{"id": "S01", "name": "鉄筋工"}],
        "roles": [{"id": "R1", "name": "職長"}],
        "workers": [
            {"id": person, "name": f"架空 {n}郎", "kana": f"カクウ {n}ロウ"} for n, person in enumerate(people, 1)
        ],
        "assignments": [
            {"id": f"A{n}", "worker_id": person, "company_id": "92000000000002", "occupation": "S01", "role": "R1"}
            for n, person in enumerate(people, 1)
        ],
        "cards": [
            {"id": f"felica:{0x0140_0000_0000_0000 + n:016X}", "worker_id": person, "expires_on": "2040-03-31"}
            for n, person in enumerate(people, 1)
        ],
        "operators": [],
        "calendar": [],
        "targets": [],
    }
