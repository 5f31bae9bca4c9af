"""The eye's wish that the board is restarted, under real systemd: a file, and the unit that waits for it.

Only what systemd does when that unit has ended is taken out; what it would do is read from the unit as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.container import Container, eventually

PATH, SERVICE = "sealcam-reboot.path", "sealcam-reboot.service"
WISH = "/run/sealcam/reboot"
STILL = f"/run/systemd/system/{SERVICE}.d/still.conf"
# It stays active, so that what was asked for is still seen a second later.
TEXT = "[Unit]\nSuccessAction=none\n[Service]\nRemainAfterExit=yes\n"


@pytest.fixture
def still(container: Container) -> Iterator[Container]:
    """The container, where that unit restarts nothing."""
    assert container.show(SERVICE, "SuccessAction") == "reboot"
    container.write(STILL, TEXT)
    container.sh("systemctl daemon-reload; mkdir -p /run/sealcam")
    assert container.show(SERVICE, "SuccessAction") == "none"
    yield container
    container.sh(f"rm -f {WISH}; systemctl stop {PATH} {SERVICE}; rm -r {STILL}; systemctl daemon-reload")


def test_the_board_is_restarted_once_the_eye_has_asked_for_it(still: Container) -> None:
    still.run("systemctl", "start", PATH)
    assert still.show(PATH, "ActiveState") == "active"
    assert still.show(SERVICE, "ActiveState") == "inactive"
    still.run("touch", WISH)
    eventually(lambda: still.show(SERVICE, "ActiveState") == "active", 60, "the unit that restarts the board")
    assert still.show(SERVICE, "Result") == "success"


def test_nobody_restarts_the_board_where_the_unit_that_waits_is_off(still: Container) -> None:
    assert still.run("systemctl", "list-unit-files", "--no-legend", PATH).split()[1] == "disabled"
    still.run("touch", WISH)
    assert still.show(PATH, "ActiveState") == "inactive"
    assert still.show(SERVICE, "ActiveState") == "inactive"
