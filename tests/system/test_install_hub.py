"""`make install-hub` on a bare Debian 12 and 13: installed, run again, upgraded, and taken away, under real systemd."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from tests.system.container import Container, eventually
from tests.system.root import REPO, VENV, cached_root

STATE, LIB, LINK = "/var/lib/sealcam-hub", "/usr/lib/sealcam", "/usr/lib/sealcam/hub"
COMMAND, PROVISION = "/usr/local/bin/sealcam-hub", "/usr/local/bin/sealcam-provision"
ASSISTANT = "/var/lib/sealcam-hub-assistant"
HUB, BROKER = "sealcam-hub.service", "sealcam-hub-broker.service"
PARTS = ("firmware", "hub", "provisioning", "models", "systemd", "locks")


class Machine:
    """A machine without a hub, and the checkout on it."""

    def __init__(self, container: Container) -> None:
        self.container = container

    def install(self, *words: str, **variables: str) -> str:
        """Run the installer."""
        settings = [f"{name}={value}" for name, value in variables.items()]
        return self.container.run("env", *settings, "/root/sealcam/provisioning/install-hub.sh", *words, timeout_s=600)

    def programs(self) -> str:
        """The folder that the programs are in."""
        return self.container.run("readlink", LINK).strip()

    def hub(self, *words: str) -> str:
        """A command of the hub's, as its user."""
        return self.container.run("runuser", "-u", "sealcam-hub", "--", COMMAND, "--state", STATE, *words)

    def events(self) -> list[str]:
        """What cameras sent, in the ledger's order; not that they are silent by now."""
        return [line for line in self.hub("events", "--json").splitlines() if '"type": "notice"' not in line]

    def kept(self) -> str:
        """Every file of the hub's that no start writes anew, with its hash, owner and mode."""
        changes = "-name ledger.db* -o -name *.pid -o -name *.link -o -name *.lock"
        return self.container.sh(
            f"cd {STATE}; set -f; find . -type f ! '(' {changes} ')' -exec sha256sum '{{}}' + | sort -k 2;"
            f"find . ! '(' {changes} ')' -exec stat -c '%n %U %a' '{{}}' + | sort"
        )

    def main(self, unit: str) -> str:
        """The process of a unit."""
        return self.container.show(unit, "MainPID")


@pytest.fixture(scope="module", params=("trixie", "bookworm"))
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    binds = {f"/mnt/{name}": REPO / name for name in PARTS}
    root = cached_root() if request.param == "trixie" else cached_root(request.param, "hub")
    with Container(root, binds) as container:
        container.sh("mkdir /root/sealcam; cp -r /mnt/firmware /mnt/hub /mnt/provisioning /mnt/models /root/sealcam")
        container.sh("cp -r /mnt/systemd /mnt/locks /root/sealcam")
        for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
            container.write(f"/root/sealcam/{name}", (REPO / name).read_text())
        container.sh("grep -qs localhost /etc/hosts || echo 127.0.0.1 localhost >/etc/hosts")  # an installed one has it
        # There is no network here: the libraries come from the root's own environment, as from an earlier version.
        python = container.run("python3", "--version")
        lock = hashlib.sha256((REPO / "locks/hub.txt").read_bytes() + python.encode()).hexdigest()[:12]
        container.sh(f"cp -a {VENV} {LIB}/hub-{lock}-earlier; touch {LIB}/hub-{lock}-earlier/.whole; rm -rf {VENV}")
        yield Machine(container)


def test_a_person_is_needed_for_the_words_and_says_so_where_there_is_none(machine: Machine) -> None:
    said = machine.install()
    assert "Now make the hub, at a terminal" in said
    assert machine.container.call("test", "-e", f"{STATE}/hub.toml").returncode != 0
    assert machine.container.show(HUB, "ActiveState") == "inactive"


def test_it_runs_with_its_broker_each_under_its_own_unit(machine: Machine) -> None:
    said = machine.install(THROWAWAY="1", BROKER="localhost:8883")
    assert "the hub runs" in said
    assert "claim" in machine.container.run(PROVISION, "--help")
    assert "token=" not in said  # what isn't a terminal may be a log
    for unit in (HUB, BROKER):
        assert machine.container.show(unit, "ActiveState") == "active", machine.container.journal(unit)
        assert machine.container.show(unit, "User") == "sealcam-hub"
        assert machine.container.show(unit, "UnitFileState") == "enabled"
    eventually(lambda: "receiving from" in machine.container.journal(HUB), 30, machine.container.journal(HUB))
    assert machine.container.run("/usr/local/bin/sealcam-hub", "status").startswith("0 incidents")
    assert machine.container.run("stat", "-c", "%a %U", STATE).split() == ["700", "sealcam-hub"]


def test_the_broker_sees_its_own_files_and_neither_keys_nor_ledger(machine: Machine) -> None:
    seen = machine.container.within(BROKER, "ls", STATE).stdout.decode().split()
    assert seen == ["broker"]
    assert machine.container.within(BROKER, "cat", f"{STATE}/keys/operating").returncode != 0


