"""What a station does when the centre asks: a new secret for itself, or its own end (docs/central.md, "A lost PC").

Every step is kept before the next is begun, and may be done again: a kill between any two loses nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from app.errors import CentreRefused, InputRefused, StorageTrouble
from app.secrets import CLIENT_SECRET, NEXT_SECRET, new_client_secret
from app.settings import DataDir
from app.store import closing, wipe
from app.store.closing import MOVED, WITHDRAWN, Closing
from app.store.database import Database
from app.store.meta import Meta
from app.sync.http import CentreClient
from app.sync.trouble import Forbidden
from app.sync.wire import ASK_ROTATE, ASK_WITHDRAW, ChainEnd

if TYPE_CHECKING:
    from app.wiring.station import Station

log = logging.getLogger(__name__)

ROTATE_FIRST = "rotate_first"
"""Name under which it is kept that this copy must change its secret before it delivers anything, so that another copy
cannot any more: '1'."""
BEGUN, WIPED, TOLD = "begun", "wiped", "told"
"""How far a withdrawal is; '' before: what waits is still being sent."""


class Duties:
    """`app.sync.calls.Duties` of an open station. Engine's thread."""

    def __init__(self, station: Station, client: CentreClient) -> None:
        self._station, self._client = station, client
        self._first = Meta(station.db).get(ROTATE_FIRST) == "1"
        self._left_over = True
        """Whether a change of the secret may have been cut off: looked for once, for a keyring may ask its user."""

    def asked(self) -> bool:
        """See the protocol."""
        return self._first or self._client.asked in (ASK_ROTATE, ASK_WITHDRAW)

    def run(self) -> bool:
        """See the protocol. Raises CentreRefused `station.withdrawn` once it is."""
        found = closing.closing(self._station.db)
        if found is not None and found.code == WITHDRAWN and found.detail:
            self._end(found)
        self._client.sign_in(anew=False)
        if self._client.asked == ASK_WITHDRAW or found is not None:
            return self._withdraw(found)
        if self._client.asked == ASK_ROTATE or self._first or self._cut_off():
            rotate(self._station, self._client)
            self._first = False
            return True
        return False

    def _cut_off(self) -> bool:
        first, self._left_over = self._left_over, False
        return first and self._station.vault.get(NEXT_SECRET) is not None

    def _withdraw(self, found: Closing | None) -> bool:
        """Record nothing more; once all is sent, wipe."""
        db = self._station.db
        if found is not None and self._client.asked != ASK_WITHDRAW:
            if found.code == WITHDRAWN:  # it was found before anything was wiped
                closing.reopen(db)
            return True
        if found is None:
            log.warning("the centre takes this PC out of service: nothing is recorded any more")
            closing.close_for(db, WITHDRAWN)
        if self._station.outbox.counts().pending == 0:
            self._end(Closing(WITHDRAWN, ""))
        return True

    def _end(self, found: Closing) -> None:
        """What is left of it, from where it was cut off. Raises CentreRefused at the end."""
        if found.detail in ("", BEGUN) and not finish_wiping(self._station.db, self._station.data):
            return
        if found.detail != TOLD:
            seq, head = self._station.events.chain_head()
            try:
                self._client.say_withdrawn(ChainEnd(seq, head.hex()))
            except Forbidden as refusal:
                if refusal.problem_code != "station_revoked":  # else: it knows; only its answer was lost
                    raise
            closing.close_for(self._station.db, WITHDRAWN, TOLD)
        raise withdrawn(self._station)


def refuse_closed(station: Station) -> None:
    """Let no folder be used that has come to its end; a wipe that was cut off goes on first.

    Raises CentreRefused `station.withdrawn`, InputRefused `station.moved`, StorageTrouble.
    """
    found = closing.closing(station.db)
    if found is None:
        return
    if found.code == MOVED:
        raise InputRefused(MOVED, found.detail)
    if found.detail == BEGUN:
        finish_wiping(station.db, station.data)
    if found.detail == TOLD:
        raise withdrawn(station)


def standing(db: Database) -> tuple[str, ...]:
    """For the gate's standing warnings: why nothing is recorded here any more. Raises StorageTrouble."""
    found = closing.closing(db)
    return (found.code,) if found else ()


def finish_wiping(db: Database, data: DataDir) -> bool:
    """Wipe, and write down that it is done; False: not yet, call it again. Raises StorageTrouble."""
    from app.wiring.imports import BOOK  # brings everything that reads files

    closing.close_for(db, WITHDRAWN, BEGUN)
    try:
        done = wipe.wipe_database(db, (BOOK,))
    except StorageTrouble as trouble:
        if trouble.code != "store.disk_full":
            raise
        wipe.drop_copies(db, data.kept_aside())  # to write the file anew takes as much room as it has
        done = wipe.wipe_database(db, (BOOK,))
    for copy in wipe.drop_copies(db, data.kept_aside()):  # after it: no copy that is made from now on holds anybody
        log.warning("kept, for it may hold records that are nowhere else: %s", copy)
    if done:
        closing.close_for(db, WITHDRAWN, WIPED)
    return done


def withdrawn(station: Station) -> CentreRefused:
    """What is said of a PC that was withdrawn."""
    return CentreRefused(WITHDRAWN, station.settings.support_contact or "")


def rotate(station: Station, client: CentreClient) -> None:
    """Change the client secret. Until the centre has opened for the new one, it opens for the old one too.

    The new secret is in the keyring before the centre hears of it, and in `recovery.sealed` and in its place before the
    old one ends; cut off anywhere, the same call goes on. Raises GenbaErrors.
    """
    from app.wiring.sealed import changing, seal  # brings cryptography, 6 MB that few runs need

    vault, data = station.vault, station.data
    with changing(data):
        held = vault.get(NEXT_SECRET)
        new = held.decode() if held is not None else new_client_secret()
        if held is None:
            vault.set(NEXT_SECRET, new.encode())
        if vault.require(CLIENT_SECRET) != new.encode():
            client.name_next_secret(new)
            seal(data, station.settings, vault, station.identity.station_id, new)
            vault.set(CLIENT_SECRET, new.encode())
        station.secret = new
        client.sign_in(anew=True)
        vault.delete(NEXT_SECRET)
    if Meta(station.db).get(ROTATE_FIRST) == "1":
        Meta(station.db).set(ROTATE_FIRST, "0")
    log.info("the client secret was changed")


def rotate_now(station: Station) -> None:
    """`genba-touch rotate-secret`. Raises GenbaErrors, InputRefused `rotate.carried` where letters are carried."""
    client = station.client()
    try:
        if not isinstance(client, CentreClient):
            raise InputRefused("rotate.carried", station.settings.centre_url)
        rotate(station, client)
    finally:
        client.close()
