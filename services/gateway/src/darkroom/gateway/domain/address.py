"""Whose address a request comes from, and what services get to know of it."""

import hashlib
import hmac
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# An IPv6 customer has at least a /64 to choose addresses from, so that counts as one address.
_IPV6_CUSTOMER_BITS: Final = 64
# 128 bits of a keyed hash: no two addresses meet, and nobody without the salt can go back.
_HASH_BYTES: Final = 16


def client_address(peer: str, forwarded_for: Sequence[bytes], trusted: Sequence[Network]) -> str:
    """Return the client's address: the peer, or, behind trusted proxies, what they saw.

    X-Forwarded-For is read from the right, past trusted proxies; the first that is not one is the
    client. A part that is no address ends the reading: what stands left of it is hearsay.
    """
    if not trusted or not is_trusted(peer, trusted):
        return peer
    parts = [part.strip() for value in forwarded_for for part in value.decode("latin-1").split(",")]
    client = peer
    for part in reversed(parts):
        address = _parse(part)
        if address is None:
            break
        client = str(address)
        if not is_trusted(client, trusted):
            break
    return client


def is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    """Tell whether a peer is a proxy of ours, whose word about addresses is taken."""
    address = _parse(text)
    return address is not None and any(address in network for network in trusted)


def hash_address(address: str, salt: bytes) -> str:
    """Return the name services know an address by."""
    parsed = _parse(address)
    text = address if parsed is None else _customer(parsed)
    return hmac.digest(salt, text.encode(), hashlib.sha256)[:_HASH_BYTES].hex()


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _customer(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, _IPV6_CUSTOMER_BITS), strict=False))
