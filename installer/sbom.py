"""The list of what is in a build, in CycloneDX JSON: `python -m installer.sbom`, after a build.

What is known of each distribution comes from `cyclonedx-py`, which describes this environment; what is in the list is
what PyInstaller took into the build (`licences/contents.json`), and nothing else of this environment.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.version import VERSION
from installer.build import EPOCH, NAME, PLATFORM
from installer.contents import COMPANY, PRODUCT, ROOT
from installer.licences import FOLDER

SPEC_VERSION = "1.6"
DIST = ROOT / "dist"
ITSELF = f"{NAME}=={VERSION}"


def make(contents: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The list. `contents`: of `delivered.described`; `known`: what `cyclonedx-py` says of an environment.

    A distribution that is not in the environment in this version (another platform's) has its name, version and purl
    alone. Every component is a dependency of the program; what depends on what is kept among those in the list.
    """
    by_name = {(_canonical(one["name"]), one["version"]): one for one in known["components"]}
    components = [
        by_name.get((_canonical(one["name"]), one["version"]), _distribution(one)) for one in contents["distributions"]
    ]
    components += [*_carried(contents), *(_system(one) for one in contents["system"])]
    components.sort(key=lambda one: (one["name"].lower(), one["version"]))
    refs = {one["bom-ref"] for one in components}
    depends = {one["ref"]: one.get("dependsOn", []) for one in known["dependencies"]}
    return {
        "$schema": known["$schema"],
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": {
            **{name: known["metadata"][name] for name in ("timestamp", "tools") if name in known["metadata"]},
            "component": _itself(contents),
        },
        "components": components,
        "dependencies": [
            {"ref": ITSELF, "dependsOn": sorted(refs)},
            *({"ref": ref, "dependsOn": sorted(refs & set(depends.get(ref, ())))} for ref in sorted(refs)),
        ],
    }


def environment(python: str = sys.executable) -> dict[str, Any]:
    """What `cyclonedx-py` says of an environment; its times are SOURCE_DATE_EPOCH. Raises CalledProcessError."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--sv", SPEC_VERSION, "--of", "JSON"]
    env = {"SOURCE_DATE_EPOCH": str(EPOCH), **os.environ}
    done = subprocess.run([*command, "--output-reproducible", python], env=env, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def faults(text: str) -> str | None:
    """What is wrong with a list by CycloneDX's own schema, which comes with its library; None when nothing is."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return None if found is None else str(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the list of a build and check it. Raises SystemExit when it is not valid."""
    parser = argparse.ArgumentParser(prog="python -m installer.sbom", description=__doc__)
    parser.add_argument("build", type=Path, nargs="?", default=DIST / PLATFORM / NAME, help="folder of the build")
    parser.add_argument("--out", type=Path, help="default: dist/sbom/genba-touch-VERSION-PLATFORM.cdx.json")
    args = parser.parse_args(arguments)
    contents = json.loads((args.build / FOLDER / "contents.json").read_text("utf-8"))
    text = json.dumps(make(contents, environment()), ensure_ascii=False, indent=1) + "\n"
    if wrong := faults(text):
        raise SystemExit(f"The list is not valid CycloneDX: {wrong}")
    out = args.out or DIST / "sbom" / f"{NAME}-{VERSION}-{contents['platform']}.cdx.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, "utf-8")
    print(f"{out}: {len(contents['distributions'])} distributions, {len(contents['system'])} system packages")
    return 0


def _itself(contents: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "application",
        "bom-ref": ITSELF,
        "name": NAME,
        "version": VERSION,
        "description": f"{PRODUCT} ({contents['platform']})",
        "supplier": {"name": COMPANY},
        "licenses": [{"expression": "Apache-2.0 AND EUPL-1.2"}],
    }


def _distribution(one: dict[str, str]) -> dict[str, Any]:
    name, version = one["name"], one["version"]
    purl = f"pkg:pypi/{_canonical(name)}@{version}"
    return {"type": "library", "bom-ref": f"{name}=={version}", "name": name, "version": version, "purl": purl}


def _system(one: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": one["purl"],
        "name": one["name"],
        "version": one["version"],
        "purl": one["purl"],
    }


def _carried(contents: dict[str, Any]) -> list[dict[str, Any]]:
    """What is compiled into other things, and Python itself."""
    rows = [
        ("Python", contents["python"], "PSF-2.0"),
        ("Qt", contents["qt"], "LGPL-3.0-only"),
        ("SQLCipher", contents["sqlcipher"], "BSD-3-Clause"),
        ("SQLite", contents["sqlite"], "blessing"),
        *(("OpenSSL", version, "Apache-2.0") for version in contents["openssl"]),
    ]
    return [
        {
            "type": "library",
            "bom-ref": f"{name}@{version}",
            "name": name,
            "version": version,
            "licenses": [{"license": {"id": licence}}],
            "purl": f"pkg:generic/{name.lower()}@{version}",
        }
        for name, version, licence in rows
    ]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
