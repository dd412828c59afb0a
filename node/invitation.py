"""Invitations as one line of text that people can send: to become a member, or to link one node with another.

    archipelago:join:<space id without isle:>:<secret, 32 hex digits>@<address>     to become a member
    archipelago:link:<space id without isle:>@<address>                             to link two nodes
    https://<host>/#isle:<space id>                                                 the same, as an address

The address may be empty where there is none. Whoever reads one learns the space's id from it, so that no address can pass
another space off for it. A secret is for one person: send it on a way that others do not read.

>>> invitation = Link(bytes(32), "https://isle.example")
>>> parse(format(invitation)) == invitation
True
"""

from __future__ import annotations

import re

from msgspec import Struct

from federation.address import AddressError, check_url
from protocol.keychain import KeyChainError, parse_space, space_name
from protocol.practice import Refused

_JOIN = re.compile(r"archipelago:join:([a-z2-7]{52}):([0-9a-f]{32})@(\S*)")
_LINK = re.compile(r"archipelago:link:([a-z2-7]{52})@(\S*)")


class Join(Struct, frozen=True):
    """An open door for one person."""

    space: bytes
    secret: bytes
    url: str


class Link(Struct, frozen=True):
    """Where a space's node is to be found."""

    space: bytes
    url: str


class Address(Struct, frozen=True):
    """An address that does not say whose it is."""

    url: str


def format(invitation: Join | Link) -> str:
    """The line of text."""
    space = space_name(invitation.space).removeprefix("isle:")
    if isinstance(invitation, Join):
        return f"archipelago:join:{space}:{invitation.secret.hex()}@{invitation.url}"
    return f"archipelago:link:{space}@{invitation.url}"


def parse(text: str) -> Join | Link | Address:
    """What somebody pasted; Refused with what is wrong with it."""
    line = text.strip()
    if found := _JOIN.fullmatch(line):
        return Join(_space(found[1]), bytes.fromhex(found[2]), _url(found[3]))
    if found := _LINK.fullmatch(line):
        return Link(_space(found[1]), _url(found[2]))
    if line.startswith("archipelago:"):
        raise Refused("Invitation: it is not complete. Copy the whole line again, from archipelago: to its end.")
    address, _, fragment = line.partition("#")
    if fragment.startswith("isle:"):
        return Link(_space(fragment.removeprefix("isle:")), _url(address))
    if line:
        return Address(_url(line))
    raise Refused("Invitation: there is none. Paste the line that begins with archipelago:, or the node's address.")


def _space(spelled: str) -> bytes:
    try:
        return parse_space(f"isle:{spelled}")
    except KeyChainError as error:
        raise Refused(f"Invitation: its id is not complete. Copy the whole line again. ({error})") from error


def _url(text: str) -> str:
    if not text:
        return ""
    spoken = text if "://" in text else f"https://{text}"
    try:
        return check_url(spoken)
    except AddressError as error:
        raise Refused(f"Address: {error}") from error
