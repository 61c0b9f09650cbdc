//! Where files that come with results are kept.

use super::{ConfigError, Secret, invalid};
use serde::{Deserialize, Serialize};
use url::Url;

/// Keeping files that come with results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilesConfig {
    /// One file at most.
    pub max_mebibytes: u32,
    /// A bucket; without one they are in a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Config>,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self { max_mebibytes: 64, s3: None }
    }
}

/// A bucket of a server that speaks S3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Config {
    /// The server's address.
    pub endpoint: Url,
    /// The region that requests are signed for.
    #[serde(default = "usual_region")]
    pub region: String,
    /// The bucket, which must exist.
    pub bucket: String,
    /// What stands before the name of every file.
    #[serde(default)]
    pub prefix: String,
    /// The bucket is named in the path and not in the host.
    #[serde(default)]
    pub path_style: bool,
    /// Who asks.
    #[serde(default)]
    pub access_key: Secret,
    /// What requests are signed with.
    #[serde(default)]
    pub secret_key: Secret,
}

fn usual_region() -> String {
    "us-east-1".into()
}

impl FilesConfig {
    /// One file at most, in bytes.
    pub fn most(&self) -> u64 {
        u64::from(self.max_mebibytes) * 1024 * 1024
    }

    /// Takes the keys from the environment where the file has none.
    pub(super) fn fill(&mut self, environment: &dyn Fn(&str) -> Option<String>) {
        let Some(s3) = &mut self.s3 else { return };
        let keys = [(&mut s3.access_key, "HOLTER_S3_ACCESS_KEY"), (&mut s3.secret_key, "HOLTER_S3_SECRET_KEY")];
        for (key, variable) in keys {
            if key.expose().is_empty() {
                *key = Secret::from(environment(variable).unwrap_or_default());
            }
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if !(1..=4_096).contains(&self.max_mebibytes) {
            return Err(invalid("files.max_mebibytes", "must be between 1 and 4096"));
        }
        let Some(s3) = &self.s3 else { return Ok(()) };
        if !matches!(s3.endpoint.scheme(), "http" | "https") {
            return Err(invalid("files.s3.endpoint", "must begin with http:// or https://"));
        }
        let keys =
            [("bucket", &*s3.bucket), ("access_key", s3.access_key.expose()), ("secret_key", s3.secret_key.expose())];
        match keys.iter().find(|(_, value)| value.trim().is_empty()) {
            Some((name, _)) => Err(invalid(format!("files.s3.{name}"), "must not be empty")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const BUCKET: &str = "[files.s3]\nendpoint = \"http://127.0.0.1:9000\"\nbucket = \"b\"\n";

    #[test]
    fn keys_may_come_from_the_environment_and_must_come_from_somewhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("holter.toml");
        std::fs::write(&file, BUCKET).expect("written");
        let read = |environment: &dyn Fn(&str) -> Option<String>| Config::read(Some(&file), environment);
        let config = read(&|name| name.starts_with("HOLTER_S3_").then(|| "key".into())).expect("usable");
        let s3 = config.files.s3.expect("a bucket");
        assert_eq!((s3.access_key.expose(), s3.secret_key.expose(), &*s3.region), ("key", "key", "us-east-1"));
        assert!(read(&|_| None).expect_err("no key").to_string().starts_with("files.s3.access_key"));
    }

    #[test]
    fn places_that_cannot_be_are_refused_by_name() {
        let cases = [
            ("[files]\nmax_mebibytes = 0".to_owned(), "files.max_mebibytes"),
            (BUCKET.replace("http:", "ftp:"), "files.s3.endpoint"),
            (BUCKET.replace("\"b\"", "\"\""), "files.s3.bucket"),
        ];
        for (text, place) in cases {
            let config: Config = toml::from_str(&text).expect("valid");
            assert!(config.validate().expect_err(&text).to_string().starts_with(place), "{text}");
        }
    }
}
