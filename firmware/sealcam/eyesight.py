"""Makes the detector that the configuration asks for: the one place where models, runtime and sight meet.

The eye, replay, the bench and the evaluation all call `open_detector`, so what is measured is what runs. How the models
share the work is `sealcam.sight.panel`'s. See design/sight.md, detectors.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic

from sealcam import models
from sealcam.board import npu as npus
from sealcam.board import npu_check
from sealcam.board.litert import LiteRtNetwork, runtime_name
from sealcam.board.protocols import Network
from sealcam.config import ModelSettings
from sealcam.sight.advisers import BACK_SHARE, Adviser, BackAdviser, ModelAdviser, TileAdviser
from sealcam.sight.candidates import Awaited, Candidates
from sealcam.sight.panel import Panel, Trouble
from sealcam.sight.spec import ModelSpec
from sealcam.sight.tiles import Tiles
from sealcam.wire.errors import ModelError

_log = logging.getLogger(__name__)

OFF, AUTO = "off", "auto"
# Behind a first stage the model itself is an adviser: asked sooner, and more often, than a second opinion is.
STAGED_HZ, STAGED_EXPLORE_S = 4.0, 0.25
# The second model takes 50 MB while it is loaded: on a board with less memory than this, `auto` leaves it out.
AUTO_LEAST_BYTES = 900 << 20

Wrap = Callable[[Network], Network]


def open_detector(
    settings: ModelSettings,
    *,
    wrap: Wrap = lambda network: network,
    wrap_further: Wrap = lambda network: network,
    folders: Sequence[Path] | None = None,
    npu_allowed: Callable[[], bool] = lambda: True,
) -> Panel:
    """The detector for one source; make another one for the next, it remembers what it saw.

    `wrap` may put a stopwatch around the first model's network, `wrap_further` around the others'; `folders` are where
    models lie, instead of the usual places. A second model that isn't here, or a neural processor that isn't used, is a
    trouble that `Panel.tend` tells. `npu_allowed` is asked once, where one would be used.

    Raises:
        ModelError: the model isn't here, isn't what the manifest says, or no runtime is installed.
        ConfigError: what is set for a neural processor can't be read.
    """
    opener = _Opener(settings.threads, folders)
    return _panel(opener, opener.open_main(settings, wrap, npu_allowed), settings, wrap_further)


def open_eyes(
    settings: ModelSettings, *, folders: Sequence[Path] | None = None, npu_allowed: Callable[[], bool] = lambda: True
) -> Panel:
    """As `open_detector`, for a camera that goes on whatever its models are. Without the main one motion alone counts,
    and it is told, as urgently as of an alarm while it is armed; without a further one that alone looks.

    Raises:
        ConfigError: what is set for a neural processor can't be read.
    """
    opener = _Opener(settings.threads, folders)
    try:
        main = opener.open_main(settings, _plain, npu_allowed)
    except ModelError as error:
        words = f"recognises nothing, motion alone is told: {_said(error)}"
        return _noted(_awaiting(opener, settings), [Trouble("model-missing", words, blind=True)])
    try:
        return _panel(opener, main, settings, _plain)
    except ModelError as error:
        words = f"goes on with {settings.name} alone: {_said(error)}"
        alone = _panel(opener, main, replace(settings, first=OFF, second=OFF), _plain)
        return _noted(alone, [Trouble("model-second-missing", words)])


def _awaiting(opener: _Opener, settings: ModelSettings) -> Panel:
    """Motion alone, until the main model can be used after all; then that one by itself, on the processor."""

    def find() -> Candidates | None:
        try:
            found = opener.candidates(settings.name, _plain)
        except ModelError:
            return None
        panel.note(Trouble("model-works", f"{settings.name} is here now, and recognises again", blind=False))
        return found

    panel = Panel(Awaited(find))
    return panel


def _panel(opener: _Opener, main: _Main, settings: ModelSettings, wrap_further: Wrap) -> Panel:
    """The models as they share the work.

    Raises:
        ModelError: a further one can't be used.
    """
    network, spec = main.network, main.spec
    # Candidates of their own: they share the network, and not what is prepared for one size of picture.
    closer: list[Adviser] = [BackAdviser(Candidates(network, spec, share=BACK_SHARE))]
    if settings.tiles:
        closer.append(TileAdviser(Tiles(Candidates(network, spec), spec.input)))
    if settings.first != OFF:
        first = opener.candidates(settings.first, wrap_further)
        behind = ModelAdviser(settings.name, lambda: Candidates(network, spec))
        return _noted(Panel(first, [behind, *closer], further_hz=STAGED_HZ, explore_s=STAGED_EXPLORE_S), main.told)
    second = opener.second_of(settings)
    advisers = closer
    if second is not None and opener.is_here(second):
        load = partial(opener.candidates, second, wrap_further)
        advisers = [closer[0], ModelAdviser(second, load, give_back), *closer[1:]]
    panel = Panel(Candidates(network, spec), advisers, further_hz=settings.second_hz)
    if second is not None and not opener.is_here(second):
        words = f"the model {second} isn't here: goes on with {settings.name} alone"
        words += f"; get it with: make model NAME={second}"
        panel.note(Trouble("model-second-missing", words))
    return _noted(panel, main.told)


def _plain(network: Network) -> Network:
    return network


def _said(error: ModelError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _noted(panel: Panel, troubles: Sequence[Trouble]) -> Panel:
    for trouble in troubles:
        panel.note(trouble)
    return panel


def give_back() -> None:
    """Give freed memory back to the system: after a model of 50 MB, half of it would stay with the process."""
    with contextlib.suppress(OSError, AttributeError):  # another C library keeps its own house
        ctypes.CDLL(None).malloc_trim(0)


def memory_bytes() -> int | None:
    """How much memory this board has; none where it doesn't say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class _Main:
    """The model that looks at everything, ready to run; what there is to tell of its neural processor."""

    network: Network
    spec: ModelSpec
    told: list[Trouble]


