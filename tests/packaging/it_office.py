"""IT's office as IT works: commands typed one after the other, passphrases in the environment, answers on stdin."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import tomli_w

from app.version import VERSION
from installer import signing_config
from installer.signing import Signer
from installer.windows import nsis
from installer.windows.wine import windows_path
from tests.helpers import code_pki
from tests.helpers.station_rig import ROOT, Centre, call
from tests.helpers.tiny_site import SITE_ID

PUBLISHER = "架空建設 情報システム部"
SECRETS = {
    "GENBA_SIGNING_PASSPHRASE": code_pki.PASSPHRASE,
    "GENBA_IT_KEY_PASSPHRASE": "provisioning 合言葉",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent",  # no keyring: the administrator's secret is typed
}
"""Environment of IT's PC; whoever makes an `ItOffice` sets it."""


class ItOffice:
    """Keys, certificate, template and an empty list of updates, for the PCs of one centre."""

    def __init__(self, folder: Path, centre: Centre) -> None:
        folder.mkdir(parents=True)
        self.folder, self.updates, self._keys = folder, folder / "更新 フォルダー", folder / "鍵"
        files = code_pki.make(folder / "証明書", PUBLISHER)
        self.signing = folder / "signing.toml"
        how = {"key": "pkcs12", "file": str(files.p12), "roots": str(files.root)}
        self.signing.write_text(tomli_w.dumps({"schema": 1, "authenticode": how}), "utf-8")
        passphrase = SECRETS["GENBA_IT_KEY_PASSPHRASE"]
        self.genba_touch("provision", "key", self._keys, "--passphrase", typed=[passphrase, passphrase])
        self.genba_touch("update-repo", "new", self.updates, "--keys", self._keys)
        self.template = folder / "base.toml"
        answers = [centre.centre_url, *[""] * 12, windows_path(self.updates)]
        self.genba_touch("provision", "new", self.template, typed=answers)
        words = ["--kind", "administrator", "--name", "情報システム部", "--reason", "配布", "--json"]
        self.administrator = json.loads(call(centre.centre_data, "central", "create-client", *words))

    def genba_touch(self, *words: str | Path, typed: Sequence[str] = ()) -> str:
        """A command of the program, run from source."""
        return self.python("app", *words, typed=typed)

    def python(self, module: str, *words: str | Path, typed: Sequence[str] = (), code: int = 0) -> str:
        """`python -m module …`; what it prints. Fails when it ends with another exit code."""
        done = subprocess.run(
            [sys.executable, "-m", module, *map(str, words)],
            cwd=ROOT,
            input="".join(f"{line}\n" for line in typed),
            capture_output=True,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # no terminal on which a passphrase would be asked for
            check=False,
        )
        assert done.returncode == code, f"{module} {words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def for_companies(self, companies: dict[str, str], program: Path, out: Path) -> tuple[list[dict[str, str]], str]:
        """A set-up for each (file → company), in one command; the summary, and what was printed."""
        table = self.folder / "companies.csv"
        with table.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "company", "station_name", "site_ids"])
            writer.writerows([name, company, "第1ゲート", SITE_ID] for name, company in companies.items())
        words = ["--for", table, "--template", self.template, "--issue-as", self.administrator["client_id"]]
        words += ["--sign-provisioning", self._keys / "it-key-private.pem", "--signing", self.signing, "--out", out]
        words += ["--update-root", self.updates / "update-root.json", "--program", program, "--test-build"]
        told = self.python("installer.package", *words, typed=[self.administrator["client_secret"]])
        with (out / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file)), told

    def common(self, program: Path, out: Path) -> Path:
        """The common set-up, signed."""
        root = self.updates / "update-root.json"
        words = ["--program", program, "--signing", self.signing, "--update-root", root, "--out", out, "--test-build"]
        self.python("installer.windows.nsis", *words)
        return out / f"genba-touch-{VERSION}-setup.exe"

    def common_of(self, program: Path, version: str, out: Path) -> Path:
        """As `common`, of a program with another version than the source's."""
        wanted = nsis.Wanted(program, out, version, update_root=self.updates / "update-root.json", sign=nsis.SIGN)
        signer = Signer(signing_config.load(self.signing), test_build=True)
        return signer.build(program, lambda: nsis.make(wanted), lambda _: None)

    def verify(self, *places: Path, code: int = 0) -> None:
        """Set-ups, or the folder of a program."""
        self.python("installer.signing", "verify", *places, "--config", self.signing, code=code)

    def publish(self, setup: Path, version: str, percent: int) -> None:
        """Put a set-up on the list of updates."""
        words = ["--keys", self._keys, "--version", version, "--platform", "windows-x86_64", "--percent", str(percent)]
        self.genba_touch("update-repo", "add", self.updates, setup, *words)
