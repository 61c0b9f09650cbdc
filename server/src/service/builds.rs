//! The latest builds of a setup's job, asked of its Jenkins server.
//!
//! They are asked by a client of their own: who may be called for builds may
//! not be called for anything else. Answers are kept for a while: a wall full
//! of people pressing the button is one request.

use super::desk::Desk;
use super::failure::Failure;
use crate::config::{BuildsConfig, JenkinsConfig, Secret};
use crate::outgoing::{Call, CallError, Outgoing, OutgoingError};
use app::domain::name::SetupName;
use app::domain::time::{Micros, Timestamp};
use app::paths::Segment;
use app::read::Build;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How many builds are shown.
const BUILDS: usize = 10;

/// The largest answer that is read.
const ANSWER_MAX: usize = 1024 * 1024;

/// Asks Jenkins servers.
#[derive(Debug)]
pub struct Builds {
    outgoing: Outgoing,
    keep: Micros,
    known: Mutex<HashMap<SetupName, Arc<Mutex<Option<Known>>>>>,
}

/// An answer and when it was asked for.
type Known = (Timestamp, Vec<Build>);

#[derive(Deserialize)]
struct Job {
    #[serde(default)]
    builds: Vec<JobBuild>,
}

#[derive(Deserialize)]
struct JobBuild {
    number: u64,
    #[serde(default)]
    url: String,
    #[serde(default)]
    result: Option<String>,
    #[serde(default)]
    timestamp: i64,
    #[serde(default)]
    duration: i64,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    actions: Vec<Action>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Action {
    total_count: Option<u32>,
    fail_count: Option<u32>,
    skip_count: Option<u32>,
}

/// Where a job is on its server: each folder is a path segment after `job/`.
fn job_url(jenkins: &JenkinsConfig) -> String {
    let base = jenkins.url.as_str().trim_end_matches('/');
    let path: String =
        jenkins.job.split('/').filter(|part| !part.is_empty()).map(|part| format!("/job/{}", Segment(part))).collect();
    format!(
        "{base}{path}/api/json?tree=builds[number,url,result,timestamp,duration,description,actions[totalCount,failCount,skipCount]]%7B0,{BUILDS}%7D"
    )
}

/// Passed and total, as the test result action tells them, else as in a
/// description of the form `All Tests: 12 tests (10 OK, 2 FAIL)`.
fn tests_of(build: &JobBuild) -> Option<(u32, u32)> {
    let by_action = build.actions.iter().find_map(|action| {
        let total = action.total_count?;
        let rest = action.fail_count.unwrap_or(0).saturating_add(action.skip_count.unwrap_or(0));
        Some((total.saturating_sub(rest), total))
    });
    by_action.or_else(|| described(build.description.as_deref()?))
}

fn described(text: &str) -> Option<(u32, u32)> {
    let rest = text.split_once("All Tests:")?.1;
    let (total, rest) = rest.split_once("tests")?;
    let passed = rest.split_once('(')?.1.split_once("OK")?.0;
    Some((passed.trim().parse().ok()?, total.trim().parse().ok()?))
}

fn build_of(build: JobBuild) -> Build {
    let tests = tests_of(&build);
    let web = build.url.starts_with("https://") || build.url.starts_with("http://");
    Build {
        number: build.number,
        url: if web { build.url } else { String::new() },
        result: build.result,
        passed: tests.map(|(passed, _)| passed),
        total: tests.map(|(_, total)| total),
        started_at: Timestamp::from_millis(build.timestamp),
        duration: Micros::from_millis(build.duration),
    }
}

impl Builds {
    /// Asks as configured.
    pub fn new(config: &BuildsConfig) -> Result<Self, OutgoingError> {
        let outgoing = Outgoing::new(config.rules()?, Duration::from_secs(u64::from(config.timeout_seconds)))?;
        let keep = Micros::from_secs(i64::from(config.cache_seconds));
        Ok(Self { outgoing, keep, known: Mutex::default() })
    }

