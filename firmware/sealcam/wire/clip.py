"""The sealed clip `SCL1`: written front to back, cut off at any byte, read at any place (design/wire.md section 7).

The names that other parts use. A clip is a file, or any other source of byte ranges, and is never loaded as a whole:

- `clip_format` knows where bytes stand, `clip_header` who sealed them for whom, `clip_source` where they come from;
- `ClipWriter` seals, `Reader` opens, `verify` tells what a clip is without its key;
- `recover` closes a clip after a power cut, `blanked` makes a copy with segments taken out.
"""

from sealcam.wire.clip_format import (
    CHECKPOINT_BYTES,
    MAX_CHUNKS,
    SCL1,
    Checkpoint,
    CheckpointKind,
    Geometry,
)
from sealcam.wire.clip_header import (
    CLIP_ID_BYTES,
    ClipInfo,
    Header,
    check_content_key,
    content_key,
    read_header,
    read_info,
    segment_keys,
)
from sealcam.wire.clip_reader import Reader
from sealcam.wire.clip_recover import Recovered, recover
from sealcam.wire.clip_share import blanked
from sealcam.wire.clip_source import BytesSource, FileSource, Source
from sealcam.wire.clip_verify import SegmentStatus, State, Status, verify, verify_segment
from sealcam.wire.clip_walk import Progress
from sealcam.wire.clip_writer import ClipWriter, Closed

__all__ = [
    "CHECKPOINT_BYTES",
    "CLIP_ID_BYTES",
    "MAX_CHUNKS",
    "SCL1",
    "BytesSource",
    "Checkpoint",
    "CheckpointKind",
    "ClipInfo",
    "ClipWriter",
    "Closed",
    "FileSource",
    "Geometry",
    "Header",
    "Progress",
    "Reader",
    "Recovered",
    "SegmentStatus",
    "Source",
    "State",
    "Status",
    "blanked",
    "check_content_key",
    "content_key",
    "read_header",
    "read_info",
    "recover",
    "segment_keys",
    "verify",
    "verify_segment",
]
