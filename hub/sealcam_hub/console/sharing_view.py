"""A grant as the console shows it, and a clip that is looked at before or after it is shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from sealcam_hub import redact
from sealcam_hub.console.clips import VIDEO
from sealcam_hub.console.log import LogPages
from sealcam_hub.console.ranges import asked
from sealcam_hub.console.session import Session
from sealcam_hub.console.source import OpenClip
from sealcam_hub.console.stream import ClipStream
from sealcam_hub.recipient import key_name
from sealcam_hub.rules import Effect
from sealcam_hub.share_copies import Copies
from sealcam_hub.share_handing import Handing
from sealcam_hub.shares import Share, may_serve, state
from sealcam_hub.vault import Vault
from sealcam_hub.views import ClipView
from sealcam_hub.wish_words import runs_said

IMPROVE = "To improve the software"  # how the purpose of a consent begins: it is signed, and the recipient reads it


@dataclass(frozen=True, slots=True)
class ShareView:
    """A grant, for showing: `changes` is what was changed, `clip` the camera's clip that it is of, where that is known.

    `seen` says whether what was shared can still be looked at here, `consent` whether it is for improving software,
    `held` whether a rule of the household keeps it from being handed over by now, `veiled` whether one veils it.
    """

    id: str
    name: str
    key: str
    state: str
    purpose: str
    consent: bool
    issued_ns: int
    expires_ns: int
    revoked_ns: int | None
    clip: ClipView | None
    part: str
    changes: tuple[str, ...]
    size: int | None
    seen: bool
    held: bool
    veiled: bool


def view(
    share: Share, vault: Vault, copies: Copies, handing: Handing, now_ns: int, effects: frozenset[Effect]
) -> ShareView:
    """A grant, for showing; `effects` are what the household's rules say of it. Blocks."""
    grant = share.grant
    copy = copies.find(grant.clip.hex())
    part = "the whole clip" if grant.segments is None else f"segments {runs_said(grant.segments)}"
    return ShareView(
        id=share.id,
        name=share.name,
        key=key_name(grant.recipient),
        state=state(share, now_ns),
        purpose=grant.purpose,
        consent=grant.purpose.startswith(IMPROVE),
        issued_ns=grant.issued_ns,
        expires_ns=grant.expires_ns,
        revoked_ns=share.revoked_ns,
        clip=vault.clip(grant.clip.hex() if copy is None else copy.source),
        part=part if copy is None else f"{clock_of(copy.facts.lasts_s)} made anew",
        changes=() if copy is None else redact.said(copy.facts.redaction),
        size=handing.size(share),
        seen=copy is not None and copy.there,
        held=Effect.NOT_SHARED in effects and may_serve(share, now_ns),
        veiled=Effect.VEILED in effects,
    )


async def stream(
    log: LogPages, request: Request, session: Session, clip: str, opened: Callable[[], OpenClip]
) -> Response:
    """A clip's content, or a range of it, behind its entry in the log."""
    await to_thread.run_sync(log.watched, session, clip)
    content = await to_thread.run_sync(opened)
    span = asked(request.headers.get("range") if request.method == "GET" else None, content.size)
    headers = {"content-type": VIDEO, "accept-ranges": "bytes"}
    if span is None:
        await to_thread.run_sync(content.close)
        return Response(None, 416, {"content-range": f"bytes */{content.size}"})
    if span.part:
        headers["content-range"] = span.header
    return ClipStream(content, span.first, span.end, 206 if span.part else 200, headers, request.method == "HEAD")


def clock_of(seconds: float) -> str:
    """A length, or a place in a clip: `0:07`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def words_of(digits: str) -> str:
    """Hex digits in groups of four, for comparing."""
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
