//! Who is at the other end, behind proxies.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::IpAddr;

/// The address of the client. What a request says of it counts as far as it was
/// written by proxies that the operator trusts: the header is read from its
/// end, where the nearest proxy wrote, up to the first address that is none of
/// theirs. Everything before it anybody may have made up.
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return client;
    }
    let said = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let said: Vec<_> = said.flat_map(|value| value.split(',')).collect();
    for text in said.into_iter().rev() {
        let Some(address) = address_in(text.trim()) else { return client };
        client = address;
        if !is_trusted(client) {
            return client;
        }
    }
    client
}

/// Some proxies write a port beside the address.
fn address_in(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn what_is_said_counts_as_far_as_trusted_proxies_wrote_it() {
        let trusted = ["10.0.0.0/8".parse().expect("a network")];
        let client = |peer: &str, said: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for said in said {
                headers.append("x-forwarded-for", HeaderValue::from_static(said));
            }
            super::client(peer.parse().expect("an address"), &headers, &trusted).to_string()
        };
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1", "from nobody we trust");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7", "the rest is made up");
        assert_eq!(client("10.0.0.1", &["203.0.113.9", "198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("::ffff:10.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }
}
