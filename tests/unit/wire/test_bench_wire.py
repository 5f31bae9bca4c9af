"""The figures of sealing can be taken; how large they are is for `make bench`."""

from __future__ import annotations

from sealcam.bench_wire import figures


def test_every_figure_has_a_ratio_over_its_bare_primitives() -> None:
    found = list(figures(rounds=1))
    assert [figure.unit for figure in found] == ["us", "x"] * 4
    assert all(figure.value > 0 and "bare" in figure.how for figure in found)
    assert len({figure.name for figure in found}) == len(found)
