"""The figures of clips can be taken; how large they are is for `make bench`."""

from __future__ import annotations

from sealcam.bench_clip import figures


def test_every_figure_is_taken() -> None:
    found = list(figures(rounds=1))
    assert [figure.unit for figure in found] == ["MB/s", "x", "us", "us", "MB/s"]
    assert all(figure.value > 0 for figure in found)
    assert "bare" in found[1].how
    assert len({figure.name for figure in found}) == len(found)
