"""What the verbs about members do: make an invitation, and join by one.

A member's key is made where they work. On the command line it is a file in the data folder; it is written before the
record that makes it known, so that no key is ever known that nobody has.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from node import invitation
from node.failure import Misuse
from node.home import Home
from protocol.keychain import space_name
from protocol.keys import SigningKey
from protocol.membership import MEMBERSHIPS, is_live
from protocol.practice import KEYS

DAY_MS = 86_400_000
URL = "url"  # the setting that holds this node's own address


def invite(home: Home, *, peer: bool = False, days: int = 14, member: str = "", url: str = "") -> dict[str, Any]:
    """An invitation: for one person to become a member, or for another node to link with this one."""
    address = url or home.store.setting(URL)
    if peer:
        if not address:
            raise Misuse("--url: this node does not know its own address. Give it, such as --url https://isle.example")
        return {"invitation": invitation.format(invitation.Link(home.space, address)), "space": space_name(home.space)}
    if not 1 <= days <= 90:
        raise Misuse("--days: a number from 1 to 90.")
    secret = home.clock.random(16)
    expires_ms = (home.clock.now_ms() + days * DAY_MS) // 60_000 * 60_000
    body = {"hash": sha256(secret).hexdigest(), "expires_ms": expires_ms}
    home.actions.submit("member.invited/1", body, home.key_files.key(member))
    return {
        "invitation": invitation.format(invitation.Join(home.space, secret, address)),
        "link": f"{address.rstrip('/')}/join?invitation={secret.hex()}" if address else "",
        "space": space_name(home.space),
        "expires_ms": expires_ms,
    }


def join(home: Home, *, given: str, member: str, public_name: str = "") -> dict[str, Any]:
    """Join this space by an invitation, under a new key that is kept in this data folder."""
    read = invitation.parse(given)
    if not isinstance(read, invitation.Join):
        raise Misuse("INVITATION: this one links nodes. For it: archipelago peers add INVITATION")
    if read.space != home.space:
        raise Misuse(
            f"INVITATION: it is for {space_name(read.space)}, and this data folder is of {space_name(home.space)}."
            f" Open {read.url or 'the address of that node'} in a browser and join there, or choose its data folder with -C."
        )
    key = SigningKey(home.clock.random(32))
    home.key_files.add(member, key)
    try:
        home.actions.submit("member.joined/1", {"secret": read.secret.hex(), "name": public_name}, key)
    except BaseException:
        home.key_files.remove(member)
        raise
    view = home.store.view(home.space)
    row = view.get(MEMBERSHIPS, key.public)
    live = is_live(row, home.clock.now_ms())
    if live:
        home.actions.submit("member.named/1", {"name": member}, key)
    return {"member": member, "key": key.public.hex(), "admitted": live, "space": space_name(home.space)}


def give_login(home: Home, *, member: str = "", password: str) -> dict[str, Any]:
    """Let a member whose key lies here log in on the pages: their key, sealed under a password."""
    name = member or (home.key_files.names() or [""])[0]
    key = home.key_files.key(name)
    row = home.store.view(home.space).get(KEYS, key.public)
    who = row.member if row else key.public
    account = home.accounts.create(name, password, who, key, home.clock.random(40), home.clock.now_ms())
    return {"login": account.login, "member": account.member.hex()}
