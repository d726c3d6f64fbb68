"""From a reader SPEC to the reader. A road's vendor library is imported only when that road is used."""

from __future__ import annotations

from collections.abc import Sequence

from app.clock import Clock
from app.errors import UsageError
from app.readers.felica import FelicaArea
from app.readers.piv import PivCard
from app.readers.port import Reader
from app.readers.profile import Profile
from app.readers.profile_card import profile_card
from app.readers.secure import secure_card
from app.readers.specs import PasoriSpec, PcscSpec, ReaderSpec, ScriptedSpec, WedgeSpec
from app.readers.storage_card import StorageArea, storage_card
from app.readers.trust_folder import TrustFolder
from app.settings import DataDir, Settings


def trust_of(data: DataDir, settings: Settings, clock: Clock) -> TrustFolder:
    """A station's own roots and revocation lists for secure cards."""
    return TrustFolder(data.trust, clock, refuse_days=settings.crl_refuse_days)


def build(
    spec: ReaderSpec,
    clock: Clock,
    trust: TrustFolder | None = None,
    profiles: Sequence[Profile] = (),
    *,
    area: FelicaArea | StorageArea | None = None,
) -> Reader:
    """The reader of a SPEC. `profiles`: by which storage cards are told; `area`: what of them is handed on raw instead.

    Raises UsageError `reader.wedge_needs_window` for a wedge (the window reads the
    keyboard itself), InputRefused for a script with a mistake."""
    match spec:
        case PcscSpec(name_part):
            from app.readers.pcsc import PcscReader

            storage = profile_card(profiles) if profiles else storage_card(area)
            secure = [secure_card([PivCard(trust)], clock)] if trust is not None else []
            return PcscReader(name_part, clock, protocols=[*secure, storage])
        case PasoriSpec(path):
            from app.readers.pasori import PasoriReader

            return PasoriReader(path, clock, area=area if isinstance(area, FelicaArea) else None, profiles=profiles)
        case ScriptedSpec(file):
            from app.readers.scripted import ScriptedReader

            return ScriptedReader(file, clock)
        case WedgeSpec():
            raise UsageError("reader.wedge_needs_window", where="wedge")
