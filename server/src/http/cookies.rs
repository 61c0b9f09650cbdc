//! Our cookies: one for who is signed in, one for a monitor that was opened by
//! a kiosk's link.
//!
//! Where people come by TLS their names begin with `__Host-`: browsers then
//! take them from this host alone, by TLS alone and for all paths, so that no
//! neighbour in the domain can put one there.

use app::domain::time::Micros;
use axum::http::{HeaderMap, HeaderValue, header};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

const SESSION: &str = "holter-session";
const KIOSK: &str = "holter-kiosk";
const TRIP: &str = "holter-openid";

/// A trip to an OpenID provider takes no longer.
const TRIP_LASTS: Micros = Micros::from_secs(15 * 60);

/// A cookie outlives its session, which the server ends by itself.
const SESSION_LASTS: Micros = Micros::from_secs(90 * 86_400);

/// The longest that browsers keep a cookie; each visit renews it.
const KIOSK_LASTS: Micros = Micros::from_secs(400 * 86_400);

/// The secrets that a browser sent.
#[derive(Debug, Default)]
pub struct Cookies {
    /// Of a session.
    pub session: Option<String>,
    /// Of a kiosk's link.
    pub kiosk: Option<String>,
    /// Of a trip to an OpenID provider.
    pub trip: Option<String>,
}

fn name_of(name: &str, is_secure: bool) -> String {
    if is_secure { format!("__Host-{name}") } else { name.to_owned() }
}

impl Cookies {
    /// Reads them.
    pub fn of(headers: &HeaderMap, is_secure: bool) -> Self {
        if !headers.contains_key(header::COOKIE) {
            return Self::default();
        }
        let jar = CookieJar::from_headers(headers);
        let value = |name: &str| jar.get(&name_of(name, is_secure)).map(|cookie| cookie.value().to_owned());
        Self { session: value(SESSION), kiosk: value(KIOSK), trip: value(TRIP) }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.session.is_none() && self.kiosk.is_none()
    }
}

fn header_of(name: &str, value: &str, lasts: Micros, is_secure: bool) -> Option<HeaderValue> {
    let cookie = Cookie::build((name_of(name, is_secure), value))
        // What `__Host-` asks for; and a wall is read at more than one place.
        .path("/")
        .http_only(true)
        .secure(is_secure)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::seconds(lasts.as_secs()));
    HeaderValue::try_from(cookie.to_string()).ok()
}

/// Keeps a session in the browser.
pub fn session(secret: &str, is_secure: bool) -> Option<HeaderValue> {
    header_of(SESSION, secret, SESSION_LASTS, is_secure)
}

/// Takes the session out of the browser.
pub fn no_session(is_secure: bool) -> Option<HeaderValue> {
    header_of(SESSION, "", Micros(0), is_secure)
}

/// Keeps the secrets of a trip to an OpenID provider.
pub fn trip(kept: &str, is_secure: bool) -> Option<HeaderValue> {
    header_of(TRIP, kept, TRIP_LASTS, is_secure)
}

/// Forgets them.
pub fn no_trip(is_secure: bool) -> Option<HeaderValue> {
    header_of(TRIP, "", Micros(0), is_secure)
}

/// Keeps a kiosk's link in the browser.
pub fn kiosk(secret: &str, is_secure: bool) -> Option<HeaderValue> {
    header_of(KIOSK, secret, KIOSK_LASTS, is_secure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_tls_a_cookie_is_bound_to_the_host() {
        let text = session("s3", true).expect("a header");
        assert_eq!(
            text.to_str().expect("text"),
            "__Host-holter-session=s3; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=7776000"
        );
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("holter-session=planted; __Host-holter-session=own"));
        assert_eq!(Cookies::of(&headers, true).session.as_deref(), Some("own"));
        assert_eq!(Cookies::of(&headers, false).session.as_deref(), Some("planted"));
        assert!(Cookies::of(&HeaderMap::new(), false).is_empty());
    }
}
