"""A unit that grows beyond its share of memory is killed alone, and started again."""

from __future__ import annotations

import pytest

from tests.system import growing
from tests.system.container import Container

LIMITED = ("eye", "post", "hub", "hub-worker@1", "hub-broker")


@pytest.mark.parametrize("name", LIMITED)
def test_systemd_reads_each_units_bound(container: Container, name: str) -> None:
    service = f"sealcam-{name.replace('@1', '@')}.service"
    assert int(container.show(f"sealcam-{name}.service", "MemoryMax")) == growing.most_bytes(service)


def test_a_unit_that_grows_beyond_its_bound_is_killed_alone_and_started_again(container: Container) -> None:
    if not growing.is_enforced(container.sh):
        pytest.skip("no memory controller in this container: seen in the virtual machine (tests/vm/test_machine.py)")
    growing.put(container.sh, container.write)
    try:
        growing.outgrow(container.sh)
    finally:
        growing.clear(container.sh)
