//! Letters to other servers: written in the transaction of what they tell,
//! kept until they were taken, tried again with growing pauses.
//!
//! Each is said at least once: who crashes between saying it and noting that
//! says it again, and the receiver knows the repeat by its id. A letter holds
//! no secret: whom it goes to stands in it by name, and how to speak there is
//! looked up when it is sent.

use super::Service;
use super::failure::Failure;
use crate::clock::{chance, new_id};
use crate::outgoing::forge::CommitStatus;
use crate::outgoing::notice::Notice;
use crate::outgoing::{Delivery, retry};
use crate::store::rows::LetterRow;
use app::domain::time::{Micros, Timestamp};
use futures::StreamExt;
use serde::{Deserialize, Serialize};

/// Letters that are kept; beyond it the oldest go.
const KEPT_MAX: u32 = 10_000;

/// A letter that was not taken by then is given up.
const GIVEN_UP_AFTER: Micros = Micros::from_secs(86_400);

/// For so long it is shown that a letter was given up.
const SHOWN_FOR: Micros = Micros::from_secs(7 * 86_400);

/// Letters that are sent in one round, and how many of them at once.
const ROUND: u32 = 64;
const AT_ONCE: usize = 8;

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Letter {
    /// How a commit stands, to the forge it came from.
    CommitStatus {
        /// The repository, by its name here.
        repository: String,
        /// What is said.
        status: CommitStatus,
    },
    /// What changed, to a channel.
    Notice {
        /// The channel, by its name.
        channel: String,
        /// What is said.
        notice: Notice,
    },
}

/// Whom a letter is for, for people.
pub(super) fn addressee(body: &str) -> String {
    match serde_json::from_str(body) {
        Ok(Letter::CommitStatus { repository, .. }) => repository,
        Ok(Letter::Notice { channel, .. }) => channel,
        Err(_) => "unknown".into(),
    }
}

impl Letter {
    /// Of two letters about the same subject the newer is enough.
    fn subject(&self) -> Option<Box<str>> {
        match self {
            Self::CommitStatus { repository, status: CommitStatus { commit, context, .. } } => {
                Some(format!("commit-status {repository} {commit} {context}").into())
            }
            Self::Notice { .. } => None,
        }
    }

    /// As it is kept.
    pub(super) fn row(&self, now: Timestamp) -> LetterRow {
        LetterRow {
            id: new_id(),
            subject: self.subject(),
            // Plain values with text keys: writing them cannot fail.
            body: serde_json::to_string(self).unwrap_or_default().into(),
            created_at: now,
            due_at: now,
            tries: 0,
            fault: None,
            given_up_at: None,
        }
    }
}

impl Service {
    /// Says how a commit stands to a repository that is known by this name;
    /// see [`Service::repository`]. Returns when it is sure to be said, or to
    /// be given up after a day; it takes the place of what was to be said of
    /// the same commit in the same context.
    pub async fn say_commit_status(&self, repository: &str, status: CommitStatus) -> Result<(), Failure> {
        let letter = Letter::CommitStatus { repository: repository.into(), status };
        self.inner.store.outbox_put(&letter.row(self.now())).await?;
        self.inner.letters.notify_one();
        Ok(())
    }

    /// Waits until a letter was written here since the last time.
    pub async fn letter_written(&self) {
        self.inner.letters.notified().await;
    }

    /// Sends letters whose time has come. Tells how many there were.
    pub async fn deliver(&self) -> Result<usize, Failure> {
        let due = self.inner.store.outbox_due(self.now(), ROUND).await?;
        let count = due.len();
        let sent = futures::stream::iter(due).map(|row| self.deliver_one(row)).buffer_unordered(AT_ONCE);
        let results: Vec<Result<(), Failure>> = sent.collect().await;
        results.into_iter().collect::<Result<(), Failure>>().map(|()| count)
    }

    /// Lets go of letters beyond the bound, and of those given up long ago.
    pub async fn shed_letters(&self) -> Result<u64, Failure> {
        Ok(self.inner.store.outbox_shed(KEPT_MAX, self.now() - SHOWN_FOR).await?)
    }

    async fn deliver_one(&self, row: LetterRow) -> Result<(), Failure> {
        let delivery = match serde_json::from_str(&row.body) {
            Ok(letter) => self.send(&letter).await,
            Err(_) => Delivery::Never("another release wrote it, and this one cannot read it".into()),
        };
        let (store, now) = (&self.inner.store, self.now());
        match delivery {
            Delivery::Taken => store.outbox_done(row.id).await?,
            Delivery::Later(why, asked_for) if now.since(row.created_at) < GIVEN_UP_AFTER => {
                let pause = retry::pause(row.tries + 1, chance(), asked_for);
                let due_at = now + Micros(i64::try_from(pause.as_micros()).unwrap_or(i64::MAX));
                tracing::debug!(letter = %row.id, tries = row.tries + 1, %why, "a letter was not taken; will try again");
                store.outbox_again(row.id, due_at, &why).await?;
            }
            Delivery::Later(why, _) | Delivery::Never(why) => {
                tracing::warn!(letter = %row.id, tries = row.tries + 1, %why, "a letter was given up");
                store.outbox_give_up(row.id, now, &why).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, letter: &Letter) -> Delivery {
        match letter {
            Letter::CommitStatus { repository, status } => self.send_commit_status(repository, status).await,
            Letter::Notice { channel, notice } => self.send_notice(channel, notice).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::domain::commit::CommitState;

    #[test]
    fn a_newer_word_about_a_commit_has_the_same_subject() {
        let said = |state, context: &str| Letter::CommitStatus {
            repository: "github:api.github.com/acme/pump".into(),
            status: CommitStatus {
                commit: "3f2a".into(),
                context: context.into(),
                state,
                description: String::new(),
                url: String::new(),
            },
        };
        let row = said(CommitState::Running, "a").row(Timestamp(7));
        assert_eq!(row.subject, said(CommitState::Success, "a").row(Timestamp(8)).subject);
        assert_ne!(row.subject, said(CommitState::Success, "b").row(Timestamp(8)).subject);
        let read: Letter = serde_json::from_str(&row.body).expect("its own words");
        assert_eq!(read, said(CommitState::Running, "a"));
    }
}
