"""A recipient's public key in a picture of its QR code, as `sealcam-hub share key` shows one.

The picture is read by a locked-up process (`media_code`), is kept nowhere, and nothing of it is logged.
design/hub.md, "Sharing".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sealcam.wire.errors import ConfigError
from sealcam_hub.media import Bounds, Media, MediaError
from sealcam_hub.media_messages import MOST_PICTURE_BYTES, Job
from sealcam_hub.recipient import read_recipient

MODULE = "sealcam_hub.media_code"
BOUNDS = Bounds(cpu_s=20, all_s=60.0, silent_s=60.0, film_bytes=1024)
NO_KEY = "no recipient's key can be read in that picture"
HINT = (
    "let the QR code fill the picture, straight and sharp, as a JPEG, PNG or WebP file of"
    f" {MOST_PICTURE_BYTES >> 20} MiB at most; or paste the 64 digits"
)


@dataclass(frozen=True, slots=True)
class Codes:
    """Reads pictures, one at a time; safe to share between threads, which wait for each other."""

    media: Media = field(default_factory=lambda: Media(BOUNDS, MODULE))

    def key(self, picture: bytes) -> bytes:
        """The public key (X25519) in a picture's QR code; blocks.

        Raises:
            ConfigError: whatever is wrong with it, or if it can't be read here.
        """
        said = bytearray()
        try:
            if len(picture) > MOST_PICTURE_BYTES:
                raise MediaError("the picture is too large")
            self.media.run(Job(people=False), [picture], said.extend)
            return read_recipient(said.decode())
        except (MediaError, ConfigError, UnicodeDecodeError) as error:
            raise ConfigError(NO_KEY, HINT) from error
