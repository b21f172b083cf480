"""Whose address a request comes from, as shares go by it."""

import pytest

from likeness.server.addresses import ADDRESS, address_of, forwarded_address, share_address


@pytest.mark.parametrize(
    ("host", "share"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", "unknown"),
        ("testclient", "testclient"),
    ],
)
def test_ipv6_counts_by_its_network(host: str, share: str) -> None:
    assert share_address(host) == share


@pytest.mark.parametrize(
    ("values", "address"),
    [
        (["192.0.2.7"], "192.0.2.7"),
        (["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7", "198.51.100.1"], "198.51.100.1"),
        (["192.0.2.7:50123"], "192.0.2.7"),
        (["[2001:db8::7]:50123"], "2001:db8::/64"),
        (["2001:db8::7"], "2001:db8::/64"),
        (["192.0.2.7, unknown"], None),
        (["192.0.2.7,"], None),
        (["_hidden"], None),
        (["\xff\xfe"], None),
        ([], None),
    ],
)
def test_what_the_proxy_added_itself_counts(values: list[str], address: str | None) -> None:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in values]
    assert forwarded_address([(b"host", b"here"), *headers]) == address


def test_a_request_has_the_address_that_the_server_put_there() -> None:
    client = ("2001:db8::7", 5)
    assert address_of({"client": client, "state": {ADDRESS: "192.0.2.7"}}) == "192.0.2.7"
    assert address_of({"client": client}) == "2001:db8::/64"
    assert address_of({"client": None, "state": {}}) == "unknown"
