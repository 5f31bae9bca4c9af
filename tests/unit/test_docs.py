"""The pages lead nowhere that isn't there: every link, picture and path they name is in the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*TOP.glob("*.md"), *(page for name in ("design", "models", "systemd") for page in TOP.glob(f"{name}/**/*.md"))]
)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(\s*<?([^)>\s]+)[^)]*\)|^\[[^\]]+\]:\s*(\S+)|(?:src|href)=\"([^\"]+)\"", re.MULTILINE)
CODE = re.compile(r"`([^`\s]+)`")
FOLDERS = ("design", "firmware", "hub", "locks", "models", "provisioning", "systemd", "tests")


def linked(text: str) -> set[str]:
    """The relative targets of links and pictures, without the place in the page."""
    found = {next(filter(None, groups)) for groups in LINK.findall(FENCED.sub("", text))}
    return {link.partition("#")[0] for link in found if not re.match(r"[a-z]+:|#|//", link)}


def named(text: str) -> set[str]:
    """What stands as code and is a page, or a path of ours that holds no pattern."""
    words = CODE.findall(FENCED.sub("", text))
    return {
        word
        for word in words
        if re.fullmatch(r"[\w./-]+", word) and (word.endswith(".md") or (word.split("/")[0] in FOLDERS and "/" in word))
    }


def test_links_pictures_and_paths_are_found_in_a_page() -> None:
    text = '[a](b/c.md#d) ![p](x.png "t") [far](https://x.org/y) [z](#z)\n```\n[no](no.md)\n```\n<img src="i.png">'
    assert linked(text) == {"b/c.md", "x.png", "i.png"}
    assert named("`models/`, `design/x.md`, `adr/1.md`, `a/b`, `design/*.md`, `make run`") == {
        *("models/", "design/x.md", "adr/1.md")
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_whatever_a_page_links_shows_or_names_is_there(page: Path) -> None:
    text = page.read_text()
    missing = {link for link in linked(text) if not (page.parent / link).exists()}
    missing |= {name for name in named(text) if not any((folder / name).exists() for folder in (page.parent, TOP))}
    assert not missing, f"{page.relative_to(TOP)} leads to what isn't there"


def test_the_readme_is_among_the_pages_and_leads_somewhere() -> None:
    readme = TOP / "README.md"
    assert readme in PAGES
    assert linked(readme.read_text()) | named(readme.read_text())
