"""What a member of the household may do at the console; everything else is the owner's alone. Pure.

The one table of roles (design/hub.md, "Login"): addresses as they are routed. A new address is the owner's until it
is written down here.
"""

from __future__ import annotations

from collections.abc import Mapping

from sealcam_hub.person import ACTING, Person, Role

OWNERS = "that is for the owner of this home"
_LOOK = frozenset({"GET", "HEAD"})
_DO = frozenset({"POST"})
MEMBER: dict[str, frozenset[str]] = {
    "/": _LOOK,
    "/fragment/{part}": _LOOK,
    "/live": _LOOK,
    "/incident/{incident}": _LOOK,
    "/incident/{incident}/clips": _LOOK,
    "/thumbnail/{incident}": _LOOK,
    "/clip/{clip}": _LOOK,
    "/clip/{clip}/facts": _LOOK,
    "/clip/{clip}/video": _LOOK,
    "/clip/{clip}/fetch": _DO,
    "/view/{alias}": _LOOK,
    "/view/{alias}/stream": _LOOK,
    "/timeline": _LOOK,
    "/log": _LOOK,
    "/log/{number}": _LOOK,
    "/arm": _DO,
    "/review": _LOOK,
    "/review/next": _LOOK,
    "/review/item/{incident}": _LOOK,
    "/review/mark": _DO,
    "/review/undo": _DO,
    "/me": _LOOK,
    "/me/end": _DO,
    "/me/passkey/ask": _DO,
    "/me/passkey": _DO,
    "/me/passkey/remove": _DO,
}


def may(person: Person, method: str, address: str) -> bool:
    """Whether somebody may ask for an address, named as it is routed, in this way."""
    return person.role is Role.OWNER or method in MEMBER.get(address, frozenset())


def address(scope: Mapping[str, object]) -> str:
    """The address of a request as it is routed; one that nothing names where it can't be told."""
    route = getattr(scope.get("route"), "path", None)
    return f"{scope.get('root_path', '')}{route}" if isinstance(route, str) else ""


def shown(address: str) -> bool:
    """Whether a page's navigation names a room: whether whoever looks at it now may."""
    person = ACTING.get()
    return person is None or may(person, "GET", address)
