"""What the owner has shared: grants made, listed, handed over and revoked, each with its entry in the audit log.

Nothing leaves the home unless it is shared here. A grant, its entry and its row commit together. Revoking and expiry
end what this hub does; what a recipient has opened before stays opened. Implements the hub's part of design/wire.md
section 8; the bytes of a grant are `wire.grant`'s.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from sealcam.wire import statement
from sealcam.wire.bodies import Run
from sealcam.wire.clip import Progress, Source, State, verify, verify_segment
from sealcam.wire.errors import ConfigError, EnvelopeError, SealcamError
from sealcam.wire.grant import make_grant
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import Action, Grant, HubCertificate, granted_segments
from sealcam_hub import audit, redact, share_copies
from sealcam_hub.clip_keys import KnownClip, check_still_opens, known_clip
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.ledger import Ledger
from sealcam_hub.rules import Effect
from sealcam_hub.share_tables import copies
from sealcam_hub.store import Store
from sealcam_hub.tables import grants
from sealcam_hub.wish_words import runs_said

MAX_NAME, MAX_PURPOSE = 64, 500  # letters
VALID, EXPIRED, REVOKED = "valid", "expired", "revoked"


@dataclass(frozen=True, slots=True)
class Share:
    """A grant as this hub keeps it; times are wall time, ns."""

    id: str
    grant: Grant
    name: str
    revoked_ns: int | None
    bundle: bytes


@dataclass(frozen=True, slots=True)
class Offer:
    """What could be handed over: the clip, and how it ends or, for a part, none; every granted segment is signed.

    `copied` says what a clip that was made to be shared is made of, and what was changed.
    """

    clip: KnownClip
    segments: tuple[Run, ...] | None
    state: State | None
    chunks: int
    copied: share_copies.Copied | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """To whom, what for, how long: the recipient's X25519 key and name, the purpose, nanoseconds from now."""

    recipient: bytes
    name: str
    purpose: str
    lasting_ns: int


def may_serve(share: Share, now_ns: int) -> bool:
    """Whether this hub may hand anything of a grant over: it was not revoked, and its date has not passed."""
    return share.revoked_ns is None and now_ns < share.grant.expires_ns


def state(share: Share, now_ns: int) -> str:
    """What stands of a grant."""
    if share.revoked_ns is not None:
        return REVOKED
    return VALID if may_serve(share, now_ns) else EXPIRED