class _Opener:
    """Loads models by name, for one runtime and from one set of folders."""

    def __init__(self, threads: int, folders: Sequence[Path] | None) -> None:
        self._threads = threads
        self._folders = folders
        self._runtime = runtime_name()

    def open(self, name: str, wrap: Wrap) -> tuple[Network, ModelSpec]:
        """A model ready to run; its file's bytes are not kept beyond what the runtime keeps."""
        loaded = models.load(name, self._runtime, self._folders)
        return wrap(LiteRtNetwork(loaded.content, self._threads)), loaded.spec

    def open_main(self, settings: ModelSettings, wrap: Wrap, npu_allowed: Callable[[], bool]) -> _Main:
        """The model that looks at everything, on a neural processor where one passes its trial; what there is to tell.

        The others are loaded while the camera works, when nothing may be tried: they stay on the processor.

        Raises:
            ModelError: it can't be used on the processor either.
            ConfigError: what is set for a neural processor can't be read.
        """
        loaded = models.load(settings.name, self._runtime, self._folders)
        refused: list[str] = []
        try:
            found = npus.candidates(settings.npu, settings.npu_options)
        except npus.NpuMissingError as error:  # no package's removal ends a camera
            found, refused = (), [f"the neural processor isn't used: {error.message}"]
        if found and not npu_allowed():
            words = f"{found[0].name} isn't used this time: the camera ended early with it"
            network = wrap(LiteRtNetwork(loaded.content, self._threads))
            return _Main(network, loaded.spec, [Trouble("npu-unsteady", words)])
        accelerated = self._accelerated(found, loaded.content, refused)
        told = [Trouble("npu-refused", "; ".join(refused))] if refused else []
        return _Main(wrap(accelerated or LiteRtNetwork(loaded.content, self._threads)), loaded.spec, told)

    def _accelerated(self, found: Sequence[npus.Npu], content: bytes, refused: list[str]) -> LiteRtNetwork | None:
        """The model on the first neural processor that passes its trial and then takes it; why others don't."""
        ends = monotonic() + npu_check.WITHIN_S  # for all: the service manager waits for the start
        for npu in found:
            trial = npu_check.try_out(npu, content, self._threads, max(0.0, ends - monotonic()))
            words = trial.words
            if trial.good:
                try:
                    network = LiteRtNetwork(content, self._threads, npu)
                except ModelError as error:  # unplugged since, or somebody else has it
                    words = error.message
                else:
                    _log.info("%s looks in %.0f ms, the processor in %.0f", npu.name, trial.npu_ms, trial.cpu_ms)
                    return network
            refused.append(f"{npu.name} isn't used: {words}")
        return None

    def candidates(self, name: str, wrap: Wrap) -> Candidates:
        """A model as the panel takes it."""
        return Candidates(*self.open(name, wrap))

    def is_here(self, name: str) -> bool:
        """Whether a file for this model lies here."""
        return models.is_here(name, self._runtime, self._folders)

    def second_of(self, settings: ModelSettings) -> str | None:
        """The name of the second model, if any; `auto` is the default model's, where there is memory for it."""
        if settings.second == OFF:
            return None
        if settings.second != AUTO:
            return settings.second
        known = models.manifest(self._folders)
        memory = memory_bytes()
        small = memory is not None and memory < AUTO_LEAST_BYTES
        return known.second if settings.name == known.default and not small else None
