"""Every code that `doctor` can give, gathered from the source: `python -m tests.upkeep.doctor_codes` prints the table.

Gathered is what the checks raise themselves, and what is raised in the modules that they call (`CALLED`).
"""

from __future__ import annotations

import re
from pathlib import Path

from app.domain.verdict import Reason
from app.messages import catalogue
from app.readers.port import ReaderCondition
from app.store.troubles import CLOSED
from app.sync.trouble import KNOWN_FORBIDDEN, OFFLINE_KINDS

APP = Path(__file__).parents[2] / "app"
ERRORS = "InputRefused|EnvironmentTrouble|StorageTrouble|CentreRefused|GenbaError|BadAnswer|SomebodyInBetween"
RAISED = re.compile(rf"(?:Worth|{ERRORS})\(\s*(?:[^()\"]*,\s*)?\"([a-z_.]+)\"")
SAID = re.compile(r"\"((?:store|sync|health|doctor)\.[a-z_]+)\"")
WARNED = re.compile(r"Worth\(\s*\"([a-z_.]+)\"(, Result\.INFO)?")
CALLED = (
    "datafile.py", "settings.py", "secrets.py", "store/opening.py", "store/database.py", "store/folder.py",
    "store/rescue.py", "readers/specs.py", "readers/scripted.py", "wiring/card_profiles.py",
    "readers/profile_file.py", "wiring/station.py", "sync/address.py", "sync/http.py", "sync/tls.py",
    "sync/answers.py", "sync/file_drop.py",
)  # fmt: skip
SAYING = ("store/troubles.py", "sync/trouble.py", "readers/trust_folder.py")
"""Where codes stand in tables and attributes, beside those that are raised."""
WARNED_BY_NAME = (
    "health.clock_ahead", "health.clock_behind", "health.secure_crl_old", "doctor.crashed", "doctor.faulted",
)  # fmt: skip
NEVER = {
    "pin.too_short": "PINs are not made here",
    "keyring.not_kept": "nothing is written",
    "rejected.unknown_id": "of `rejected`",
    "settings.rejoin_first": "of a gate: who looks does not rejoin",
    "sync.drop_enrol": "of an enrolment",
    "store.closed": "of a program that ends",
    "store.older_database": "the file is not upgraded by who looks; see `store.newer_database`",
    "keyring.backends.fail": "a module's name",
}


def codes() -> dict[str, str]:
    """Code → result: 'failed', 'warning', 'info', or two of them."""
    known = catalogue("en")
    checks = "\n".join(path.read_text("utf-8") for path in (APP / "wiring" / "diagnosis").glob("*.py"))
    failed = set(RAISED.findall(checks))
    for name in CALLED:
        failed |= set(RAISED.findall((APP / name).read_text("utf-8")))
    for name in SAYING:
        failed |= set(SAID.findall((APP / name).read_text("utf-8")))
    failed |= {f"sync.offline_{kind}" for kind in OFFLINE_KINDS} | {"sync.forbidden", "sync.bug", "sync.in_between"}
    failed |= {f"sync.forbidden_{code}" for code in KNOWN_FORBIDDEN}
    failed |= {f"reader.{one.value}" for one in ReaderCondition if not one.usable}
    failed |= {f"reason.{one.value}" for one in Reason if one.value.startswith("secure_")}
    failed |= {f"reason.{one}" for one in ("assurance_too_low", "card_stopped", "random_id", "blank_id")}
    failed |= {code for code in known if code.startswith("doctor.") and known[code].remedy}  # what is well has none
    failed |= {"sync.proxy_login", *CLOSED}
    warned = {code: "info" if info else "warning" for code, info in WARNED.findall(checks)}
    warned |= dict.fromkeys(WARNED_BY_NAME, "warning") | {"doctor.windows_pcsc_plain": "info"}
    note = (APP / "wiring" / "updates.py").read_text("utf-8").partition("def note(")[2].partition("\ndef ")[0]
    warned |= dict.fromkeys(re.findall(r"\"(update\.[a-z_]+)\"", note), "warning")
    failed = {code for code in failed if code in known} - set(NEVER)
    found = {code: "failed" for code in failed - set(warned)}
    found |= warned
    for one in ReaderCondition:
        if not one.usable:
            found[f"reader.{one.value}"] = "failed, warning"
    return found


def main() -> None:
    known = catalogue("en")
    for code, result in sorted(codes().items()):
        title = re.sub(r"\{\w+\}", "…", known[code].title)
        print(f"| `{code}` | {result} | {title} |")


if __name__ == "__main__":
    main()