def test_the_hub_can_tell_its_broker_that_the_lists_have_changed(machine: Machine) -> None:
    pid = machine.container.run("cat", f"{STATE}/broker/mosquitto.pid").strip()
    assert pid == machine.main(BROKER)
    signal = ("python3", "-c", f"import os, signal; os.kill({pid}, signal.SIGHUP)")
    done = machine.container.within(HUB, *signal)
    assert done.returncode == 0, done.stderr
    assert machine.main(BROKER) == pid


def test_the_packaged_broker_is_left_as_it_was(machine: Machine) -> None:
    assert machine.container.call("test", "-L", "/etc/systemd/system/mosquitto.service").returncode != 0


def test_run_again_it_changes_nothing(machine: Machine) -> None:
    before = (machine.main(HUB), machine.main(BROKER), machine.programs())
    keys = machine.container.run("sha256sum", f"{STATE}/keys/operating")
    machine.install()
    assert (machine.main(HUB), machine.main(BROKER), machine.programs()) == before
    assert machine.container.run("sha256sum", f"{STATE}/keys/operating") == keys


def test_at_a_terminal_it_shows_the_console_s_link_once_the_hub_runs(machine: Machine) -> None:
    script = "import pty, sys; sys.exit(pty.spawn(['/root/sealcam/provisioning/install-hub.sh']))"
    assert "/?token=" in machine.container.run("python3", "-c", script, timeout_s=600)


def test_what_root_runs_leaves_nothing_of_root_s_in_the_hub_s_folder(machine: Machine) -> None:
    machine.container.run(COMMAND, "backup", "--whole", "-o", "/root/whole")
    machine.container.run(COMMAND, "delete", "--before", "1d", "--yes")
    machine.container.run(COMMAND, "link")
    assert machine.container.run("find", STATE, "!", "-user", "sealcam-hub") == ""
    assert machine.container.run("stat", "-c", "%U %a", "/root/whole").split() == ["root", "600"]


def test_an_upgrade_that_was_cut_off_is_finished_by_the_next_run(machine: Machine) -> None:
    before = (machine.main(HUB), machine.main(BROKER))
    machine.container.run("touch", f"{LIB}/changed")  # as it stands from before the first change on
    machine.install()
    assert not set(before) & {machine.main(HUB), machine.main(BROKER)}
    assert machine.container.call("test", "-e", f"{LIB}/changed").returncode != 0


def test_an_upgrade_turns_to_the_new_programs_and_keeps_all_that_the_hub_has(machine: Machine) -> None:
    machine.hub("simulate", "--cameras", "2", "--seconds", "2")
    machine.container.run("install", "-d", "-o", "sealcam-hub", "-m", "700", ASSISTANT)
    machine.hub("homeassistant", "on", "--own", "-o", ASSISTANT)
    before, kept, events = machine.programs(), machine.kept(), machine.events()
    assert len(events) > 2
    version = machine.container.run("cat", "/root/sealcam/hub/sealcam_hub/__init__.py")
    machine.container.write("/root/sealcam/hub/sealcam_hub/__init__.py", version + "\nUPGRADED = True\n")
    machine.install()
    assert machine.programs() != before
    assert machine.container.call("test", "-e", before).returncode != 0  # the new one runs, so the old one is gone
    script = "import sealcam_hub; assert sealcam_hub.UPGRADED"
    machine.container.run(f"{LINK}/bin/python", "-c", script)
    assert machine.kept() == kept
    assert machine.events() == events
    assert machine.container.show(HUB, "ActiveState") == "active"
    assert f"{machine.programs()}/" in machine.container.run("readlink", "-f", "/usr/local/bin/sealcam-hub")


def test_a_killed_broker_is_started_again_and_the_hub_comes_back_to_it(machine: Machine) -> None:
    before = machine.main(BROKER)
    machine.container.kill(BROKER, "KILL")
    eventually(lambda: machine.main(BROKER) not in ("0", before), 60, "a new broker")
    eventually(lambda: machine.container.journal(HUB).count("receiving from") > 1, 60, machine.container.journal(HUB))


def test_taken_away_it_leaves_what_was_seen_and_purged_nothing(machine: Machine) -> None:
    assert machine.container.call("/root/sealcam/provisioning/install-hub.sh", "uninstall").returncode == 0
    for gone in (LINK, COMMAND, PROVISION, f"/etc/systemd/system/{HUB}"):
        assert machine.container.call("test", "-e", gone).returncode != 0
    assert machine.container.call("pgrep", "-u", "sealcam-hub").returncode != 0
    machine.container.run("test", "-s", f"{STATE}/ledger.db")
    installer = "/root/sealcam/provisioning/install-hub.sh"
    refused = machine.container.call("env", "PURGE=/var/lib", installer, "uninstall")
    assert refused.returncode == 1
    assert b"/var/lib isn't it" in refused.stderr
    machine.container.run("test", "-s", f"{STATE}/ledger.db")
    machine.container.run("env", f"PURGE={STATE}", installer, "uninstall")
    assert machine.container.call("test", "-e", STATE).returncode != 0
