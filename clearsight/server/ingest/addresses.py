"""Which addresses a server may call on behalf of a stranger: public ones, and nothing that only looks like one.

From the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates). The module `ipaddress`
judges by the tables of its Python version, and forms that carry an IPv4 address inside an IPv6 one (mapped, 6to4,
Teredo, NAT64) are refused whole, so the lists stand here.
"""

import ipaddress

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carriers' own, and a metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's own service at a public address
        "169.254.0.0/16",  # link-local, where metadata services are
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
"""The only block that is given out; loopback, private, link-local, mapped, NAT64 and multicast lie outside."""

_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

_REFUSED_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa")


def is_public(address: IPAddress) -> bool:
    """Whether anybody on the internet could be meant by it."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    if address.scope_id is not None or address not in _GLOBAL_V6:
        return False
    return not any(address in network for network in _REFUSED_V6)


def literal(host: str) -> IPAddress | None:
    """The address that a host part writes out, in its one plain form; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_public_name(host: str) -> bool:
    """Whether a name could be one of the public domain name system, by its form alone.

    Names of one label and of private zones are not, nor are names whose last label is a number: those are addresses
    in odd spellings (127.1, 0x7f000001), as the WHATWG's URL standard reads them.
    """
    labels = host.split(".")
    if len(labels) < 2 or not all(labels) or len(host) > 253:
        return False
    last = labels[-1]
    if last.isdigit() or last.lower().startswith("0x"):
        return False
    return not any(host == name or host.endswith("." + name) for name in _REFUSED_NAMES)
