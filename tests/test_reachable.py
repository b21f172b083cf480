"""What may be connected to: nothing inside, in whatever spelling, unless the operator allows it."""

import pytest

from likeness.errors import InvalidRequest
from likeness.reachable import (
    Endpoint,
    may_be_named,
    reachable_address,
    read_endpoint,
    read_networks,
)

INSIDE = [
    "127.0.0.1",
    "::1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "fec0::1",
    "192.88.99.1",
    "2002:a9fe:a9fe::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_inside_is_reached(address: str) -> None:
    endpoint = _endpoint("name.example")
    assert reachable_address(endpoint, (), lambda host, port: [address]) is None


def test_public_address_is_chosen_among_others() -> None:
    endpoint = _endpoint("name.example")
    addresses = ["10.0.0.1", "2606:2800:220:1::1", "93.184.216.34"]
    chosen = reachable_address(endpoint, (), lambda host, port: addresses)
    assert chosen == "2606:2800:220:1::1"


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1"])
def test_other_spellings_of_loopback_do_not_help(host: str) -> None:
    assert reachable_address(_endpoint(host), ()) is None


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", *INSIDE])
def test_address_inside_may_not_be_named_and_a_name_may(host: str) -> None:
    assert not may_be_named(_endpoint(host), ())
    assert may_be_named(_endpoint("name.example"), ())
    assert may_be_named(_endpoint("127.0.0.1"), read_networks("127.0.0.0/8"))


def test_usual_port_is_that_of_the_scheme_and_others_are_refused() -> None:
    ports = {"rtsp": 554, "rtsps": 322}
    assert read_endpoint("rtsps://cam.example/a?b=c", ports, "an address") == Endpoint(
        "rtsps", "cam.example", 322, "/a?b=c"
    )
    with pytest.raises(InvalidRequest, match="Not an address: it needs rtsp:// or rtsps://"):
        read_endpoint("http://cam.example/", ports, "an address")


def test_what_may_hold_a_token_is_not_shown() -> None:
    endpoint = read_endpoint("http://cam.example/a?token=secret", {"http": 80}, "an address")
    assert "secret" not in repr(endpoint)


def test_networks_that_are_none_are_refused() -> None:
    assert read_networks(" ") == ()
    with pytest.raises(InvalidRequest, match=r"10\.1\.0\.0/16"):
        read_networks("10.0.0.0/8, intranet")


def _endpoint(host: str) -> Endpoint:
    return Endpoint("http", host, 80, "/")


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LocalHost.", "a.localhost", "localhost.localdomain", "ip6-localhost"),
        *(
            "127.0.0.1.",
            "0x7f.1.",
            "2130706433.",
            "10.0.0.1.",
            "169.254.169.254.",
            "0.",
            "0177.0.0.1",
        ),
        *("[::ffff:127.0.0.1]", "[::ffff:a00:1]", "[::1]", "[::]", "0.0.0.0", "017700000001"),
    ],
)
def test_this_machine_and_addresses_inside_may_not_be_named_in_any_spelling(host: str) -> None:
    assert not may_be_named(read_endpoint(f"https://{host}/", {"https": 443}, "a URL"), ())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1.", "a.localhost."])
def test_this_machine_may_be_named_where_its_network_is_allowed(host: str) -> None:
    assert may_be_named(_endpoint(host), read_networks("127.0.0.0/8"))


@pytest.mark.parametrize("host", ["93.184.216.34.", "localhost.example.org", "mylocalhost"])
def test_other_names_and_public_addresses_may_be_named(host: str) -> None:
    assert may_be_named(_endpoint(host), ())


def test_an_address_behind_percent_signs_is_no_host() -> None:
    with pytest.raises(InvalidRequest):
        read_endpoint("https://%31%32%37.0.0.1/", {"https": 443}, "a URL")
