"""A shared clip as one HTML file that opens in a browser with no network and no server: opener, grant, sealed clip.

What is secret isn't in it: it asks for the recipient's key and the owner's fingerprint. A browser loads no module from
a file's neighbours, so the opener's modules stand in the page as text and become addresses of its own (`blob:`) as it
starts, each behind those that it imports. Its policy lets it run them and ask nobody for anything. The bytes of the
opener are those that the console serves (`console/static/opener`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

_IMPORT = re.compile(r"""(\bfrom\s*|\bawait import\()"(\./[^"]+)\"""")
_GIVEN = "given.mjs"
_INSTEAD = "export const { given, start } = globalThis.sealcamPage;\n"
_PARTS = ("clip", "bundle")
_CLOSED = b"</script>\n"
_TRIPLES = 3 << 16  # bytes that become text at once

_START = """\
const find = (name) => document.querySelector(`script[data-name="${name}"]`);
const bytes = (name) => {
  const all = find(name).textContent, parts = [];
  for (let at = 0; at < all.length; at += 1 << 20) {
    parts.push(Uint8Array.from(atob(all.slice(at, at + (1 << 20))), (one) => one.charCodeAt(0)));
  }
  return new Blob(parts);
};
// Addresses of modules, each with those of the modules that it imports in the place of their names.
const linked = (modules) => {
  const made = {};
  for (const { name, needs, code } of modules) {
    let own = code;
    for (const pair of needs.split(" ").filter(Boolean)) {
      const [said, other] = pair.split("=");
      own = own.replaceAll(`"${said}"`, `"${made[other]}"`);
    }
    made[name] = URL.createObjectURL(new Blob([own], { type: "text/javascript" }));
  }
  return made;
};
const modules = [...document.querySelectorAll("script[data-needs]")].map(({ dataset, textContent }) => {
  return { name: dataset.name, needs: dataset.needs, code: textContent };
});
// The page of a file may start no worker from a module; a script may, and makes its modules' addresses itself.
const code = `const linked = ${linked};\nimport(linked(${JSON.stringify(modules)})["worker.mjs"]);`;
const begin = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
globalThis.sealcamPage = {
  start: () => new Worker(begin),
  given: Object.fromEntries(["clip", "bundle"].filter(find).map((name) => [name, bytes(name)])),
};
import(linked(modules)["page.mjs"]);
"""


def blank() -> bytes:
    """The page without a clip: to make a key with, and to open what comes as two files."""
    head, tail = _page()
    return head + tail


def size(bundle: bytes, clip_bytes: int) -> int:
    """How many bytes the page of a clip of this size has."""
    around = sum(len(_opened(name)) + len(_CLOSED) for name in _PARTS)
    return len(blank()) + around + _encoded(clip_bytes) + _encoded(len(bundle))


def page(bundle: bytes, clip: Iterator[bytes]) -> Iterator[bytes]:
    """The page, piece by piece; `clip` is the sealed file."""
    head, tail = _page()
    yield head
    for name, pieces in zip(_PARTS, (clip, iter([bundle])), strict=True):
        yield _opened(name)
        yield from _text(pieces)
        yield _CLOSED
    yield tail


def _opened(name: str) -> bytes:
    return f'<script type="text/plain" data-name="{name}">'.encode()


def _encoded(size_bytes: int) -> int:
    return -(-size_bytes // 3) * 4


def _text(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        held += piece
        whole = len(held) - len(held) % 3
        if whole >= _TRIPLES:
            yield base64.b64encode(held[:whole])
            held = held[whole:]
    yield base64.b64encode(held)


@cache
def _page() -> tuple[bytes, bytes]:
    """What stands before clip and grant, and behind them; the same for every clip."""
    static = files("sealcam_hub.console") / "static"
    styles = "".join((static / name).read_text("utf-8") for name in ("base.css", "opener/opener.css"))
    mark = base64.b64encode((static / "mark.svg").read_bytes()).decode()
    whole = (static / "opener" / "index.html").read_text("utf-8")
    whole = re.sub(r'<link rel="stylesheet" href="../base.css">\n', "", whole)
    whole = whole.replace('<link rel="stylesheet" href="opener.css">', f"<style>{styles}</style>")
    whole = whole.replace("../mark.svg", f"data:image/svg+xml;base64,{mark}")
    whole = whole.replace('<script type="module" src="page.mjs"></script>\n', "")
    whole = re.sub(r'(http-equiv="Content-Security-Policy" content=")[^"]*', rf"\g<1>{_policy(styles)}", whole)
    head, tail = whole.split("</body>")
    code = "".join(
        f'<script type="text/plain" data-name="{name}" data-needs="{needs}">{text}</script>\n'
        for name, needs, text in _modules()
    )
    return f"{head}{code}".encode(), f"<script>{_START}</script>\n</body>{tail}".encode()


def _policy(styles: str) -> str:
    def known(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {known(_START)} blob: 'wasm-unsafe-eval'",
            "worker-src blob:",
            f"style-src {known(styles)}",
            "img-src data:",
            "media-src blob:",
            "form-action 'none'",
            "base-uri 'none'",
        )
    )


def _modules() -> list[tuple[str, str, str]]:
    """Name, imports and text of each module, behind those that it imports."""
    static = files("sealcam_hub.console") / "static" / "opener"
    found: dict[str, tuple[str, str, str]] = {}

    def take(name: str) -> None:
        if name in found:
            return
        text = _INSTEAD if name == _GIVEN else static.joinpath(*name.split("/")).read_text("utf-8")
        folder = name.rpartition("/")[0]
        needs = {said: f"{folder}/{said[2:]}".lstrip("/") for _, said in _IMPORT.findall(text)}
        for one in needs.values():
            take(one)
        found[name] = (name, " ".join(f"{said}={one}" for said, one in needs.items()), text)

    for first in ("worker.mjs", "page.mjs"):
        take(first)
    return list(found.values())
