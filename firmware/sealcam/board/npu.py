"""Neural processors, as far as the configuration knows them: which of TensorFlow Lite's external delegates to try.

Whether one may be believed `npu_check` finds out. design/sight.md, neural processors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sealcam.wire.errors import ConfigError

# What `auto` looks for, by the file names of the makers' own packages, in this order; and which files of `systemd/npu`
# let the eye's unit open its device.
KNOWN = (
    ("Coral Edge TPU", "libedgetpu.so.1", ("npu-coral-usb", "npu-coral-pcie")),
    ("Arm Ethos-U", "libethosu_delegate.so", ("npu-ethos-u",)),
    ("NXP or VeriSilicon NPU", "libvx_delegate.so", ("npu-vx",)),
    ("Arm NN", "libarmnnDelegate.so.29", ("npu-mali",)),
    ("GPU", "libtensorflowlite_gpu_delegate.so", ("npu-mali", "npu-jetson")),
)
FOLDERS = ("/usr/lib", "/usr/lib/aarch64-linux-gnu", "/usr/local/lib")
AUTO, OFF = "auto", "off"


class NpuMissingError(ConfigError):
    """A library that the configuration names isn't there, or no longer: its package was removed."""


@dataclass(frozen=True, slots=True)
class Npu:
    """A delegate: what people call it, its library, and what its maker lets be set."""

    name: str
    library: str
    options: Mapping[str, str] = field(default_factory=dict)


def candidates(wanted: str, options: str, folders: Sequence[str] = FOLDERS) -> tuple[Npu, ...]:
    """What to try for the configuration's `npu` and `npu_options` (`key:value; key:value`).

    Raises:
        NpuMissingError: a named library isn't there.
        ConfigError: options that can't be read.
    """
    if wanted == OFF:
        return ()
    named = _options(options)
    if wanted != AUTO:
        if not Path(wanted).is_file():
            raise NpuMissingError(f"there is no library {wanted}", "name the file of a delegate, or `auto`, or `off`")
        return (Npu(Path(wanted).name, wanted, named),)
    found = ((name, _file(library, folders)) for name, library, _ in KNOWN)
    return tuple(Npu(name, library, named) for name, library in found if library is not None)


def drop_ins(one: Npu) -> tuple[str, ...]:
    """The drop-ins of which one lets the eye's unit open its device; all there are where the library isn't known."""
    named = [files for _, library, files in KNOWN if library == Path(one.library).name]
    return named[0] if named else tuple(dict.fromkeys(name for *_, files in KNOWN for name in files))


def _options(text: str) -> dict[str, str]:
    pairs = [pair.partition(":") for pair in text.split(";") if pair.strip()]
    if any(not colon or not key.strip() for key, colon, _ in pairs):
        raise ConfigError(f"npu_options can't be read: {text}", "such as: device:usb; performance:high")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _file(library: str, folders: Sequence[str]) -> str | None:
    for folder in folders:
        if (Path(folder) / library).is_file():
            return str(Path(folder) / library)
    return None