    /// The latest builds of a job. The setup's lock is held while the server
    /// is asked, so that many who ask at once make one request.
    async fn latest(&self, setup: &SetupName, jenkins: &JenkinsConfig, now: Timestamp) -> Result<Vec<Build>, Failure> {
        let of_setup = self.known.lock().await.entry(setup.clone()).or_default().clone();
        let mut known = of_setup.lock().await;
        if let Some((asked, builds)) = known.as_ref()
            && now.since(*asked) < self.keep
        {
            return Ok(builds.clone());
        }
        let builds = self.ask(jenkins).await?;
        *known = Some((now, builds.clone()));
        Ok(builds)
    }

    async fn ask(&self, jenkins: &JenkinsConfig) -> Result<Vec<Build>, Failure> {
        let host = jenkins.url.host_str().unwrap_or_default().to_owned();
        let upstream = |what: &str| Failure::Upstream(format!("Jenkins on {host} {what}"));
        let url = job_url(jenkins).parse().map_err(|_| upstream("has no address that can be called"))?;
        let mut call = Call::get(url).answer_max(ANSWER_MAX);
        if let Some(user) = &jenkins.user {
            call = call.basic(user, jenkins.token.as_ref().map(Secret::expose).unwrap_or_default());
        }
        let answer = self.outgoing.send(call).await.map_err(|error| match error {
            CallError::TimedOut { .. } => upstream("did not answer in time"),
            CallError::Unreachable { .. } => upstream("cannot be reached"),
            CallError::BrokenOff { .. } => upstream("broke off its answer"),
            CallError::TooMuch { .. } => upstream("answered with far too much"),
            CallError::Refused(refused) => Failure::Upstream(refused.to_string()),
        })?;
        match answer.status {
            200 => {}
            401 | 403 => return Err(upstream("refused the user or token of this setup; see its entry in holter.toml")),
            404 => return Err(upstream("knows no such job; see the setup's entry in holter.toml")),
            status => return Err(upstream(&format!("answered with status {status}"))),
        }
        let job: Job =
            serde_json::from_slice(&answer.body).map_err(|_| upstream("answered with something else than a job"))?;
        Ok(job.builds.into_iter().take(BUILDS).map(build_of).collect())
    }
}

impl Desk {
    /// The latest builds of a setup's job, newest first.
    pub async fn builds(&self, setup: &str) -> Result<Vec<Build>, Failure> {
        if self.setup(setup).await?.is_none() {
            return Ok(Vec::new());
        }
        let config = SetupName::parse(setup).ok().and_then(|name| Some((name.clone(), self.inner.setups.get(&name)?)));
        let Some((name, config)) = config else { return Ok(Vec::new()) };
        let Some(jenkins) = &config.jenkins else { return Ok(Vec::new()) };
        self.inner.builds.latest(&name, jenkins, self.now()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_from_the_test_result_or_the_description() {
        let job: Job = serde_json::from_str(
            r#"{"_class":"x","builds":[
                {"number":7,"url":"http://j/7/","result":"UNSTABLE","timestamp":1,"duration":2,
                 "actions":[{},{"totalCount":12,"failCount":2,"skipCount":1}]},
                {"number":6,"url":"javascript:alert(1)","result":"FAILURE","description":"All Tests: 9 tests (7 OK, 2 FAIL)"},
                {"number":5,"description":"All Tests: none"}]}"#,
        )
        .expect("valid");
        let builds: Vec<_> = job.builds.into_iter().map(build_of).collect();
        let counts: Vec<_> = builds.iter().map(|build| (build.passed, build.total)).collect();
        assert_eq!(counts, [(Some(9), Some(12)), (Some(7), Some(9)), (None, None)]);
        assert_eq!(builds[1].url, "", "a link that is no web address is not shown");
    }

    #[test]
    fn folders_become_path_segments() {
        let jenkins = JenkinsConfig {
            url: "https://ci.example/jenkins/".parse().expect("valid"),
            job: "rigs/press line".into(),
            user: None,
            token: None,
        };
        assert!(job_url(&jenkins).starts_with("https://ci.example/jenkins/job/rigs/job/press%20line/api/json?tree="));
    }
}