@dataclass(frozen=True, slots=True)
class Shares:
    """The grants of one hub."""

    store: Store
    keys: HubKeys
    clock: Clock

    def offer(self, source: Source, segments: tuple[Run, ...] | None, told: Progress | None = None) -> Offer:
        """What a grant of the clip in `source`, or of these segments, would hand over; verified as its reader will.

        `told` hears how far the check of a whole clip has come.

        Raises:
            SealcamError: no camera of this hub made it, it is damaged, was deleted, or lacks one of the segments.
        """
        try:
            with self.store.reading() as connection:
                clip = known_clip(connection, self.keys, source)
                copied = share_copies.copied(connection, self.keys, clip.header.clip)
            if segments is None:
                status = verify(source, clip.signers, told)
                return Offer(clip, None, status.state, status.chunks, copied)
            parts = [verify_segment(source, clip.header, clip.signers, one) for one in granted_segments(segments)]
            if any(part.blanked or not part.chunks for part in parts):
                raise EnvelopeError
        except EnvelopeError as error:
            hint = "it must be whole, by a camera of this hub, and hold every segment that you name"
            raise SealcamError("this clip can't be shared", hint) from error
        return Offer(clip, segments, None, sum(part.chunks for part in parts))

    def create(self, offer: Offer, terms: Terms, actor: str = audit.OWNER) -> Share:
        """Grant what was offered; its `bundle` is what the recipient gets, once this has returned.

        Raises:
            ConfigError: nothing can be sealed to the recipient's key, the terms aren't words, a rule of the household
                forbids it, or this isn't the home hub, whose log tells of every grant.
            SealcamError: the clip was deleted since it was offered.
            StorageError: the ledger can't be written.
        """
        checked(terms)
        self.check_rules(offer.clip.header.clip)
        now_ns = self.clock.wall_ns()
        with self.store.writing() as connection:
            if not self.keys.is_home:
                raise ConfigError("clips are shared by the home hub alone", "share it there")
            try:  # the owner may have deleted it since it was offered
                check_still_opens(connection, self.keys, offer.clip)
            except EnvelopeError as error:
                raise SealcamError("this clip doesn't open any more", "was it deleted? nothing was shared") from error
            bundle = self._bundle(offer, terms, now_ns, audit.head(connection).hash)
            share = _share(secrets.token_hex(8), terms.name, None, bundle)
            detail = f"clip of {offer.clip.camera} to {terms.name}, {_what(offer)}, for: {terms.purpose}"
            self._entry(connection, Action.SHARED, share, detail, actor, now_ns)
            given = share.grant
            row = {"clip": given.clip, "recipient": given.recipient, "name": terms.name, "bundle": bundle}
            times = {"issued_ns": given.issued_ns, "expires_ns": given.expires_ns}
            connection.execute(insert(grants).values(id=share.id, **row, **times))
        return share

    def check_rules(self, clip: bytes) -> None:
        """Return if the household's rules let a clip of a camera, or the one that a copy was made of, be shared.

        Raises:
            ConfigError: one keeps it from that.
        """
        if Effect.NOT_SHARED in self.effects(clip):
            raise ConfigError("a rule of the household keeps this clip from being shared", "nothing was shared")

    def effects(self, clip: bytes) -> frozenset[Effect]:
        """What the household's rules say of a clip of a camera, or of the one that a copy was made of."""
        with self.store.reading() as connection:
            source = connection.execute(select(copies.c.source).where(copies.c.clip == clip)).scalar()
        incident = Ledger(self.store, self.keys.table).of_clip(clip if source is None else source)
        return frozenset() if incident is None else incident.effects

    def find(self, share_id: str) -> Share:
        """One grant.

        Raises:
            ConfigError: there is no such grant.
        """
        with self.store.reading() as connection:
            return _find(connection, share_id)

    def list(self) -> tuple[Share, ...]:
        """Every grant, the newest first."""
        with self.store.reading() as connection:
            rows = connection.execute(select(grants).order_by(grants.c.issued_ns.desc(), grants.c.id)).all()
        return tuple(_share(row.id, row.name, row.revoked_ns, row.bundle) for row in rows)

    def revoke(self, share_id: str, actor: str = audit.OWNER) -> Share:
        """End a grant: nothing of it is handed over any more.

        Raises:
            ConfigError: there is no such grant, or it is revoked already.
        """
        now_ns = self.clock.wall_ns()
        with self.store.writing() as connection:
            share = _find(connection, share_id)
            if share.revoked_ns is not None:
                raise ConfigError(f"{share.id} is revoked already", "sealcam-hub share list shows what stands")
            connection.execute(update(grants).where(grants.c.id == share.id).values(revoked_ns=now_ns))
            self._entry(connection, Action.REVOKED, share, f"the grant to {share.name}", actor, now_ns)
            return _find(connection, share_id)

    def serve(self, share_id: str, actor: str = audit.OWNER) -> Share:
        """A grant to be handed over once more, if `may_serve`.

        Raises:
            ConfigError: there is no such grant, or by now a rule of the household forbids it.
            SealcamError: it has expired or was revoked.
        """
        self.check_rules(self.find(share_id).grant.clip)
        now_ns = self.clock.wall_ns()
        with self.store.writing() as connection:
            share = _find(connection, share_id)
            if not may_serve(share, now_ns):
                raise SealcamError(f"{share.id} is {state(share, now_ns)}", "share the clip again if you want to")
            self._entry(connection, Action.SERVED, share, f"the grant to {share.name}", actor, now_ns)
        return share

    def _bundle(self, offer: Offer, terms: Terms, now_ns: int, log_prev: bytes) -> bytes:
        clip = offer.clip
        try:
            grant = make_grant(
                self.keys.operating,
                clip.header,
                clip.content_key,
                recipient=terms.recipient,
                segments=offer.segments,
                purpose=terms.purpose,
                issued_ns=now_ns,
                expires_ns=now_ns + terms.lasting_ns,
                log_prev=log_prev,
                signers=clip.signers,
            )
        except EnvelopeError as error:
            hint = "ask the recipient for what `sealcam-hub share key` printed"
            raise ConfigError("nothing can be sealed to this key", hint) from error
        return Bundle(self.keys.root_public, self.keys.certificate, grant).pack()

    def _entry(
        self, connection: Connection, action: Action, share: Share, detail: str, actor: str, now_ns: int
    ) -> None:
        subject, recipient = share.grant.clip, share.grant.recipient
        detail = f"{share.id}: {detail}"
        audit.append(connection, self.keys, now_ns, action, actor, detail, subject=subject, recipient=recipient)


def checked(terms: Terms) -> None:
    """Return if the terms are words that fit.

    Raises:
        ConfigError: they aren't.
    """
    for what, text, limit in (("name", terms.name, MAX_NAME), ("purpose", terms.purpose, MAX_PURPOSE)):
        if not text.strip() or len(text) > limit or not text.isprintable():
            raise ConfigError(f"a {what} has 1 to {limit} printable characters", f"say it with --{what}")


def _what(offer: Offer) -> str:
    if offer.copied is not None:
        return f"made anew: {', '.join(redact.said(offer.copied.redaction)) or 'the whole'}"
    return "the whole" if offer.segments is None else f"segments {runs_said(offer.segments)}"


def _find(connection: Connection, share_id: str) -> Share:
    row: Row[*tuple[Any, ...]] | None = connection.execute(
        select(grants).where(grants.c.id == share_id.lower())
    ).one_or_none()
    if row is None:
        raise ConfigError(f"there is no grant {share_id!r}", "sealcam-hub share list shows them")
    return _share(row.id, row.name, row.revoked_ns, row.bundle)


def _share(share_id: str, name: str, revoked_ns: int | None, bundle: bytes) -> Share:
    """A row, whose bundle was made by this hub or by the one it follows."""
    parts = Bundle.unpack(bundle)
    hub = statement.read(parts.hub_certificate, parts.root_public, HubCertificate).hub
    return Share(share_id, statement.read(parts.answer, hub, Grant), name, revoked_ns, bundle)
