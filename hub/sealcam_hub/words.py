"""The owner's 24 words: made, shown, asked for and checked on a terminal, and kept nowhere.

They are never an argument, an environment variable, a log line or a file. From them come the owner root and the
recovery recipient (design/wire.md 2.2); whoever asks for them forgets both when it is done.
"""

from __future__ import annotations

import difflib

from mnemonic import Mnemonic

from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import OwnerKeys
from sealcam_hub.tty import Terminal

COUNT = 24
WORDS_BITS = 256  # 24 words of BIP 39
TRIES = 3
_LIST = Mnemonic("english")
_WORDS = tuple(_LIST.wordlist)
SHORT = 4  # letters by which the list tells its words apart


def new_words() -> str:
    """24 words that nobody else has."""
    return str(_LIST.generate(WORDS_BITS))


def owner_keys(words: str) -> OwnerKeys:
    """The owner's keys from their words, which have been checked."""
    return OwnerKeys.from_seed(Mnemonic.to_seed(words))


def listed(word: str) -> str:
    """The word of the list that is meant: itself, or the one that begins with these four letters or more.

    Raises:
        ConfigError: it is none; the hint names the nearest.
    """
    word = word.lower()
    found = [one for one in _WORDS if one == word] or [
        one for one in _WORDS if len(word) >= SHORT and one.startswith(word)
    ]
    if len(found) == 1:
        return found[0]
    near = difflib.get_close_matches(word, _WORDS, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "look at the paper again"
    raise ConfigError("that is none of the 2,048 words", hint)


def checked(words: list[str]) -> str:
    """The words as one text, if there are 24 of them that belong together.

    Raises:
        ConfigError: they don't; which of the words is the wrong one, their checksum can't tell.
    """
    text = " ".join(words)
    if len(words) != COUNT or not _LIST.check(text):
        hint = "one of them is another word than on the paper, or two have changed places"
        raise ConfigError(f"these {len(words)} words don't belong together", hint)
    return text


def show_words(terminal: Terminal, words: str) -> None:
    """Show new words, this once."""
    each = words.split()
    rows = ["   ".join(f"{n + 1:2d} {each[n]:<10}" for n in range(row, row + 4)) for row in range(0, COUNT, 4)]
    terminal.show(
        "\nThese 24 words are the owner's key. Write them on paper, now: they are shown this once and kept\n"
        "nowhere. Whoever has them can open everything; without them nothing can be recovered.\n\n"
        + "\n".join(rows)
        + "\n\n"
    )


def ask_words(terminal: Terminal) -> OwnerKeys:
    """The owner's keys, from the words that a person types unseen: one by one, or several on a line.

    Raises:
        ConfigError: three times they didn't belong together, or the terminal was closed.
    """
    terminal.show("The owner's 24 words, one after the other, Enter after each. What you type isn't shown.\n")
    for left in range(TRIES - 1, -1, -1):
        try:
            return owner_keys(checked(_ask(terminal)))
        except ConfigError as error:
            if not left:
                raise
            terminal.show(f"{error.message}: {error.hint}. Once more, from the first.\n")
    raise AssertionError("unreachable")


def _ask(terminal: Terminal) -> list[str]:
    words: list[str] = []
    while len(words) < COUNT:
        for typed in terminal.ask(f"word {len(words) + 1:2d} of {COUNT}: ", echo=False).split():
            try:
                words.append(listed(typed))
            except ConfigError as error:
                terminal.show(f"word {len(words) + 1}: {error.message}; {error.hint}\n")
                break
    return words
