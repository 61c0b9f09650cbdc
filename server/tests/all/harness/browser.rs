//! A browser as far as signing in needs one: it keeps cookies, fills in forms
//! and says where a request comes from.

use super::{Answer, TestServer};
use reqwest::header::{ACCEPT, COOKIE, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use std::collections::BTreeMap;

/// A password that may be one.
pub const PASSWORD: &str = "four plain words here";

/// A browser with a profile of its own.
pub struct Browser<'a> {
    server: &'a TestServer,
    client: Client,
    /// Its cookies, by name.
    pub cookies: BTreeMap<String, String>,
    /// From which page it asks; none says nothing, as programs do.
    pub origin: Option<String>,
}

impl<'a> Browser<'a> {
    /// One that has never been here.
    pub fn new(server: &'a TestServer) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().expect("a client");
        let origin = Some(server.url("").trim_end_matches('/').to_owned());
        Self { server, client, cookies: BTreeMap::new(), origin }
    }

    /// One in which somebody is signed in with [`PASSWORD`].
    pub async fn of(server: &'a TestServer, name: &str) -> Self {
        let mut browser = Self::new(server);
        let answer = browser.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    /// A request with all that a browser adds.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.client.request(method.clone(), self.server.url(path)).header(ACCEPT, "text/html,*/*");
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        match &self.origin {
            Some(origin) if !method.is_safe() => request.header(ORIGIN, origin),
            _ => request,
        }
    }

    /// Sends a request, and keeps the cookies that come back.
    pub async fn send(&mut self, request: RequestBuilder) -> Answer {
        let answer = self.server.send(request).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a form as it stands here.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request(Method::POST, path);
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    /// Opens the page of a form, and sends it with what is hidden in it.
    pub async fn fill(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.get(page).await;
        assert_eq!(answer.status, 200, "{page}: {}", answer.text);
        let form = answer.text.split(&format!("action=\"{action}\"")).nth(1).expect("the form");
        let form = form.split("</form>").next().unwrap_or_default();
        let key = form.split("name=\"key\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let mut all = fields.to_vec();
        all.extend(key.map(|key| ("key", key)));
        self.post(action, &all).await
    }

    /// Signs in.
    pub async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.post("/login", &[("name", name), ("password", password), ("next", "/flaky")]).await
    }
}

impl TestServer {
    /// Makes the first account by its link: an administrator with [`PASSWORD`].
    pub async fn first_administrator(&self, name: &str) -> Browser<'_> {
        let path = self.service().first_link().await.expect("it can be made").expect("nobody is there");
        let (page, secret) = path.split_once("?link=").expect("a link");
        let mut browser = Browser::new(self);
        let answer = browser.post(page, &[("link", secret), ("name", name), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }
}

/// The secret of the link on a page.
pub fn link_on(page: &str) -> &str {
    let link = page.split("link=").nth(1).expect("a link");
    link.split(|c: char| !c.is_ascii_alphanumeric()).next().expect("a secret")
}
