"""Where outgoing calls may go, and over what records that are not public may leave.

The address is checked at the last moment, on the very address that is dialled (`Guard.dial` is the connector's socket
factory), so a name that resolves to something else the second time, or a number in an odd form, gains nothing. Refused
unless the operator listed the range: loopback, private, link-local, shared, multicast, reserved, unspecified; and every
IPv6 form that carries another address within it (mapped, compatible, NAT64, 6to4, Teredo).

    AddressError (ours or the operator's: the call is not made)

>>> Guard(loopback=True).check("127.0.0.1")
>>> Guard().check("127.0.0.1")
Traceback (most recent call last):
federation.address.AddressError: 127.0.0.1 is not an address on the open internet. List it as allowed if you mean it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from federation.fault import Ours

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CARRIERS = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/23",
        "fec0::/10",
    )
)
_PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")  # parts of it count as global in newer libraries
_UNICAST = ipaddress.IPv6Network("2000::/3")
_LOOPBACK = (ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Network("::1/128"))


class AddressError(Ours, OSError):
    """A place that this node does not call; the message says why and what to do."""


class Guard:
    """Which addresses this node calls: the open internet, and what the operator listed."""

    def __init__(self, *, loopback: bool = False, listed: Iterable[str] = ()) -> None:
        self.listed: tuple[Network, ...] = (
            *(ipaddress.ip_network(each) for each in listed),
            *(_LOOPBACK if loopback else ()),
        )

    def check(self, host: str) -> None:
        """AddressError unless this numeric address may be dialled."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError as error:
            raise AddressError(f"{host} is not an address.") from error
        if self.lists(address) or _open(address):
            return
        raise AddressError(f"{host} is not an address on the open internet. List it as allowed if you mean it.")

    def lists(self, address: Address) -> bool:
        """Whether the operator listed it."""
        return any(address.version == network.version and address in network for network in self.listed)

    def dial(self, address: Any) -> socket.socket:
        """A socket for an address from getaddrinfo, if it may be dialled: the socket factory of the connector."""
        family, kind, protocol, _, where = address
        self.check(str(where[0]))
        return socket.socket(family=family, type=kind, proto=protocol)

    def carries_private(self, *, secure: bool, remote: str | None) -> bool:
        """Whether records that are not public may leave over the connection that a request came in by.

        `secure` is TLS; `remote` is who is at the other end of the socket. An onion service and a proxy in front reach
        the node over loopback.
        """
        if secure:
            return True
        try:
            address = ipaddress.ip_address(remote or "")
        except ValueError:
            return False
        return address.is_loopback or self.lists(address)


def check_url(url: str) -> str:
    """The base address of a node, without a slash at its end; AddressError with what to do if it is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        (parts.hostname or "").encode("idna")  # a label that is empty or too long can be no name
    except ValueError as error:
        raise AddressError(
            f"“{url}” is not an address. It looks like https://example.org or http://192.168.1.5:8401."
        ) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise AddressError(f"“{url}” is not an address. It looks like https://example.org or http://192.168.1.5:8401.")
    if (
        parts.username
        or parts.password
        or parts.query
        or parts.fragment
        or any(each <= " " for each in parts.netloc + parts.path)
    ):
        raise AddressError("A node's address has no name, password, question mark or fragment in it. Leave them out.")
    if parts.hostname.endswith(".onion"):
        raise AddressError("This release cannot call onion addresses itself. Let that node call this one.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _open(address: Address) -> bool:
    """Whether an address is one on the open internet and carries no other within it."""
    if isinstance(address, ipaddress.IPv6Address):
        odd = address.scope_id is not None or address not in _UNICAST or any(address in network for network in _CARRIERS)
    else:
        odd = address in _PROTOCOLS
    return not odd and address.is_global and not address.is_multicast and not address.is_reserved
