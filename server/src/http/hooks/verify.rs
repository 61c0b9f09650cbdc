//! Whether a delivery comes from who it says: a signature over its bytes, or a
//! secret that comes along. Compared in constant time.

use crate::http::extract::bearer;
use crate::intake::hooks::Kind;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a delivery shows for itself.
pub enum Proof {
    /// HMAC-SHA256 of its bytes.
    Signature(Vec<u8>),
    /// The secret itself.
    Plain(String),
}

/// What deliveries of a kind must show, for people.
pub const fn proof_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Gitlab => "X-Gitlab-Token",
        Kind::Github | Kind::Bitbucket => "X-Hub-Signature-256",
        Kind::BitbucketDatacenter => "X-Hub-Signature",
        Kind::Gitea => "X-Gitea-Signature",
        Kind::Forgejo => "X-Forgejo-Signature",
        Kind::Jenkins => "?token= with the secret",
    }
}

fn text<'a>(headers: &'a HeaderMap, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| headers.get(*name)).and_then(|value| value.to_str().ok())
}

/// Hexadecimal digits, with or without the name of the hash before them.
fn signature(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim().strip_prefix("sha256=").unwrap_or(text.trim()).as_bytes();
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    if digits.len() != 64 {
        return None;
    }
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

impl Proof {
    /// What a delivery shows; `None` where it shows nothing that could hold.
    pub fn of(kind: Kind, parts: &Parts) -> Option<Self> {
        let headers = &parts.headers;
        let signed = |names: &[&str]| text(headers, names).and_then(signature).map(Self::Signature);
        match kind {
            Kind::Gitlab => text(headers, &["x-gitlab-token"]).map(|token| Self::Plain(token.to_owned())),
            Kind::Github => signed(&["x-hub-signature-256"]),
            Kind::Gitea => signed(&["x-gitea-signature", "x-hub-signature-256"]),
            Kind::Forgejo => signed(&["x-forgejo-signature", "x-gitea-signature", "x-hub-signature-256"]),
            Kind::Bitbucket | Kind::BitbucketDatacenter => signed(&["x-hub-signature-256", "x-hub-signature"]),
            Kind::Jenkins => {
                let in_header = bearer(headers).map(str::to_owned);
                let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
                let in_address = || pairs.into_iter().find(|(name, _)| name == "token").map(|(_, value)| value.into());
                in_header.or_else(in_address).map(Self::Plain)
            }
        }
    }

    /// Whether it holds. Plain secrets are hashed first, so that not even
    /// their length can be measured.
    pub fn holds(&self, secret: &[u8], bytes: &[u8]) -> bool {
        match self {
            Self::Plain(shown) => {
                let (shown, known) = (Sha256::digest(shown.as_bytes()), Sha256::digest(secret));
                shown.as_slice().ct_eq(known.as_slice()).into()
            }
            Self::Signature(shown) => match Hmac::<Sha256>::new_from_slice(secret) {
                Ok(mac) => mac.chain_update(bytes).verify_slice(shown).is_ok(),
                Err(_) => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_bytes_and_secret_alone() {
        // The example of RFC 4231, case 2.
        let digits = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let proof = Proof::Signature(signature(&format!("sha256={digits}")).expect("digits"));
        let bytes = b"what do ya want for nothing?";
        assert!(proof.holds(b"Jefe", bytes));
        assert!(!proof.holds(b"jefe", bytes) && !proof.holds(b"Jefe", b"what"));
        assert_eq!(signature(digits), signature(&format!("sha256={digits}")));
        for wrong in ["", "sha1=00", "zz", &digits[1..], &format!("{digits}00"), &"ä".repeat(32)] {
            assert_eq!(signature(wrong), None, "{wrong}");
        }
        assert!(Proof::Plain("a".into()).holds(b"a", b"") && !Proof::Plain("ab".into()).holds(b"a", b""));
    }
}
