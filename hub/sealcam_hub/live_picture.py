"""What a viewer of a live view is given: pictures, and words in their place."""

from __future__ import annotations

from dataclasses import dataclass

from sealcam.wire.live import Content
from sealcam_hub.live_age import Age


@dataclass(frozen=True, slots=True)
class Picture:
    """What a player is given next: the beginning of a stream, or pictures. `stream` is another number where times
    begin anew; `arrived_ns` is the hub's boot clock, `media` stands at beginnings."""

    stream: int
    content: Content
    data: bytes
    seen_ns: int
    arrived_ns: int
    age: Age | None = None
    media: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What there is to say instead of a picture: a word for programs (`state`), a sentence for the viewer."""

    state: str
    text: str
