//! The server that takes mail.

use super::{Config, ConfigError, Secret, invalid};
use crate::outgoing::mail::{MailServer, MailTls, check_address};
use serde::{Deserialize, Serialize};

/// The server that takes mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Its name.
    pub host: String,
    /// Its port; else 587, 465 or 25, as `tls` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `starttls`, `tls` or `none`.
    #[serde(default)]
    pub tls: MailTls,
    /// Who sends, where it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// That user's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Whom mail comes from: `Name <address>`.
    pub from: String,
}

impl Config {
    /// The server that takes mail, where there is one.
    pub fn mail_server(&self) -> Option<MailServer> {
        let mail = self.mail.clone()?;
        let login = mail.user.map(|user| (user, mail.password.unwrap_or_default()));
        let timeout = self.outgoing.timeout();
        Some(MailServer { host: mail.host, port: mail.port, tls: mail.tls, login, from: mail.from, timeout })
    }

    /// Refuses a mail server that cannot be asked.
    pub(super) fn validate_mail(&self) -> Result<(), ConfigError> {
        let Some(mail) = &self.mail else { return Ok(()) };
        if mail.host.trim().is_empty() {
            return Err(invalid("mail.host", "must not be empty; leave [mail] out to send none"));
        }
        if mail.user.is_some() && mail.password.is_none() {
            return Err(invalid("mail.password", "must be given where there is a user"));
        }
        if mail.user.is_some() && mail.tls == MailTls::None {
            return Err(invalid("mail.tls", "must be starttls or tls where a password is sent"));
        }
        check_address(&mail.from).map_err(|error| invalid("mail.from", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_that_cannot_be_asked_is_refused() {
        let good = "[mail]\nhost = \"mail.example\"\nfrom = \"Holter <holter@example.org>\"\n";
        let read = |text: &str| toml::from_str::<Config>(text).expect("valid").validate();
        read(good).expect("usable");
        for (text, place) in [
            (good.replace("mail.example", " "), "mail.host"),
            (good.replace("<holter@example.org>", ""), "mail.from"),
            (format!("{good}user = \"a\"\n"), "mail.password"),
            (format!("{good}user = \"a\"\npassword = \"b\"\ntls = \"none\"\n"), "mail.tls"),
        ] {
            let error = read(&text).expect_err(&text).to_string();
            assert!(error.starts_with(place), "{error}");
        }
    }
}
