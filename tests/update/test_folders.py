"""What an archive of the program may hold: nothing of it lands outside the folder it is unpacked into."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import InputRefused
from app.update.folders import unpack


def link(name: str, to: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = tarfile.SYMTYPE, to
    return made


def hard(name: str, to: str) -> tarfile.TarInfo:
    made = link(name, to)
    made.type = tarfile.LNKTYPE
    return made


def device(name: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = tarfile.FIFOTYPE
    return made


@pytest.mark.parametrize(
    "evil",
    [
        lambda out: [tarfile.TarInfo("../out")],
        lambda out: [tarfile.TarInfo("a/../../out")],
        lambda out: [tarfile.TarInfo(str(out))],
        lambda out: [link("a", str(out.parent)), tarfile.TarInfo("a/out")],
        lambda out: [link("a/b", "../../out")],
        lambda out: [link("a", "b"), tarfile.TarInfo("a/out")],
        lambda out: [hard("a", str(out))],
        lambda out: [device("a")],
    ],
    ids=["above", "above again", "whole path", "through a link", "link above", "through a link inside", "hard", "fifo"],
)
def test_nothing_lands_outside(evil: Callable[[Path], list[tarfile.TarInfo]], tmp_path: Path) -> None:
    out = tmp_path / "out"
    archive = tmp_path / "evil.tar.xz"
    with tarfile.open(archive, "w:xz") as made:
        for member in evil(out):
            made.addfile(member, io.BytesIO())
    with pytest.raises(InputRefused) as refused:
        unpack(archive, tmp_path / "lib" / "genba-touch", "0.2.0")
    assert refused.value.code == "update.not_a_program"
    assert sorted(path.name for path in tmp_path.rglob("*")) in (["evil.tar.xz"], ["evil.tar.xz", "lib"])
