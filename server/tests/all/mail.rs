//! Mail, sent to a real listener.

use crate::harness::SmtpSink;
use app::domain::time::Timestamp;
use server::outgoing::Delivery;
use server::outgoing::mail::{Mail, MailServer, MailTls, Mailer};
use std::time::Duration;
use uuid::Uuid;

fn mailer(sink: &SmtpSink, tls: MailTls) -> Mailer {
    server::server::provide_cryptography();
    let server = MailServer {
        host: sink.address.ip().to_string(),
        port: Some(sink.address.port()),
        tls,
        login: None,
        from: "Holter <holter@example.org>".into(),
        timeout: Duration::from_secs(5),
    };
    Mailer::new(&server).expect("a mailer")
}

fn mail() -> Mail {
    Mail {
        id: Uuid::from_u128(7),
        at: Timestamp(0),
        to: vec!["Ops <ops@example.org>".into(), "dev@example.org".into()],
        subject: "bench 1 fell silent".into(),
        text: "Größer als gestern.\n.\nEnde".into(),
    }
}

#[tokio::test]
async fn a_mail_reaches_all_it_is_for() {
    let sink = SmtpSink::start().await;
    mailer(&sink, MailTls::None).send(&mail()).await.expect("it is taken");
    let received = sink.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].to, ["RCPT TO:<ops@example.org>", "RCPT TO:<dev@example.org>"]);
    assert!(received[0].text.contains("Subject: bench 1 fell silent\n"), "{}", received[0].text);
    assert!(received[0].text.contains("Ende"), "a lone full stop does not end it: {}", received[0].text);
}

#[tokio::test]
async fn what_is_refused_for_now_is_told_from_what_is_refused_for_good() {
    let sink = SmtpSink::start().await;
    let mailer = mailer(&sink, MailTls::None);
    for (answer, again) in [("451 come back later", true), ("550 nobody of that name", false)] {
        sink.answer(answer);
        let delivery = mailer.send(&mail()).await.expect_err(answer).delivery();
        assert_eq!(matches!(delivery, Delivery::Later(..)), again, "{delivery:?}");
    }
    assert!(sink.received().is_empty());
}

#[tokio::test]
async fn a_server_that_offers_no_encryption_gets_nothing_that_was_to_be_encrypted() {
    let sink = SmtpSink::start().await;
    let error = mailer(&sink, MailTls::StartTls).send(&mail()).await.expect_err("no encryption");
    assert!(sink.received().is_empty(), "{error}");
}
