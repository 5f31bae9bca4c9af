"""The container's root with the real picamera2 on libcamera's virtual camera, and the recorded scene that it shows.

Two minutes the first time, beside the container's root itself, from the machine's package indexes; kept in
`build/cache`. What a Pi has and this machine hasn't is answered by `buffers.c` and `virtualcam.py`, in that root alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np

from tests.system.root import CACHE, VENV, cached_root, inside

PICAMERA2 = "0.3.38"
SCENE = "/var/scene"
LIBRARY = "/usr/lib/virtualcam/buffers.so"
SETTINGS = "/usr/share/libcamera/pipeline/virtual/virtual.yaml"
WIDTH_PX, HEIGHT_PX = 1920, 1080
VIRTUAL = f"""
"Scene":
  supported_formats:
  - width: {WIDTH_PX}
    height: {HEIGHT_PX}
    frame_rates: [10, 30]
  - width: 640
    height: 360
    frame_rates: [10, 30]
  frames:
    path: "{SCENE}/"
    scale_mode: "fill"
  location: "CameraLocationFront"
  model: "Scene"
"""
_HERE = Path(__file__).parent
_PARTS = ("buffers.c", "virtualcam.py")
_INSTALL = f"""
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends \\
    python3-libcamera libcamera-ipa gcc libc6-dev linux-libc-dev python3-dev libcap-dev >/dev/null
sed -i 's/^include-system-site-packages = .*/include-system-site-packages = true/' {VENV}/pyvenv.cfg
{VENV}/bin/python -m pip install -q --no-cache-dir --disable-pip-version-check --no-input picamera2=={PICAMERA2}
mkdir -p {Path(LIBRARY).parent} {Path(SETTINGS).parent}
gcc -shared -fPIC -O2 -Wall -Werror -o {LIBRARY} /mnt/buffers.c
packages=$(echo {VENV}/lib/python3*/site-packages)
cp /mnt/virtualcam.py "$packages/"
echo 'import virtualcam' >"$packages/virtualcam.pth"
apt-get clean
rm -rf /var/lib/apt/lists/*
"""


def camera_root() -> Path:
    """The root's folder, made if it isn't there.

    Raises:
        RootError: a tool is missing, or the network is away.
    """
    base = cached_root()
    made_from = "\0".join((base.name, _INSTALL, *((_HERE / name).read_text() for name in _PARTS)))
    root = CACHE / f"picamera-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}"
    with (CACHE / ".picamera.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not root.exists():
            for old in CACHE.glob("picamera-*"):
                shutil.rmtree(old)
            sys.stderr.write("sealcam: installing picamera2 for the tests (once; about two minutes)\n")
            half = root.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            subprocess.run(("cp", "-a", str(base), str(half)), check=True)
            inside(half, _HERE, _INSTALL)
            (half / SETTINGS[1:]).write_text(VIRTUAL)
            half.rename(root)
    return root


def record(clip: Path, folder: Path, *, first: int, count: int, step: int) -> None:
    """Put every so manieth picture of a recording into a folder, noisy as a sensor's, as large as the camera's."""
    chance = np.random.default_rng(1)
    with av.open(str(clip)) as source:
        pictures = itertools.islice(source.decode(video=0), first, first + count * step, step)
        for number, picture in enumerate(pictures):
            shown = cv2.resize(picture.to_ndarray(format="bgr24"), (WIDTH_PX, HEIGHT_PX))
            noise = chance.normal(0, 2, (HEIGHT_PX, WIDTH_PX, 1))
            cv2.imwrite(str(folder / f"{number}.jpg"), (shown + noise).clip(0, 255).astype(np.uint8))
