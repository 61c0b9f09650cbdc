//! A server that speaks TLS, with a certificate of its own.

use super::TestServer;
use server::config::{Reading, TlsConfig};
use tempfile::TempDir;

impl TestServer {
    /// One that asks everybody to sign in. The folder has its certificate and
    /// key, and goes when it is dropped.
    pub async fn start_with_tls() -> (Self, TempDir, rcgen::Certificate) {
        let folder = tempfile::tempdir().expect("a folder");
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).expect("a certificate");
        let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        std::fs::write(&certificate, made.cert.pem()).expect("written");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
        let server = Self::start_with(false, |config| {
            config.auth.read = Reading::Login;
            config.tls = Some(TlsConfig { certificate, key });
        })
        .await;
        (server, folder, made.cert)
    }
}
