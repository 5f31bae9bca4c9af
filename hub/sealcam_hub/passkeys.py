"""Passkeys: what a browser is asked, and whether its answer holds. The one file that knows the WebAuthn library.

A passkey signs for one name (`Site`), with the person verified by their own device, and for one challenge. What is
kept of passkeys is `members`'; which pages ask is `console.door_passkeys`'. Web Authentication, level 2, sections 7.1
and 7.2.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sealcam.wire.errors import EnvelopeError
from sealcam_hub.person import Passkey

MOST_CREDENTIAL = 1023  # bytes of an id, by the specification
_TITLE = "Sealcam"
# What the library's own checks leave to CBOR, JSON, base64 and key parsing.
_BROKEN = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a passkey is asked for: the name that it belongs to, and the page's origin."""

    host: str
    origin: str


@dataclass(frozen=True, slots=True)
class Registered:
    """A new passkey whose answer held."""

    credential: bytes
    public: bytes
    count: int


def site(scheme: str, host: str, port: int | None) -> Site | None:
    """The place that passkeys can be used at, or none: an IP address, or a name without TLS that isn't this machine."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host and (scheme == "https" or host == "localhost"):
            return Site(host, f"{scheme}://{host}" + ("" if port is None else f":{port}"))
    return None


def ask_new(place: Site, name: str, handle: bytes, have: Sequence[bytes], challenge: bytes) -> str:
    """What a browser is given to make a passkey, as JSON; `have` are the ids of those that the person has here."""
    options = generate_registration_options(
        rp_id=place.host,
        rp_name=_TITLE,
        user_id=handle,
        user_name=name,
        challenge=challenge,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in have],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return options_to_json(options)


def ask(place: Site, challenge: bytes) -> str:
    """What a browser is given to sign in with whatever passkey it has for this place, as JSON."""
    return options_to_json(
        generate_authentication_options(
            rp_id=place.host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
        )
    )


def challenge_of(answer: str) -> bytes:
    """The challenge that an answer says it is to; nothing is verified yet.

    Raises:
        EnvelopeError: it isn't an answer.
    """
    try:
        told = json.loads(answer)["response"]["clientDataJSON"]
        return parse_client_data_json(base64url_to_bytes(told)).challenge
    except _BROKEN as error:
        raise EnvelopeError from error


def credential_of(answer: str) -> bytes:
    """The id of the passkey that an answer says it is from; nothing is verified yet.

    Raises:
        EnvelopeError: it isn't an answer.
    """
    try:
        name = base64url_to_bytes(json.loads(answer)["rawId"])
    except _BROKEN as error:
        raise EnvelopeError from error
    if not 0 < len(name) <= MOST_CREDENTIAL:
        raise EnvelopeError
    return name


def verify_new(answer: str, challenge: bytes, place: Site) -> Registered:
    """The passkey that was made for that challenge at that place.

    Raises:
        EnvelopeError: the answer doesn't hold.
    """
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except _BROKEN as error:
        raise EnvelopeError from error
    if not 0 < len(made.credential_id) <= MOST_CREDENTIAL:
        raise EnvelopeError
    return Registered(made.credential_id, made.credential_public_key, made.sign_count)


def verify(answer: str, challenge: bytes, place: Site, kept: Passkey) -> int:
    """The passkey's new count, if it signed that challenge at that place.

    Raises:
        EnvelopeError: the answer doesn't hold, or the count went back: somebody has a copy.
    """
    if kept.host != place.host:
        raise EnvelopeError
    try:
        return verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=kept.public,
            credential_current_sign_count=kept.count,
            require_user_verification=True,
        ).new_sign_count
    except _BROKEN as error:
        raise EnvelopeError from error
