"""Root's commands on a hub whose folder is another user's leave nothing of root's in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.wire.bodies import Stage
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.inbox import Message
from sealcam_hub.receive import Receiver
from tests.hubs import JPEG, WALL_NS, Camera, make

HUB = str(Path(sys.executable).with_name("sealcam-hub"))
OTHER = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody may pass through, with one inside that is root's alone; pytest's own is closed."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made)
        path.chmod(0o711)
        (path / "roots").mkdir(mode=0o700)
        yield path


@pytest.fixture
def hub(place: Path) -> Folder:
    """The hub of user 65534, with an incident and its picture."""
    folder, camera = make(place / "hub"), Camera()
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        camera.claim(home, "Front door")
        mail = [camera.incident(1), camera.incident(1, Stage.END, JPEG)]
        receiver = Receiver(home.store, home.keys, home.clock)
        receiver.take_all([Message(camera.alias, each, WALL_NS + n) for n, each in enumerate(mail)])
    give(folder.path)
    return folder


def give(path: Path) -> None:
    for one in (path, *path.rglob("*")):
        shutil.chown(one, OTHER, OTHER)


def ran(folder: Folder, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [HUB, "--state", str(folder.path), *words]
    return subprocess.run(command, cwd=cwd, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL)


def owners(path: Path) -> set[int]:
    return {one.lstat().st_uid for one in (path, *path.rglob("*"))}


def test_nothing_in_the_folder_becomes_roots_and_what_root_named_is_roots(hub: Folder, place: Path) -> None:
    roots = place / "roots"
    with open_home(hub) as home:
        (incident,) = home.ledger().incidents()
    give(hub.path)
    for words in (
        ("status",),
        ("backup", "-o", str(roots / "sealed")),
        ("backup", "--whole", "-o", "whole"),
        ("backup", "--with-keys", "-o", str(roots / "open")),
        ("thumbnail", incident.id, "-o", str(roots / "picture.jpg")),
        ("share", "key", "-o", str(roots / "key")),
        ("recipients",),
        ("workers", "2"),
        ("delete", incident.id, "--yes"),
    ):
        done = ran(hub, *words, cwd=roots)
        assert done.returncode == 0, (words, done.stderr)
        assert owners(hub.path) == {OTHER}, words
    assert owners(roots) == {0}
    assert {"sealed", "whole", "open", "picture.jpg", "key"} <= {one.name for one in roots.iterdir()}


def test_what_comes_back_belongs_to_whose_the_folder_was(hub: Folder, place: Path) -> None:
    copy = place / "roots" / "copy"
    assert ran(hub, "backup", "--with-keys", "-o", str(copy)).returncode == 0
    back = Folder(place / "back")
    back.path.mkdir(mode=0o700)
    give(back.path)
    done = ran(back, "restore", str(copy))
    assert done.returncode == 0, done.stderr
    assert back.exists
    assert owners(back.path) == {OTHER}
    assert "already" in ran(hub, "backup", "-o", str(copy)).stderr


def test_a_link_put_into_the_folder_leads_root_nowhere(hub: Folder, place: Path) -> None:
    target = place / "roots" / "precious"
    target.write_text("kept")
    (hub.path / "delete.lock").unlink(missing_ok=True)
    (hub.path / "delete.lock").symlink_to(target)
    done = ran(hub, "backup", "--whole", "-o", str(place / "roots" / "whole"))
    assert done.returncode == 1
    assert "Permission denied" in done.stderr
    assert "Traceback" not in done.stderr
    assert (target.read_text(), target.stat().st_uid) == ("kept", 0)


@pytest.mark.parametrize(("for_good", "as_whom"), [(True, OTHER), (False, 0)])
def test_who_serves_can_never_be_root_again(hub: Folder, for_good: bool, as_whom: int) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from sealcam_hub.folder import Folder; from sealcam_hub.ownership import act_as_owner, as_caller\n"
        f"act_as_owner(Folder(Path(sys.argv[1])), for_good={for_good})\n"
        "assert os.getgroups() == [os.getegid()] == [os.getuid()]\n"
        "with as_caller(): print(os.geteuid(), os.getegid())\n"
        "print(os.geteuid(), os.getegid())\n"
    )
    done = subprocess.run([sys.executable, "-c", script, hub.path], text=True, capture_output=True, check=True)
    assert done.stdout.splitlines() == [f"{as_whom} {as_whom}", f"{OTHER} {OTHER}"]
