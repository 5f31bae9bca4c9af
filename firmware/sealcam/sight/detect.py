"""Finds people, vehicles and animals in a frame: prepares it, runs the network, reads, merges and places the boxes.

Which runtime runs the network is the caller's choice (`sealcam.board.protocols.Network`); what the model is stands in
its specification (`sealcam.sight.spec`). Keeps nothing from one frame to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Frame, Network
from sealcam.sight.decode import Claims, decoder_for
from sealcam.sight.focus import Look
from sealcam.sight.looks import pooled
from sealcam.sight.prepare import Mapping as FrameMapping
from sealcam.sight.prepare import Preparer
from sealcam.sight.spec import ModelSpec
from sealcam.sight.types import Box, Detection, Subject
from sealcam.wire.errors import ModelError

# Everything else is nothing to a security camera. Models of this size take one animal for another (a light dog for a
# bear) and one vehicle for another, so boxes of a subject compete whatever their label. No birds: they are not worth
# an alarm, and motion at a distance often looks like one. No bicycles: nobody moves one without being seen himself,
# and a parked one is not an event.
SUBJECTS: Mapping[str, Subject] = {
    "person": Subject.PERSON,
    "car": Subject.VEHICLE,
    "bus": Subject.VEHICLE,
    "truck": Subject.VEHICLE,
    "motorcycle": Subject.VEHICLE,
    "vehicle": Subject.VEHICLE,
    "dog": Subject.ANIMAL,
    "cat": Subject.ANIMAL,
    "bear": Subject.ANIMAL,
    "sheep": Subject.ANIMAL,
    "horse": Subject.ANIMAL,
    "cow": Subject.ANIMAL,
    "cattle": Subject.ANIMAL,
}
# More of one subject are noise; the bound keeps a model gone wild from taking the camera's time.
MOST_CLAIMS = 300


class Detector:
    """A network with its specification: frames in, detections out."""

    def __init__(
        self, network: Network, spec: ModelSpec, subjects: Mapping[str, Subject] = SUBJECTS, *, share: float = 1.0
    ) -> None:
        """Bind a network to what is known of its model.

        `subjects` says which of the model's labels count, and as what; `share` is `Preparer`'s.

        Raises:
            ModelError: the network's input or outputs aren't what the specification says.
        """
        picture = spec.input
        expected: tuple[int, ...] = (1, picture.height, picture.width, 3)
        if picture.layout == "NCHW":
            expected = (1, 3, picture.height, picture.width)
        if network.input_shape != expected or network.input_dtype != np.dtype(picture.dtype):
            given = f"{network.input_dtype} {network.input_shape}"
            message = f"the model {spec.name} should take {picture.dtype} {expected}, and takes {given}"
            raise ModelError(message, f"get it again with: make model NAME={spec.name}")
        classes = [index for index, label in enumerate(spec.classes) if label in subjects]
        self._network = network
        self._spec = spec
        self._subjects = [subjects.get(label, Subject.NONE) for label in spec.classes]
        self._groups = np.array([list(Subject).index(subject) for subject in self._subjects])
        self._preparer = Preparer(picture, share)
        self._seen: tuple[NDArray[np.float32], FrameMapping] | None = None
        self._shapes = network.output_shapes
        self._decoder = decoder_for(spec, self._shapes, classes)
        self._broken = False

    @property
    def broken(self) -> bool:
        """Whether what the model said last is what no working model says: no number, no score, another shape."""
        return self._broken

    def detect(self, frame: Frame, threshold: float | None = None) -> tuple[Detection, ...]:
        """What is in the frame, best score first; boxes in the frame's pixels, cut at its edges.

        `threshold` is the lowest score that counts, from 0 to 1 (none: the model's own). What a broken model says is
        nothing at all: what looks right in it does so by chance.

        Raises:
            ModelError: the network failed.
        """
        image, mapping = self._preparer.prepare(frame)
        outputs = self._network.invoke(image)
        self._seen = None
        self._broken = tuple(output.shape for output in outputs) != self._shapes
        if self._broken:
            return ()
        found = self._decoder.decode(outputs, self._spec.threshold if threshold is None else threshold)
        self._broken = not found.sound
        if self._broken:
            return ()
        self._seen = (outputs[-1], mapping)
        if not found.scores.size:
            return ()
        detections = []
        for index in self._best(found):
            box = mapping.to_frame(*found.corners[index].tolist())
            if box.area > 0:  # else it lay beside the picture, in the letterbox
                which = int(found.classes[index])
                subject, label = self._subjects[which], self._spec.classes[which]
                detections.append(Detection(subject, label, float(found.scores[index]), box))
        return tuple(detections)

    def keep(self) -> None:
        """Copy what `look` needs, before somebody else runs the same network."""
        if self._seen is not None and self._spec.embedding_stride is not None:
            self._seen = (self._seen[0].copy(), self._seen[1])

    def look(self, box: Box) -> Look | None:
        """What is in this box of the frame last given to `detect`; none where the model has no map of its backbone."""
        stride = self._spec.embedding_stride
        if stride is None or self._seen is None:
            return None
        features, mapping = self._seen
        return pooled(features[0], mapping.to_input(box), stride)

    def _best(self, found: Claims) -> Sequence[int]:
        """Which claims stay, best first: the better one of two of a subject that overlap (OpenCV's NMS)."""
        corners = found.corners
        rectangles = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1).tolist()
        scores, groups = found.scores.tolist(), self._groups[found.classes].tolist()
        iou = self._spec.decoding.iou
        kept = cv2.dnn.NMSBoxesBatched(rectangles, scores, groups, 0.0, iou, top_k=MOST_CLAIMS)
        return [int(index) for index in kept]
