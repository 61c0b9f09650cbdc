//! What is said between this server and an OpenID provider: the code flow with
//! PKCE. A provider is believed what it signed, for us, just now, in answer to
//! this very question, and nothing else.

use super::call::{Call, CallError};
use super::client::Outgoing;
use crate::secret::Secret;
use app::domain::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::Url;

/// Clocks may differ by so many seconds.
const LEEWAY: i64 = 60;

/// Ways of signing in which only the provider can sign. What is signed with a
/// shared secret, or not at all, is not believed.
const SIGNED: [Algorithm; 8] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
];

/// Why somebody was not let in by a provider.
#[derive(Debug, Error)]
pub enum OpenIdError {
    /// It cannot be asked.
    #[error("the provider cannot be asked")]
    Call(#[from] CallError),
    /// It says no, or something else than it should.
    #[error("the provider answered {status} to {what}")]
    Answer {
        /// What was asked.
        what: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// It cannot be understood.
    #[error("the provider's answer to {what} is not understood: {why}")]
    Unreadable {
        /// What was asked.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// What it says of itself is not what is configured.
    #[error("the provider calls itself {0:?}, which is not auth.openid.issuer")]
    Issuer(String),
    /// The token is not to be believed.
    #[error("what the provider says of the person is not to be believed: {0}")]
    Untrue(String),
}

/// A provider, as it is configured.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its address, as it calls itself.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// By what it knows us.
    pub client_secret: Secret,
}

/// Where a provider is to be asked.
#[derive(Clone, Debug, Deserialize)]
pub struct Doors {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
}

/// The secrets of one way to the provider and back.
#[derive(Clone, Debug)]
pub struct Trip {
    /// Comes back in the address: the answer is for this browser.
    pub state: String,
    /// Comes back in the token: it is for this trip.
    pub nonce: String,
    /// Is shown with the code: whoever takes the code alone has nothing.
    pub verifier: String,
}

/// What a provider says of a person.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Claims {
    /// Names the person there, for ever.
    pub sub: String,
    exp: i64,
    nonce: Option<String>,
    azp: Option<String>,
    /// The address for mail.
    pub email: Option<String>,
    /// Whether the provider knows that mail to it arrives.
    #[serde(default, deserialize_with = "truth")]
    pub email_verified: bool,
    /// What the person wants to be called.
    pub preferred_username: Option<String>,
}

/// Some providers write truth as text. What is neither is no.
fn truth<'de, D: Deserializer<'de>>(said: D) -> Result<bool, D::Error> {
    let said = serde_json::Value::deserialize(said)?;
    Ok(said.as_bool().unwrap_or_else(|| said.as_str() == Some("true")))
}

/// The keys of a provider. Of kinds that are not known here there may be some.
#[derive(Debug, Deserialize)]
struct Keys {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    fn known(self) -> JwkSet {
        let keys = self.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        JwkSet { keys: keys.collect() }
    }
}

fn read<T: DeserializeOwned>(what: &'static str, body: &[u8]) -> Result<T, OpenIdError> {
    serde_json::from_slice(body).map_err(|error| OpenIdError::Unreadable { what, why: error.to_string() })
}

async fn ask<T: DeserializeOwned>(outgoing: &Outgoing, what: &'static str, call: Call) -> Result<T, OpenIdError> {
    let answer = outgoing.send(call).await?;
    if !answer.is_success() {
        return Err(OpenIdError::Answer { what, status: answer.status });
    }
    read(what, &answer.body)
}

impl Provider {
    /// Asks where it is to be asked.
    pub async fn doors(&self, outgoing: &Outgoing) -> Result<Doors, OpenIdError> {
        let what = "its configuration";
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let address = address.parse().map_err(|_| OpenIdError::Issuer(self.issuer.clone()))?;
        let doors: Doors = ask(outgoing, what, Call::get(address)).await?;
        // Or another provider's word would be taken for that of this one.
        if doors.issuer != self.issuer {
            return Err(OpenIdError::Issuer(doors.issuer));
        }
        Ok(doors)
    }

    /// Where a browser is sent.
    pub fn way(&self, doors: &Doors, back: &str, trip: &Trip) -> Url {
        let mut way = doors.authorization_endpoint.clone();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(trip.verifier.as_bytes()));
        way.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", back)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &trip.state)
            .append_pair("nonce", &trip.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        way
    }

    /// Trades a code for what the provider says of the person.
    pub async fn claims(
        &self,
        outgoing: &Outgoing,
        doors: &Doors,
        back: &str,
        code: &str,
        trip: &Trip,
        now: Timestamp,
    ) -> Result<Claims, OpenIdError> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
        }
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", back)
            .append_pair("code_verifier", &trip.verifier)
            .finish();
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let call = Call::new(Method::POST, doors.token_endpoint.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .basic(&encoded(&self.client_id), &encoded(self.client_secret.expose()))
            .body(form);
        let tokens: Tokens = ask(outgoing, "the code", call).await?;
        let keys: Keys = ask(outgoing, "its keys", Call::get(doors.jwks_uri.clone())).await?;
        self.believed(&tokens.id_token, &keys.known(), &trip.nonce, now)
    }

    /// What a token says, if it is to be believed.
    fn believed(&self, token: &str, keys: &JwkSet, nonce: &str, now: Timestamp) -> Result<Claims, OpenIdError> {
        let untrue = |why: &str| OpenIdError::Untrue(why.into());
        let said = |error: jsonwebtoken::errors::Error| OpenIdError::Untrue(error.to_string());
        let head = decode_header(token).map_err(said)?;
        if !SIGNED.contains(&head.alg) {
            return Err(untrue("it is not signed as only the provider can"));
        }
        let key = match &head.kid {
            Some(kid) => keys.find(kid),
            None => keys.keys.first().filter(|_| keys.keys.len() == 1),
        };
        let key =
            DecodingKey::from_jwk(key.ok_or_else(|| untrue("its key is none of the provider's"))?).map_err(said)?;
        let mut rules = Validation::new(head.alg);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.client_id]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // By our own clock, below.
        rules.validate_exp = false;
        let claims = decode::<Claims>(token, &key, &rules).map_err(said)?.claims;
        if claims.exp + LEEWAY < now.0 / 1_000_000 {
            return Err(untrue("it is too old"));
        }
        if claims.nonce.as_deref() != Some(nonce) {
            return Err(untrue("it is of another sign-in"));
        }
        if claims.azp.as_ref().is_some_and(|azp| *azp != self.client_id) {
            return Err(untrue("it was made for another program"));
        }
        Ok(claims)
    }
}
