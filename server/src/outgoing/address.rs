//! Where an address leads: out to everybody, or inwards. Pure.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Out, to anybody's machine.
    Public,
    /// To this machine.
    Loopback,
    /// Into a private network.
    Private,
    /// To what is on the same wire; clouds keep their metadata there.
    LinkLocal,
    /// To many, to nobody, or to a use that no server has.
    Special,
}

impl Reach {
    /// Where this address leads. An IPv4 address inside an IPv6 one counts as
    /// what it is: both lead to the same machine.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => embedded(address).map_or_else(|| of_v6(address), of_v4),
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Special => "a reserved address",
        })
    }
}

fn of_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (127, ..) => Reach::Loopback,
        (10, ..) | (192, 168, _) => Reach::Private,
        (172, 16..=31, _) => Reach::Private,
        // Shared between a provider and its customers (RFC 6598).
        (100, 64..=127, _) => Reach::Private,
        (169, 254, _) => Reach::LinkLocal,
        // This network; protocol assignments; documentation; benchmarks; the
        // old relays of 6to4; multicast and all that is above it.
        (0, ..) | (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99) => Reach::Special,
        (198, 18..=19, _) => Reach::Special,
        (224.., ..) => Reach::Special,
        _ => Reach::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    let [first, second, ..] = address.segments();
    match (first, second) {
        _ if address.is_loopback() => Reach::Loopback,
        (0xfc00..=0xfdff, _) => Reach::Private,
        // The old site-local addresses lead inwards as well.
        (0xfec0..=0xfeff, _) => Reach::Private,
        (0xfe80..=0xfebf, _) => Reach::LinkLocal,
        // Documentation, and Teredo, which hides an IPv4 address.
        (0x2001, 0x0db8 | 0x0000..=0x01ff) | (0x3fff, 0x0000..=0x0fff) => Reach::Special,
        // Everything that is given out to be reached begins with 001.
        (0x2000..=0x3fff, _) => Reach::Public,
        _ => Reach::Special,
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, compatible, through
/// NAT64 (both prefixes) or through 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] => of(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => of(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => of(high, low),
        [0x64, 0xff9b, 1, _, _, _, high, low] => of(high, low),
        [0x2002, high, low, ..] => of(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_inwards_is_known() {
        let table = [
            ("8.8.8.8", Reach::Public),
            ("100.63.255.255", Reach::Public),
            ("172.32.0.1", Reach::Public),
            ("2606:4700::1", Reach::Public),
            ("127.0.0.1", Reach::Loopback),
            ("127.255.255.254", Reach::Loopback),
            ("::1", Reach::Loopback),
            ("::ffff:127.0.0.1", Reach::Loopback),
            ("64:ff9b::7f00:1", Reach::Loopback),
            ("2002:7f00:1::", Reach::Loopback),
            ("::7f00:1", Reach::Loopback),
            ("10.1.2.3", Reach::Private),
            ("172.16.0.1", Reach::Private),
            ("172.31.255.255", Reach::Private),
            ("192.168.1.1", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("fd00::1", Reach::Private),
            ("fec0::1", Reach::Private),
            ("64:ff9b:1:abcd::a00:1", Reach::Private),
            ("169.254.169.254", Reach::LinkLocal),
            ("::ffff:169.254.169.254", Reach::LinkLocal),
            ("fe80::1", Reach::LinkLocal),
            ("0.0.0.0", Reach::Special),
            ("::", Reach::Special),
            ("192.0.0.192", Reach::Special),
            ("198.18.0.1", Reach::Special),
            ("224.0.0.1", Reach::Special),
            ("255.255.255.255", Reach::Special),
            ("2001:db8::1", Reach::Special),
            ("2001:0:4136:e378::1", Reach::Special),
            ("ff02::1", Reach::Special),
        ];
        for (text, expected) in table {
            assert_eq!(Reach::of(text.parse().expect("an address")), expected, "{text}");
        }
    }
}
