//! What `holter simulate` may be told.

use super::world::Shape;
use clap::Args;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;
use url::{Host, Url};

/// Beyond this many tests in all the scripts of open runs would fill memory.
pub const TESTS_IN_ALL_MAX: u64 = 1_000_000;

/// Plays test benches to a running Holter: steady, flaky, broken, slow and
/// dying ones. The same seed plays the same benches.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Where Holter listens, for instance `http://127.0.0.1:8080`.
    #[arg(long, value_parser = web_url)]
    pub url: Url,
    /// The ingest token; none is needed where the server runs with --dev.
    #[arg(long, env = "HOLTER_TOKEN", hide_env_values = true)]
    pub token: Option<Secret>,
    /// How many setups to play. Twelve show every kind of bench.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub setups: u32,
    /// How many tests each run has.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub tests: u32,
    /// Where all chance comes from.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many times faster than real time the benches work (0.01 to 1000).
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
    /// Ends after this time, not counting the history: 90, 90s, 10m or 2h.
    /// Without it the benches play until they are stopped.
    #[arg(long, value_parser = duration)]
    pub duration: Option<Duration>,
    /// First posts this many finished runs of the past for each setup.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub history: u32,
    /// Marks run keys and event ids. With the same seed and session the server
    /// sees repeats and ignores them; by default every start is a new session.
    #[arg(long)]
    pub session: Option<u64>,
    /// Allows a server on another machine. Simulated results cannot be told
    /// from real ones, so they should not land there by accident.
    #[arg(long)]
    pub allow_remote: bool,
}

/// Why options do not go together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OptionsError {
    /// The server is on another machine.
    #[error("{0} is not this machine; say --allow-remote to post simulated results there")]
    Remote(String),
    /// More than memory should be asked to hold.
    #[error("setups times tests must be at most {TESTS_IN_ALL_MAX}, but is {0}")]
    TooMany(u64),
}

impl Options {
    /// Checks what no single option can know.
    pub fn check(&self) -> Result<(), OptionsError> {
        let all = u64::from(self.setups) * u64::from(self.tests);
        if all > TESTS_IN_ALL_MAX {
            return Err(OptionsError::TooMany(all));
        }
        if !self.allow_remote && !is_loopback(&self.url) {
            return Err(OptionsError::Remote(self.url.host_str().unwrap_or_default().to_owned()));
        }
        Ok(())
    }

    /// The world to play; `session` is used where none was named.
    pub fn shape(&self, session: u64) -> Shape {
        Shape {
            seed: self.seed,
            session: self.session.unwrap_or(session),
            setups: self.setups,
            tests: self.tests,
            speed: self.speed,
        }
    }
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whether a URL can only reach this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        None => false,
    }
}

fn web_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must begin with http:// or https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not carry a user or password; use --token".to_owned());
    }
    Ok(url)
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if (0.01..=1_000.0).contains(&speed) { Ok(speed) } else { Err("must be from 0.01 to 1000".to_owned()) }
}

fn duration(text: &str) -> Result<Duration, String> {
    let units = [("s", 1.0), ("m", 60.0), ("h", 3_600.0)];
    let found = units.iter().find_map(|(unit, secs)| Some((text.strip_suffix(unit)?, *secs)));
    let (number, unit) = found.unwrap_or((text, 1.0));
    let number: f64 = number.trim().parse().map_err(|_| "must be a number, with s, m or h after it".to_owned())?;
    let secs = number * unit;
    // A year is more than anybody means.
    if (0.0..=31_536_000.0).contains(&secs) {
        Ok(Duration::from_secs_f64(secs))
    } else {
        Err("must be from 0 seconds to a year".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        options: Options,
    }

    fn read(words: &str) -> Result<Options, clap::Error> {
        Program::try_parse_from(["holter"].into_iter().chain(words.split(' '))).map(|program| program.options)
    }

    #[test]
    fn options_are_read_and_bounded() {
        let options = read("--url http://127.0.0.1:8080 --duration 10m --speed 4 --token secret").unwrap();
        assert_eq!(options.duration, Some(Duration::from_secs(600)));
        assert_eq!((options.setups, options.tests, options.speed), (12, 40, 4.0));
        assert!(!format!("{options:?}").contains("secret"));
        let refused =
            ["--setups 0", "--setups 1001", "--tests 0", "--speed 0", "--speed NaN", "--duration -1", "--duration ten"];
        for words in refused {
            assert!(read(&format!("--url http://localhost {words}")).is_err(), "{words}");
        }
        assert!(read("--url ftp://localhost").is_err());
        assert!(read("--url http://me:pass@localhost").is_err());
    }

    #[test]
    fn other_machines_must_be_allowed() {
        for (url, is_fine) in [
            ("http://localhost:1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:80", true),
            ("http://localhost.example.org", false),
            ("https://holter.example.org", false),
        ] {
            let options = read(&format!("--url {url}")).unwrap();
            assert_eq!(options.check().is_ok(), is_fine, "{url}");
            assert!(Options { allow_remote: true, ..options }.check().is_ok());
        }
        let large = read("--url http://localhost --setups 1000 --tests 10000").unwrap();
        assert_eq!(large.check(), Err(OptionsError::TooMany(10_000_000)));
    }
}
