//! Mail, by the one server that the operator named.
//!
//! A mail is plain text. Its id follows from what it is about, so that a mail
//! which is sent again after a crash is known as a repeat. Where encryption is
//! configured and the server does not offer it, nothing is sent: neither the
//! password nor the mail.

use super::delivery::Delivery;
use crate::secret::Secret;
use app::domain::time::Timestamp;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Mailboxes};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, SystemTime};
use thiserror::Error;
use uuid::Uuid;

/// How the way to the mail server is kept private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// The connection turns to TLS after its first words, or is given up.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None; for a server on the same machine.
    None,
}

/// The server that takes mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// Its name, which its certificate must bear.
    pub host: String,
    /// Its port; the usual one where there is none.
    pub port: Option<u16>,
    /// How the way to it is kept private.
    pub tls: MailTls,
    /// Who sends, where it asks.
    pub login: Option<(String, Secret)>,
    /// Whom mail comes from: `Name <address>`.
    pub from: String,
    /// A server that has not answered by then is given up.
    pub timeout: Duration,
}

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Names it; the same mail has the same.
    pub id: Uuid,
    /// When it was written.
    pub at: Timestamp,
    /// Whom it goes to: `Name <address>` or the address alone.
    pub to: Vec<String>,
    /// What it is about, on one line.
    pub subject: String,
    /// What it says.
    pub text: String,
}

/// Why a mail was not sent.
#[derive(Debug, Error)]
pub enum MailError {
    /// Somebody it goes to, or comes from, has no such address.
    #[error("{0:?} is no address for mail")]
    Address(String),
    /// It cannot be put together.
    #[error("the mail cannot be written")]
    Unwritable(#[from] lettre::error::Error),
    /// The server did not take it.
    #[error("the mail server {host} did not take it")]
    Server {
        /// Its name.
        host: String,
        /// Why.
        #[source]
        source: lettre::transport::smtp::Error,
    },
    /// The server took too long.
    #[error("the mail server {host} did not answer in time")]
    TimedOut {
        /// Its name.
        host: String,
    },
}

/// Sends mail. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    host: String,
    timeout: Duration,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailer({})", self.host)
    }
}

/// Tells machines that answer by themselves that nobody is there to read it.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// Checks an address for mail: `Name <address>` or the address alone.
pub fn check_address(text: &str) -> Result<(), MailError> {
    mailbox(text).map(drop)
}

fn mailbox(text: &str) -> Result<Mailbox, MailError> {
    text.trim().parse().map_err(|_| MailError::Address(text.into()))
}

/// Text on one line.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Mailer {
    /// Sends by this server.
    pub fn new(server: &MailServer) -> Result<Self, MailError> {
        let host = server.host.clone();
        let refused = |source| MailError::Server { host: host.clone(), source };
        let tls = || TlsParameters::new(host.clone()).map_err(refused);
        let (tls, usual_port) = match server.tls {
            MailTls::StartTls => (Tls::Required(tls()?), 587),
            MailTls::Tls => (Tls::Wrapper(tls()?), 465),
            MailTls::None => (Tls::None, 25),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&*host)
            .port(server.port.unwrap_or(usual_port))
            .tls(tls)
            .timeout(Some(server.timeout));
        if let Some((user, password)) = &server.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().into()));
        }
        Ok(Self { transport: builder.build(), from: mailbox(&server.from)?, host, timeout: server.timeout })
    }

    /// Sends a mail. Returns when the server has taken it for all it goes to.
    pub async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        // The time of a command is bounded; the conversation has a few of them.
        let sent = tokio::time::timeout(self.timeout * 2, self.transport.send(message)).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_timeout() => Err(MailError::TimedOut { host: self.host.clone() }),
            Ok(Err(source)) => Err(MailError::Server { host: self.host.clone(), source }),
            Err(_) => Err(MailError::TimedOut { host: self.host.clone() }),
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        let to = mail.to.iter().map(|text| mailbox(text)).collect::<Result<Mailboxes, _>>()?;
        let to: lettre::message::header::To = to.into();
        let written = SystemTime::UNIX_EPOCH + Duration::from_micros(mail.at.0.max(0).unsigned_abs());
        let message = Message::builder()
            .from(self.from.clone())
            .mailbox(to)
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .date(written)
            .subject(line(&mail.subject))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())?;
        Ok(message)
    }
}

impl MailError {
    /// What came of the mail that failed for this.
    pub fn delivery(&self) -> Delivery {
        let mut why = self.to_string();
        match self {
            Self::Server { source, .. } => {
                why = format!("{why}: {source}");
                // A password that is refused now may be right after the next start.
                if source.is_permanent() { Delivery::Never(why) } else { Delivery::Later(why, None) }
            }
            Self::TimedOut { .. } => Delivery::Later(why, None),
            Self::Address(_) | Self::Unwritable(_) => Delivery::Never(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer() -> Mailer {
        crate::server::provide_cryptography();
        let server = MailServer {
            host: "mail.example".into(),
            port: None,
            tls: MailTls::StartTls,
            login: Some(("holter".into(), Secret::new("secret"))),
            from: "Holter <holter@example.org>".into(),
            timeout: Duration::from_secs(1),
        };
        assert!(!format!("{server:?}").contains("secret"));
        Mailer::new(&server).expect("a mailer")
    }

    fn mail() -> Mail {
        Mail {
            id: Uuid::from_u128(7),
            at: Timestamp::from_rfc3339("2026-03-01T12:00:00Z").expect("a time"),
            to: vec!["Ops <ops@example.org>".into(), "dev@example.org".into()],
            subject: "opens\r\nBcc: x@example.org began to fail, größer".into(),
            text: "First.\nSecond.".into(),
        }
    }

    #[test]
    fn a_mail_is_one_message_whatever_stands_in_its_subject() {
        let message = mailer().message(&mail()).expect("a message");
        let text = String::from_utf8(message.formatted()).expect("ASCII");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains("Message-ID: <00000000-0000-0000-0000-000000000007@example.org>"), "{head}");
        assert!(head.contains("Date: Sun, 01 Mar 2026 12:00:00") && head.contains("Auto-Submitted: auto-generated"));
        assert!(!head.to_lowercase().contains("\r\nbcc:"), "{head}");
        assert_eq!(message.envelope().to().len(), 2);
        assert_eq!(body.trim_end(), "First.\r\nSecond.");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in ["", "nobody", "a@b, c@d", "a@b\r\nRCPT TO:<c@d>"] {
            assert!(check_address(bad).is_err(), "{bad:?}");
        }
        assert!(check_address("Ops <ops@example.org>").is_ok());
        let error = mailer().message(&Mail { to: vec!["nobody".into()], ..mail() }).expect_err("refused");
        assert!(matches!(error.delivery(), Delivery::Never(_)));
    }
}
