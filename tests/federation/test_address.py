"""Outgoing calls go to the open internet and to what the operator listed, and nowhere else."""

from __future__ import annotations

import socket

import pytest

from federation.address import AddressError, Guard, check_url

REFUSED_TEXT = """
127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.1 169.254.0.1
169.254.169.254 100.64.0.1 100.127.255.255 192.0.0.1 192.0.0.8 192.0.2.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.9
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::2 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:10.0.0.1 ::127.0.0.1
::8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::1 2002:7f00:1:: 2002:808:808::1
2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 100::1 fc00::1 fd00::1 fd12:3456:789a::1
fe80::1 fe80::1%eth0 fe80::a:b:c:d febf::1 fec0::1 feff::1 ff00::1 ff02::1 ff0e::1 5f00::1
2130706433 0x7f000001 0177.0.0.1 127.1 0x7f.1 localhost example.org 1.2.3.4.5
"""
REFUSED = REFUSED_TEXT.split()


@pytest.mark.parametrize("host", REFUSED)
def test_what_is_not_on_the_open_internet_is_refused(host: str) -> None:
    with pytest.raises(AddressError):
        Guard().check(host)


def test_the_corpus_is_large_enough() -> None:
    assert len(REFUSED) >= 60


@pytest.mark.parametrize("host", ["8.8.8.8", "1.1.1.1", "193.0.6.139", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"])
def test_the_open_internet_is_called(host: str) -> None:
    Guard().check(host)


def test_what_the_operator_listed_is_called() -> None:
    guard = Guard(listed=["192.168.1.0/24", "fd12::/16"])
    guard.check("192.168.1.7")
    guard.check("fd12::1")
    for host in ("192.168.2.7", "127.0.0.1", "fd13::1"):
        with pytest.raises(AddressError):
            guard.check(host)
    Guard(loopback=True).check("127.0.0.1")
    Guard(loopback=True).check("::1")
    with pytest.raises(AddressError):
        Guard(loopback=True).check("::ffff:127.0.0.1")


@pytest.mark.parametrize("spelled", ["127.0.0.1", "2130706433", "0x7f.1", "017700000001", "localhost"])
def test_the_address_that_is_dialled_is_checked_however_it_was_spelled(spelled: str) -> None:
    found = socket.getaddrinfo(spelled, 80, type=socket.SOCK_STREAM)
    assert found
    for address in found:
        with pytest.raises(AddressError):
            Guard().dial(address)
        Guard(loopback=True).dial(address).close()


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://example.org/", "https://example.org"),
        (" http://192.168.1.5:8401 ", "http://192.168.1.5:8401"),
        ("https://example.org/isle/", "https://example.org/isle"),
        ("http://[2001:db8::1]:80", "http://[2001:db8::1]:80"),
    ],
)
def test_a_nodes_address_is_its_base(url: str, base: str) -> None:
    assert check_url(url) == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://example.org",
        "file:///etc/passwd",
        "http://",
        "http://a:b@c",
        "http://a@c",
        "http://a?b",
        "http://a#b",
        "http://a:0",
        "http://a:99999",
        "http://a:x",
        "http://[::1",
        "http://a b",
        "http://abc.onion",
        "gopher://x",
    ],
)
def test_what_is_no_nodes_address_is_refused(url: str) -> None:
    with pytest.raises(AddressError):
        check_url(url)


def test_private_records_leave_over_tls_loopback_and_listed_ranges_only() -> None:
    guard = Guard(listed=["192.168.1.0/24"])
    assert guard.carries_private(secure=True, remote="8.8.8.8")
    assert guard.carries_private(secure=False, remote="127.0.0.1")
    assert guard.carries_private(secure=False, remote="::1")
    assert guard.carries_private(secure=False, remote="192.168.1.9")
    for remote in ("8.8.8.8", "192.168.2.9", "10.0.0.1", "", None, "unix"):
        assert not guard.carries_private(secure=False, remote=remote)
