//! Who may be called: names of hosts, and the networks they may be in. Pure.

use super::address::Reach;
use ipnet::IpNet;
use std::net::IpAddr;
use thiserror::Error;
use url::{Host, Url};

/// A host that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    /// Its name, or what stands after the first dot of it where `is_wild`.
    name: String,
    is_wild: bool,
    port: Option<u16>,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} is not {expected}")]
pub struct RuleError {
    /// As it was written.
    pub text: String,
    /// What it should have been.
    pub expected: &'static str,
}

/// Why a call is not made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// It is no address of the web.
    #[error("only http:// and https:// addresses are called")]
    Scheme,
    /// Nobody allowed this host.
    #[error("{host} may not be called; the operator allows hosts in {list}")]
    Host {
        /// The host and port.
        host: String,
        /// Where hosts are allowed.
        list: &'static str,
    },
    /// Its address leads inwards.
    #[error(
        "{host} is at {address}, {reach}, and may not be called; the operator allows networks in outgoing.allowed_networks"
    )]
    Address {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
        /// Where that leads.
        reach: Reach,
    },
}

/// Who may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    hosts: Vec<HostRule>,
    networks: Vec<IpNet>,
    /// A host that was named may be in a private network or on this machine.
    inside: bool,
    /// Where the operator writes hosts down.
    list: &'static str,
}

impl HostRule {
    /// Reads `HOST`, `HOST:PORT` or `*.DOMAIN`; a host may be an address.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let wrong = || RuleError { text: text.into(), expected: "HOST, HOST:PORT or *.DOMAIN" };
        let (is_wild, rest) = text.strip_prefix("*.").map_or((false, text), |rest| (true, rest));
        if rest.is_empty() || rest.contains(['/', '@', '?', '#', '*', ' ', '\\']) {
            return Err(wrong());
        }
        // Read as the same parser reads addresses, so that both spell it alike.
        // An IPv6 address without brackets has no port.
        let bare = rest.parse::<std::net::Ipv6Addr>().ok().map(|address| format!("[{address}]"));
        let url = Url::parse(&format!("none://{}", bare.as_deref().unwrap_or(rest))).map_err(|_| wrong())?;
        let host = Url::parse(&format!("http://{}", url.host_str().ok_or_else(wrong)?)).map_err(|_| wrong())?;
        if is_wild && !matches!(host.host(), Some(Host::Domain(_))) {
            return Err(wrong());
        }
        let name = host.host_str().ok_or_else(wrong)?.trim_end_matches('.').to_owned();
        Ok(Self { name, is_wild, port: url.port() })
    }

    fn takes(&self, host: &str, port: Option<u16>) -> bool {
        let host = host.trim_end_matches('.');
        let is_named = if self.is_wild {
            host.strip_suffix(&*self.name).is_some_and(|before| before.len() > 1 && before.ends_with('.'))
        } else {
            host == self.name
        };
        is_named && self.port.is_none_or(|own| Some(own) == port)
    }
}

impl Rules {
    /// These hosts, as far as their addresses are public or in one of the
    /// networks. An empty list of hosts allows nothing.
    pub fn new(hosts: &[String], networks: &[String]) -> Result<Self, RuleError> {
        let network = |text: &String| {
            text.parse().map_err(|_| RuleError { text: text.clone(), expected: "ADDRESS/BITS, such as 10.0.0.0/8" })
        };
        Ok(Self {
            hosts: hosts.iter().map(|text| HostRule::parse(text)).collect::<Result<_, _>>()?,
            networks: networks.iter().map(network).collect::<Result<_, _>>()?,
            inside: false,
            list: "outgoing.allowed_hosts",
        })
    }

    /// These hosts, which may be in private networks or on this machine: CI
    /// servers mostly are. What is link-local stays out of reach.
    pub fn inside(hosts: &[String], list: &'static str) -> Result<Self, RuleError> {
        Ok(Self { inside: true, list, ..Self::new(hosts, &[])? })
    }

