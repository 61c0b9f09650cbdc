//! Signed webhooks, in the form of Standard Webhooks: any of its libraries can
//! verify them.
//!
//! The signature is HMAC-SHA256 over `ID.TIMESTAMP.BODY`; the timestamp, in
//! seconds, is that of the try, so that a receiver can refuse what is old.

use crate::outgoing::call::Call;
use crate::outgoing::notice::Notice;
use crate::secret::Secret;
use app::domain::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;
use url::Url;

/// How a secret in base64 begins; any other text is taken as it is.
const PREFIX: &str = "whsec_";

/// The shortest secret, in bytes.
const SECRET_MIN: usize = 16;

/// The key that a secret stands for.
pub fn key(secret: &Secret) -> Result<Vec<u8>, String> {
    let text = secret.expose();
    let key = match text.strip_prefix(PREFIX) {
        Some(encoded) => STANDARD.decode(encoded).map_err(|_| format!("must be {PREFIX} and base64, or plain text"))?,
        None => text.as_bytes().to_vec(),
    };
    if key.len() < SECRET_MIN {
        return Err(format!("must have at least {SECRET_MIN} bytes"));
    }
    Ok(key)
}

/// A new secret, made of these random bytes.
pub fn secret(bytes: &[u8; 24]) -> Secret {
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// The signature of a message.
fn sign(key: &[u8], id: &str, timestamp: &str, body: &str) -> Option<String> {
    // A key of any length will do.
    let mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    let mac = mac.chain_update(id).chain_update(".").chain_update(timestamp).chain_update(".").chain_update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// A notice as a signed call. Without a secret it is not signed.
pub fn call(url: Url, notice: &Notice, secret: Option<&Secret>, now: Timestamp) -> Result<Call, String> {
    let kind = if notice.is_test { "test" } else { "changes" };
    let body = json!({ "type": kind, "timestamp": notice.at, "data": notice }).to_string();
    let (id, timestamp) = (notice.id.to_string(), now.0.div_euclid(1_000_000).to_string());
    let signature = match secret {
        Some(secret) => sign(&key(secret)?, &id, &timestamp, &body),
        None => None,
    };
    let call = Call::post_json(url, body).header("webhook-id", id).header("webhook-timestamp", timestamp);
    Ok(match signature {
        Some(signature) => call.header("webhook-signature", signature),
        None => call,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // The example of its specification.
        let key = key(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).expect("a key");
        let body = r#"{"test": 2432232314}"#;
        let signed = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_secret_is_long_enough() {
        assert!(key(&secret(&[7; 24])).is_ok_and(|key| key == [7; 24]));
        assert!(key(&Secret::new("a plain text of ours")).is_ok());
        for bad in ["", "short", "whsec_", "whsec_?", "whsec_c2hvcnQ="] {
            assert!(key(&Secret::new(bad)).is_err(), "{bad}");
        }
    }
}
