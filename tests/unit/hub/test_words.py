"""The owner's words: made, typed, used on a device of the owner's own, and kept nowhere."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from sealcam.wire import statement
from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import BoxKey, SigningKey, fingerprint
from sealcam.wire.statement_kinds import HubCertificate, Recipient, RecipientKind, RecipientSet
from sealcam_hub import recovery_state, setup, signing
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.keys import load_keys
from sealcam_hub.tty import ScriptedTerminal
from sealcam_hub.words import ask_words, checked, listed, new_words, owner_keys
from sealcam_hub.words_commands import signed_by_hand
from tests import typing_person
from tests.hubs import BROKER

HUB = Path(sys.executable).with_name("sealcam-hub")
WORDS = "abandon " * 23 + "art"  # a checksum that holds, from BIP 39's own vectors


def test_words_typed_one_by_one_or_all_at_once_give_the_same_keys() -> None:
    one_by_one = ScriptedTerminal(WORDS.split())
    assert ask_words(one_by_one) == ask_words(ScriptedTerminal([WORDS.upper()])) == owner_keys(WORDS)
    assert "abandon" not in one_by_one.shown


def test_four_letters_are_enough() -> None:
    assert ask_words(ScriptedTerminal([" ".join(word[:4] for word in WORDS.split())])) == owner_keys(WORDS)
    assert listed("abst") == "abstract"


def test_a_slip_is_told_at_once_with_its_number_and_the_nearest_word_and_asked_again() -> None:
    terminal = ScriptedTerminal(["abandon abandon abandn", *WORDS.split()[2:]])
    assert ask_words(terminal) == owner_keys(WORDS)
    assert "word 3: that is none of the 2,048 words; did you mean abandon" in terminal.shown


def test_words_that_do_not_belong_together_are_refused_three_times_and_then_for_good() -> None:
    wrong = "art " + "abandon " * 23
    terminal = ScriptedTerminal([wrong] * 3)
    with pytest.raises(ConfigError, match="24 words don't belong together") as refused:
        ask_words(terminal)
    assert refused.value.hint is not None
    assert terminal.shown.count("Once more") == 2
    assert ask_words(ScriptedTerminal([wrong, WORDS])) == owner_keys(WORDS)
    with pytest.raises(ConfigError, match="23 words"):
        checked(WORDS.split()[:23])


def test_a_terminal_that_is_closed_midway_gives_nothing() -> None:
    with pytest.raises(ConfigError, match="closed"):
        ask_words(ScriptedTerminal(WORDS.split()[:5]))


def request_of(words: str, **changed: object) -> signing.Request:
    owner, hub = owner_keys(words), SigningKey(b"h" * 32)
    one = Recipient(kind=RecipientKind.HUB, public=hub.public)
    mine = Recipient(kind=RecipientKind.RECOVERY, public=owner.recovery.public)
    first = RecipientSet(number=1, suite=1, home_hub=hub.public, recipients=(one, mine))
    second = SigningKey(b"s" * 32).public
    new = Recipient(kind=RecipientKind.HUB, public=second)
    after = RecipientSet(number=2, suite=1, home_hub=hub.public, recipients=(one, mine, new))
    values = {"root": owner.root.public, "before": statement.sign(owner.root, first), "after": after}
    values |= {"certify": (second,), "names": {second: "cellar \x1b[31m"}} | changed
    return signing.Request(**values)  # type: ignore[arg-type]


def test_the_owner_reads_what_would_change_before_they_type_a_word() -> None:
    request = request_of(WORDS)
    terminal = ScriptedTerminal(["yes", WORDS])
    signed = signed_by_hand(terminal, request)
    assert signed is not None
    shown = terminal.shown[: terminal.shown.index("Is that what you want?")]
    added = SigningKey(b"s" * 32)
    assert f"ADDS    hub {added.kid.hex()}, which calls itself cellar" in shown
    assert "\x1b" not in shown
    assert shown.count("keeps") == 2
    assert fingerprint(request.root).hex() in shown
    assert statement.read(signed.recipient_set, request.root, RecipientSet) == request.after
    (certificate,) = signed.certificates
    assert statement.read(certificate, request.root, HubCertificate).hub == added.public


def test_a_no_signs_nothing_and_asks_for_no_words() -> None:
    terminal = ScriptedTerminal(["no"])
    assert signed_by_hand(terminal, request_of(WORDS)) is None


def test_a_request_survives_its_file(tmp_path: Path) -> None:
    request = request_of(WORDS)
    path = tmp_path / "request"
    path.write_text(request.text())
    assert signing.read_request(path) == request


def test_what_nobody_should_sign_is_refused() -> None:
    owner = owner_keys(WORDS)
    good = request_of(WORDS).after
    foreign = Recipient(kind=RecipientKind.RECOVERY, public=BoxKey(b"f" * 32).public)
    hubs = tuple(one for one in good.recipients if one.kind is RecipientKind.HUB)
    bad_sets = {
        "without the words": RecipientSet(number=2, suite=1, home_hub=good.home_hub, recipients=hubs),
        "another's words": RecipientSet(number=2, suite=1, home_hub=good.home_hub, recipients=(*hubs, foreign)),
        "both": RecipientSet(number=2, suite=1, home_hub=good.home_hub, recipients=(*good.recipients, foreign)),
        "older": RecipientSet(number=1, suite=1, home_hub=good.home_hub, recipients=good.recipients),
        "no home": RecipientSet(number=2, suite=1, home_hub=b"x" * 32, recipients=good.recipients),
        "twice": RecipientSet(number=2, suite=1, home_hub=good.home_hub, recipients=(*good.recipients, hubs[0])),
    }
    for after in bad_sets.values():
        with pytest.raises(ConfigError):
            signing.sign(request_of(WORDS, after=after), owner)
    stranger = owner_keys(new_words())
    with pytest.raises(ConfigError, match="not of the owner"):
        signing.sign(request_of(WORDS), stranger)
    with pytest.raises(ConfigError, match="certifies a hub that isn't"):
        signing.sign(request_of(WORDS, certify=(b"x" * 32,)), owner)
    with pytest.raises(ConfigError, match="not signed by its owner"):
        signing.sign(request_of(WORDS, before=statement.sign(stranger.root, good)), owner)


def test_an_older_set_given_for_the_one_in_force_shows_no_hub_as_one_to_keep() -> None:
    """A hub that lies could otherwise bring one back that the owner has taken out: they would read *keeps*."""
    with_second = request_of(WORDS).after
    before = statement.sign(owner_keys(WORDS).root, with_second)  # set 2; set 3 has taken the second hub out again
    request = request_of(WORDS, before=before, after=replace(with_second, number=4))
    with pytest.raises(ConfigError, match="is for set 4, but changes set 2"):
        signing.describe(request)
    with pytest.raises(ConfigError, match="is for set 4"):
        signing.sign(request, owner_keys(WORDS))


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e400", '"x"', "4294967296", "null"])
def test_a_set_number_that_is_none_is_one_clear_error(tmp_path: Path, number: str) -> None:
    path = tmp_path / "request"
    path.write_text(request_of(WORDS).text().replace('"number": 2', f'"number": {number}'))
    with pytest.raises(ConfigError, match="is no sealcam signing request"):
        signing.read_request(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "sealcam signing request"}', "\x00", "[" * 100000])
def test_a_file_that_is_no_request_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "request"
    path.write_text(text)
    for reader in (signing.read_request, signing.read_signed, signing.read_owner):
        with pytest.raises(ConfigError):
            reader(path)


def test_a_hub_is_made_with_words_that_never_touch_its_machine(tmp_path: Path) -> None:
    """The whole way, at real terminals: words made on the owner's device, the hub's request signed there."""
    device, state = tmp_path / "device", tmp_path / "hub"
    device.mkdir()
    owner, request, signed = (device / name for name in ("owner", "request", "signed"))
    made = typing_person.run([HUB, "--state", device / "none", "words", "new", "-o", owner])
    assert made.code == 0, made.error
    words = re.findall(r"\d+ ([a-z]+)", made.shown.partition("recovered.")[2])
    assert len(words) == 24
    begun = typing_person.run([HUB, "--state", state, "init", "--owner", owner, "-o", request])
    assert begun.code == 0, begun.error
    asked = [("Type yes: ", "yes"), *((f"word {n + 1:2d} of 24: ", word) for n, word in enumerate(words))]
    done = typing_person.run([HUB, "--state", device / "none", "words", "sign", request, "-o", signed], asked)
    assert done.code == 0, done.error + done.shown
    assert re.findall(r"word .\d of 24: (.*)", done.shown.replace("\r", "")) == [""] * 24, "what is typed isn't shown"
    assert not any(" ".join(pair) in done.shown for pair in pairwise(words)), "one alone may be a word of a sentence"
    finished = typing_person.run([HUB, "--state", state, "init", "--signed", signed, "--broker", "localhost:18883"])
    assert finished.code == 0, finished.error
    keys = load_keys(Folder(state))
    root = owner_keys(" ".join(words)).root
    assert keys.root_public == root.public
    assert json.loads(owner.read_text())["root"] == root.public.hex()
    for where in (
        ["--state", device / "none", "words", "check", "--owner", owner],
        ["--state", state, "words", "check"],
    ):
        tried = typing_person.run([HUB, *where], asked[1:])
        assert tried.code == 0, tried.error
        assert fingerprint(root.public).hex() in tried.out
    with open_home(Folder(state)) as home:
        assert recovery_state.state(home).tried_ns is not None
    another = typing_person.run([HUB, "--state", state, "words", "check"], [("word  1 of 24: ", WORDS)])
    assert another.code == 2
    assert "another owner's words" in another.error
    for secret in (" ".join(words).encode(), root.seed, owner_keys(" ".join(words)).recovery.secret):
        for path in [*tmp_path.rglob("*")]:
            assert path.is_dir() or secret not in path.read_bytes()


def test_without_a_terminal_no_words_are_made_or_taken(tmp_path: Path) -> None:
    import subprocess

    for words in (["new"], ["sign", str(tmp_path / "request")]):
        (tmp_path / "request").write_text(request_of(WORDS).text())
        command = [str(HUB), "words", *words, "-o", str(tmp_path / "out")]
        done = subprocess.run(command, capture_output=True, check=False, start_new_session=True)
        assert done.returncode == 2
        assert b"only on a terminal" in done.stderr
        assert not (tmp_path / "out").exists()


def test_a_request_asked_for_again_names_the_same_hub_and_another_hubs_answer_is_refused(tmp_path: Path) -> None:
    owner = owner_keys(WORDS)
    public = signing.OwnerFile(owner.root.public, owner.recovery.public)
    one, two = Folder(tmp_path / "one"), Folder(tmp_path / "two")
    request = setup.prepare(one, public)
    assert setup.prepare(one, public) == request
    other = signing.sign(setup.prepare(two, public), owner)
    with pytest.raises(ConfigError, match="another hub"):
        setup.finish(one, BROKER, other)
    setup.finish(one, BROKER, signing.sign(request, owner))
    assert load_keys(one).operating.public == request.after.home_hub