    /// Whether this address may be called, as far as it can be told without
    /// asking where its host is.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme);
        }
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default());
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        // An address that the operator wrote down needs no further look at
        // where it leads.
        let is_named = self.hosts.iter().any(|rule| rule.takes(host, port));
        if is_named || address.is_some_and(|address| self.has_network_of(address)) {
            return Ok(());
        }
        Err(Refused::Host { host: format!("{host}:{}", port.unwrap_or_default()), list: self.list })
    }

    fn has_network_of(&self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether a host that may be called may be at this address.
    pub fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        let reach = Reach::of(address);
        let by_name = self.inside && matches!(reach, Reach::Loopback | Reach::Private);
        if reach == Reach::Public || by_name || self.has_network_of(address) {
            return Ok(());
        }
        Err(Refused::Address { host: host.into(), address, reach })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(hosts: &[&str], networks: &[&str]) -> Rules {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Rules::new(&owned(hosts), &owned(networks)).expect("valid")
    }

    #[test]
    fn an_address_may_be_called_for_its_network() {
        let rules = rules(&[], &["10.1.0.0/16"]);
        assert_eq!(rules.check(&url("http://10.1.2.3:8080/")), Ok(()));
        assert!(rules.check(&url("http://10.2.2.3/")).is_err());
        assert!(rules.check(&url("http://ci.example/")).is_err(), "a name has to be named");
    }

    fn url(text: &str) -> Url {
        text.parse().expect("an address")
    }

    #[test]
    fn only_hosts_that_were_named_are_called() {
        let rules =
            rules(&["ci.example", "chat.example:8443", "*.slack.example", "192.0.2.7", "[2001:db8::7]:80"], &[]);
        for good in [
            "https://ci.example/x",
            "http://CI.example.:81/",
            "https://chat.example:8443/",
            "https://hooks.slack.example/",
            "https://a.b.slack.example/",
            "http://192.0.2.7/",
            "http://[2001:db8::7]/",
        ] {
            assert_eq!(rules.check(&url(good)), Ok(()), "{good}");
        }
        for bad in [
            "https://chat.example/",
            "https://slack.example/",
            "https://evilslack.example/",
            "https://ci.example.evil.example/",
            "https://ci.example@evil.example/",
            "http://192.0.2.8/",
            "http://0xc0000208/",
            "http://[2001:db8::7]:81/",
        ] {
            assert!(matches!(rules.check(&url(bad)), Err(Refused::Host { .. })), "{bad}");
        }
        assert_eq!(rules.check(&url("file:///etc/passwd")), Err(Refused::Scheme));
        assert!(Rules::new(&[], &[]).expect("valid").check(&url("https://ci.example/")).is_err());
    }

    #[test]
    fn an_inward_address_needs_its_network() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let plain = rules(&["x"], &["10.1.0.0/16", "::1/128"]);
        for good in ["8.8.8.8", "10.1.255.1", "::ffff:10.1.2.3", "::1"] {
            assert_eq!(plain.check_address("x", address(good)), Ok(()), "{good}");
        }
        for bad in ["10.2.0.1", "127.0.0.1", "169.254.169.254", "fd00::1", "0.0.0.0"] {
            let refused = plain.check_address("x", address(bad)).expect_err(bad);
            assert!(refused.to_string().contains("outgoing.allowed_networks"), "{refused}");
        }
        let inside = Rules::inside(&["x".into()], "builds.allowed_hosts").expect("valid");
        for (text, is_fine) in [("10.2.0.1", true), ("127.0.0.1", true), ("fd00::1", true), ("169.254.169.254", false)]
        {
            assert_eq!(inside.check_address("x", address(text)).is_ok(), is_fine, "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in ["", "*", "*.", "https://ci.example", "ci.example/x", "u@ci.example", "*.10.0.0.1", "a b", "x:99999"]
        {
            assert!(HostRule::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(HostRule::parse("2001:db8::7"), HostRule::parse("[2001:db8::7]"));
        assert!(Rules::new(&[], &["10.0.0.0/33".into()]).is_err());
    }
}
