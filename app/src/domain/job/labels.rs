//! Labels: what a job needs of a worker, and what a worker has.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use thiserror::Error;

/// Characters of a label at most.
const LABEL_MAX: usize = 80;

/// Labels of a job or a worker at most.
const LABELS_MAX: usize = 32;

/// Why a text is not a list of labels.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LabelError {
    /// A letter that no label has.
    #[error("the label {0:?} may have letters, digits and - _ . : / only, {LABEL_MAX} at most")]
    Odd(String),
    /// Too many.
    #[error("there may be {LABELS_MAX} labels at most")]
    TooMany,
}

/// Labels, each once, in their order, in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeSet<Box<str>>);

impl Labels {
    /// Reads labels between commas or white space.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
        let mut labels = BTreeSet::new();
        for word in words {
            let is_plain = |c: char| c.is_alphanumeric() || "-_.:/".contains(c);
            if word.chars().count() > LABEL_MAX || !word.chars().all(is_plain) {
                return Err(LabelError::Odd(word.chars().take(LABEL_MAX).collect()));
            }
            labels.insert(word.to_lowercase().into());
        }
        if labels.len() > LABELS_MAX { Err(LabelError::TooMany) } else { Ok(Self(labels)) }
    }

    /// Labels that were checked when they were stored.
    pub fn stored(key: &str) -> Self {
        Self(key.split(',').filter(|word| !word.is_empty()).map(Into::into).collect())
    }

    /// One spelling for one set: what the store compares.
    pub fn key(&self) -> String {
        self.0.iter().map(|label| &**label).collect::<Vec<_>>().join(",")
    }

    /// Whether a worker that has `offered` has all of these.
    pub fn fit(&self, offered: &Self) -> bool {
        self.0.is_subset(&offered.0)
    }

    /// With these too.
    pub fn and(mut self, more: &Self) -> Self {
        self.0.extend(more.0.iter().cloned());
        self
    }

    /// Those that a worker with `offered` lacks.
    pub fn missing_in<'a>(&'a self, offered: &'a Self) -> impl Iterator<Item = &'a str> {
        self.0.difference(&offered.0).map(|label| &**label)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|label| &**label)
    }

    /// Nothing is needed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(|label| &**label).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_set_has_one_key() {
        let labels = Labels::parse("linux, Bench-7 linux").expect("labels");
        assert_eq!(labels.key(), "bench-7,linux");
        assert_eq!(Labels::stored(&labels.key()), labels);
        assert_eq!(Labels::stored(""), Labels::default());
        assert_eq!(labels.to_string(), "bench-7, linux");
    }

    #[test]
    fn a_worker_needs_every_label_of_a_job() {
        let (job, worker) = (Labels::stored("gpu,linux"), Labels::stored("arm,gpu,linux"));
        assert!(job.fit(&worker) && Labels::default().fit(&job) && !worker.fit(&job));
        assert_eq!(worker.missing_in(&job).collect::<Vec<_>>(), ["arm"]);
    }

    #[test]
    fn odd_labels_are_refused_by_name() {
        assert_eq!(Labels::parse("a;b"), Err(LabelError::Odd("a;b".into())));
        assert!(Labels::parse(&"x".repeat(81)).is_err());
        let many: Vec<_> = (0..33).map(|n| n.to_string()).collect();
        assert_eq!(Labels::parse(&many.join(" ")), Err(LabelError::TooMany));
    }
}
