//! Takes over the setups of a `setups_config.json`, the file of a board that
//! Holter replaces: `{"pipelines": [{"setup", "job_name", "comment", …}]}`.

use crate::config::{BuildsConfig, CompatConfig, Config, JenkinsConfig, SetupConfig};
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;
use url::Url;

/// Why the file cannot be taken over.
#[derive(Debug, Error)]
pub enum SetupsFileError {
    /// It is something else.
    #[error("this is not a setups_config.json: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It could not be written down as TOML.
    #[error("the setups could not be written down")]
    Unwritable(#[from] toml::ser::Error),
}

#[derive(Deserialize)]
struct File {
    pipelines: Vec<Pipeline>,
}

#[derive(Deserialize)]
struct Pipeline {
    setup: String,
    #[serde(default)]
    setup_id: Option<u32>,
    #[serde(default)]
    job_name: Option<String>,
    #[serde(default)]
    comment: Option<String>,
}

#[derive(Serialize)]
struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    builds: Option<BuildsConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compat: Option<CompatConfig>,
    setups: Vec<SetupConfig>,
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The setups as a part of `holter.toml`. The job names are on the given
/// Jenkins server; without one they are left out. Of setups of the same name,
/// or of the same number, the first counts.
pub fn to_toml(json: &str, jenkins: Option<&Url>) -> Result<String, SetupsFileError> {
    let file: File = serde_json::from_str(json)?;
    let mut setups: Vec<SetupConfig> = Vec::new();
    let mut compat = CompatConfig::default();
    for pipeline in file.pipelines {
        let name = pipeline.setup.trim().to_owned();
        if let (Some(number), false) = (pipeline.setup_id, name.is_empty()) {
            // Its listeners send this number, wherever the setup stands in the list.
            compat.setups.entry(number.to_string()).or_insert_with(|| name.clone());
        }
        if name.is_empty() || setups.iter().any(|setup| setup.name == name) {
            continue;
        }
        let job = filled(pipeline.job_name).zip(jenkins.cloned());
        let jenkins = job.map(|(job, url)| JenkinsConfig { url, job, user: None, token: None });
        setups.push(SetupConfig { name, comment: filled(pipeline.comment), jenkins });
    }
    let host = jenkins.and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)));
    let builds = host.map(|host| BuildsConfig { allowed_hosts: vec![host], ..Config::default().builds });
    Ok(toml::to_string(&Part { builds, compat: Some(compat).filter(|compat| !compat.setups.is_empty()), setups })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setups_become_a_usable_part_of_the_configuration() {
        let json = r#"{"pipelines":[
            {"setup":"rig 1","hostname":"h","setup_id":1,"job_name":"nightly","ip":"192.0.2.1","URL":"","comment":"door"},
            {"setup":"rig 2","setup_id":2,"job_name":"","comment":""},
            {"setup":"rig 1","setup_id":2}]}"#;
        let url: Url = "http://ci.example:8081/".parse().expect("valid");
        let config: Config = toml::from_str(&to_toml(json, Some(&url)).expect("taken over")).expect("ours");
        config.validate().expect("usable");
        assert_eq!(config.setups.len(), 2);
        assert_eq!(config.setups[0].jenkins.as_ref().map(|jenkins| &*jenkins.job), Some("nightly"));
        assert_eq!(config.setups[1].jenkins, None);
        assert_eq!(config.setup_numbers().into_values().collect::<Vec<_>>(), ["rig 1", "rig 2"]);
        assert!(to_toml("[]", None).is_err());
    }
}
