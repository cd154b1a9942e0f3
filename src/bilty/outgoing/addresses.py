"""Which addresses on the internet a label may be fetched from, and an event sent to. Pure."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_GLOBAL = (IPv6Network("fec0::/10"), IPv4Network("192.88.99.0/24"))
"""Site-local, and the way into 6to4: given up by their RFCs (3879, 7526), and still used inside networks."""
_HERE = IPv4Address("127.0.0.1")


def is_public(address: str) -> bool:
    """False for what lies inside somebody's network, this machine included, however it is spelt; True needs proof."""
    try:
        told = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(told, IPv6Address):
        told = _leads_to(told)
    if any(told in network for network in _NOT_GLOBAL):
        return False
    return told.is_global and not told.is_multicast and not told.is_reserved


def _leads_to(address: IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, else itself; a tunnel counts as private."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.sixtofour or address.teredo:
        return _HERE
    return address.ipv4_mapped or address
