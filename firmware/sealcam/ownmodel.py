"""The verdict model that the owner trained at home: taken by command, checked, kept, and given back.

Kept locked in `STATE/eye/verdict`: weights tell a little of who comes and goes. The shipped model stays where it is. A
kept model that fails a check at a start isn't used, and that is told. Implements design/wire.md section 5.5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from sealcam import verdicts
from sealcam.board.litert import LiteRtNetwork
from sealcam.board.protocols import Network
from sealcam.brevity import shortened
from sealcam.commands import Declined, Handler
from sealcam.golden import checked
from sealcam.lockedfile import LockedFile
from sealcam.sight.judge import Trained
from sealcam.sight.types import ArmMode
from sealcam.sight.verdict import IncidentFeatures, Judge, Judgement
from sealcam.wire import schema
from sealcam.wire.bodies import Outcome
from sealcam.wire.errors import EnvelopeError, ModelError, StorageError
from sealcam.wire.schema import body, key
from sealcam.wire.wishes import CommandType, ModelWish
from sealcam.wrapping import Wrapping

MAGIC = b"VERDICT\x01"
ANY_SHIPPED = bytes(32)  # instead of a SHA-256: whichever the camera was shipped with
_NAME_BYTES = 64


@body
class _Kept:
    """What the file holds: the model's name and its file."""

    name: str = key(1)
    content: bytes = key(2)


class OwnModel:
    """The judge of one camera, which the owner may exchange: by the model in the file at `path`, else the shipped one.

    `trouble` hears why a model isn't used, or failed; `load` makes a model ready to run, `shipped` opens the judge that
    the camera came with. Asked by sight's thread, exchanged by the link's.

    Raises:
        StorageError: the file can't be read.
    """

    def __init__(
        self,
        path: Path,
        wrapping: Wrapping,
        trouble: Callable[[str], None],
        *,
        load: Callable[[bytes], Network] = LiteRtNetwork,
        shipped: Callable[[Callable[[str], None]], Judge] = verdicts.open_judge,
    ) -> None:
        self._file = LockedFile(path, MAGIC, wrapping)
        self._trouble, self._load, self._shipped = trouble, load, shipped
        self._sha256 = b""
        self._judge = self._kept() or shipped(trouble)

    def judge(self, features: IncidentFeatures, mode: ArmMode, *, worded: bool = True) -> Judgement:
        """Judge by the model that is in force now."""
        return self._judge.judge(features, mode, worded=worded)

    @property
    def handlers(self) -> Mapping[CommandType, Handler]:
        """What this part can carry out."""
        return {CommandType.MODEL: self._wish}

    def _kept(self) -> Judge | None:
        data = self._file.read()
        if data is None:
            return None
        try:
            kept = schema.decode(data, _Kept)
            judge = Trained(checked(kept.content, self._load, kept.name), self._trouble)
        except (EnvelopeError, ModelError) as error:
            why = error.message if isinstance(error, ModelError) else "the model from home can't be understood"
            self._trouble(f"{why}; the shipped model judges instead")
            return None
        self._sha256 = hashlib.sha256(kept.content).digest()
        return judge

    def _wish(self, wish: ModelWish) -> str:
        name = shortened(wish.name, _NAME_BYTES)
        try:
            if wish.content is None:
                return self._go_back(wish.sha256, name)
            return self._take(wish.content, wish.sha256, name)
        except (ModelError, StorageError) as error:
            raise Declined(Outcome.FAILED, f"{error.message}; it judges as before") from error

    def _take(self, content: bytes, sha256: bytes, name: str) -> str:
        if hashlib.sha256(content).digest() != sha256:
            raise ModelError(f"{name} isn't what its SHA-256 says")
        judge = Trained(checked(content, self._load, name), self._trouble)
        self._file.write(schema.encode(_Kept(name=name, content=content)))
        self._judge, self._sha256 = judge, sha256
        return f"judges by {name} from now on"

    def _go_back(self, sha256: bytes, name: str) -> str:
        if self._sha256 and sha256 == self._sha256:
            return f"judges by {name} already"
        if sha256 != ANY_SHIPPED and sha256 != hashlib.sha256(verdicts.load()).digest():
            raise ModelError(f"there is no model {name} here")
        self._file.erase()
        self._judge, self._sha256 = self._shipped(self._trouble), b""
        return "judges by the model that it was shipped with"
