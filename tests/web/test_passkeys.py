"""The door in a real browser, with a virtual authenticator: passkeys, members, invitations, and no script needed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from sealcam_hub import lan, lan_ca
from sealcam_hub.console import lan_page
from sealcam_hub.console.door_ways import Lan as Shown
from sealcam_hub.console.door_ways import Ways
from sealcam_hub.console.server import Beside, ConsoleServer
from sealcam_hub.lan import Lan
from tests.unit.hub.console_client import PASSPHRASE
from tests.unit.hub.household import THEIRS, House, housed
from tests.web.browser import Browser, browsing, chromium
from tests.web.conftest import fill
from tests.web.shots import shot

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
WAYS = Ways(Shown("https://sealcam.local:8443", "http://sealcam.local:8481", "AB " * 31 + "AB", lan_page.code("x")))


@dataclass
class Door:
    """A home with a console at `address`, the page for phones at `prepare`, and a browser that stands before it."""

    house: House
    address: str
    prepare: str
    browser: Browser

    def sign_in(self) -> None:
        """As the owner, by the passphrase."""
        self.browser.open(f"{self.address}/")
        fill(self.browser, passphrase=PASSPHRASE)
        self.browser.wait("document.querySelector('[data-pulse]')?.textContent === 'Live'")

    def device(self, **changed: object) -> str:
        """A device that makes passkeys; its name."""
        self.browser.call("WebAuthn.enable")
        made = self.browser.call("WebAuthn.addVirtualAuthenticator", options=DEVICE | changed)
        return str(made["authenticatorId"])

    def add(self, label: str = "My phone") -> None:
        """A passkey, on the page."""
        self.browser.open(f"{self.address}/me")
        self.browser.wait("!document.querySelector('[data-passkey-new]').hidden")
        self.browser.ask("document.getElementById('label').focus()")
        self.browser.call("Input.insertText", text=label)
        self.browser.ask("document.querySelector('[data-passkey-new] button').click()")

    def enter(self) -> None:
        """Press the button that asks for a passkey."""
        self.browser.wait("document.querySelector('[data-passkey-in]')?.hidden === false")
        self.browser.ask("document.querySelector('[data-passkey-enter]').click()")

    def sign_out(self) -> None:
        """By the button that every page has."""
        self.browser.ask("document.querySelector('form[action=\"/logout\"] button').click()")
        self.browser.wait("document.querySelector('form[action=\"/login\"]')")

    def shoot(self, name: str) -> None:
        """Its picture in light and dark, at phone and desktop width, where somebody wants to look at them."""
        shot(self.browser, name)
        self.browser.size(320, 640)
        assert self.browser.ask("document.documentElement.scrollWidth") == 320, f"{name} is too wide for 320 px"
        self.browser.size(1280, 900)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with housed(tmp_path / "hub", WAYS) as house, ExitStack() as stack:
        lan.turn_on(house.home.folder, Lan("sealcam.local"))
        authority = lan.authority(house.home.folder)
        trust = lan_page.Trust(
            lan_ca.der(authority), lan_ca.fingerprint(authority), "https://sealcam.local:8443", "sealcam.local"
        )
        loopback, plain = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
        server = ConsoleServer(house.app, beside=[Beside(plain, lan_page.create(trust, ["localhost"]))])
        thread = threading.Thread(target=server.run, kwargs={"sockets": [loopback]})
        thread.start()
        try:
            with browsing(program) as browser:
                browser.size(1280, 900)
                address, prepare = (f"http://localhost:{one.getsockname()[1]}" for one in (loopback, plain))
                yield Door(house, address, prepare, browser)
        finally:
            server.should_exit = True
            thread.join()


def test_a_passkey_is_added_signs_in_and_is_removed(door: Door) -> None:
    browser = door.browser
    door.device()
    door.sign_in()
    door.add()
    browser.wait("document.body.textContent.includes('My phone')")
    door.shoot("me")
    door.sign_out()
    browser.wait("document.querySelector('[data-passkey-in]')?.hidden === false")
    door.shoot("login")
    door.enter()
    browser.wait("document.querySelector('[data-pulse]')?.textContent === 'Live'")
    browser.open(f"{door.address}/me")
    assert "Signed in with a passkey" in str(browser.ask("document.body.textContent"))
    browser.ask("document.querySelector('form[action=\"/me/passkey/remove\"] button').click()")
    browser.wait("document.body.textContent.includes('You have none yet')")
    door.sign_out()
    door.enter()
    browser.wait("!document.querySelector('[data-passkey-problem]').hidden")
    assert "isn't known here" in str(browser.ask("document.querySelector('[data-passkey-problem]').textContent"))
    assert not [one for one in browser.problems if "Failed to load resource" not in one], "a page's script fell over"


def test_a_device_that_does_not_know_the_person_is_told_kindly(door: Door) -> None:
    door.device(isUserVerified=False)
    door.sign_in()
    door.add()
    door.browser.wait("!document.querySelector('[data-passkey-problem]').hidden")
    assert "No passkey was used" in str(
        door.browser.ask("document.querySelector('[data-passkey-problem]').textContent")
    )
    assert door.house.log()[-1][2] == "the console, with the passphrase"


def test_a_member_is_invited_joins_adds_a_passkey_and_is_removed(door: Door) -> None:
    browser = door.browser
    door.device()
    door.sign_in()
    browser.open(f"{door.address}/members")
    browser.ask("document.getElementById('name').value = 'Anna'")
    browser.ask("document.querySelector('form[action=\"/members/invite\"] button').click()")
    browser.wait("document.querySelector('[data-invitation]')")
    door.shoot("members")
    link = str(browser.ask("document.querySelector('[data-invitation]').textContent"))
    assert link.startswith("https://sealcam.local:8443/join?token=")
    door.sign_out()
    browser.open(door.address + link.removeprefix("https://sealcam.local:8443"))
    door.shoot("join")
    fill(browser, new=THEIRS, again=THEIRS)
    browser.wait("document.body.textContent.includes('You are Anna')")
    assert browser.ask("document.querySelector('a[href=\"/members\"]')") is None
    door.add("Anna's phone")
    browser.wait('document.body.textContent.includes("Anna\'s phone")')
    door.sign_out()
    door.enter()
    browser.wait("document.querySelector('[data-pulse]')?.textContent === 'Live'")
    owner = door.house.owner()
    member = door.house.people.members()[0]
    owner.post("/members/remove", {"csrf": owner.csrf(), "member": str(member.id)})
    browser.open(f"{door.address}/")
    browser.wait("document.querySelector('form[action=\"/login\"]')")
    door.shoot("login-people")


def test_without_scripts_the_passphrase_signs_in_and_everything_is_ended_by_forms(door: Door) -> None:
    browser = door.browser
    other = door.house.owner()
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(f"{door.address}/me")
    assert browser.ask("document.querySelector('[data-passkey-in]').hidden") is True
    fill(browser, passphrase=PASSPHRASE)
    browser.wait("document.body.textContent.includes('Your sign-in')")
    assert "The passphrase works everywhere" in str(browser.ask("document.body.textContent"))
    assert browser.ask("document.querySelectorAll('form[action=\"/me/end\"]').length") == 2
    browser.ask("document.querySelector('form[action=\"/me/end\"] button').click()")
    browser.wait("document.querySelectorAll('form[action=\"/me/end\"]').length === 0")
    assert other.get("/").status_code == 403


def test_the_page_that_prepares_a_phone_hands_out_a_certificate_and_has_no_script(door: Door) -> None:
    door.browser.open(f"{door.prepare}/")
    assert door.browser.ask("document.scripts.length + document.forms.length") == 0
    assert lan_ca.fingerprint(lan.authority(door.house.home.folder)) in str(
        door.browser.ask("document.querySelector('.lan__print').textContent")
    )
    door.shoot("lan")
