"""One target under atheris (coverage-guided, libFuzzer): `python -m tests.fuzz.drive TARGET FOLDER [OPTION ...]`.

FOLDER holds the corpus and is filled with the target's seeds; options are libFuzzer's. With a file among them that
file alone is run: that is how a crash is looked at again.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["sealcam", "sealcam_hub"]):
    from tests.fuzz.targets import TARGETS


def main(name: str, folder: Path, options: list[str]) -> None:
    target = TARGETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (folder / f"seed-{seed.name}").write_bytes(seed.data)
    again = any(not option.startswith("-") for option in options)
    atheris.Setup([f"fuzz-{name}", *([] if again else [str(folder)]), *options], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
