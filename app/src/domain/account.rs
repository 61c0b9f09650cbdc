//! The rules of accounts: names, passwords, links that work once, and how long
//! somebody waits who guessed wrong.

use super::test::words;
use super::time::{Micros, Timestamp};
use thiserror::Error;

/// The longest name of a person, in characters.
pub const USER_NAME_MAX: usize = 100;

/// The shortest password, in characters. A few words reach it, and guesses are
/// bounded.
pub const PASSWORD_MIN: usize = 12;

/// The longest password, in bytes: enough for any sentence, and no work for the
/// hash that somebody else could choose.
pub const PASSWORD_MAX: usize = 256;

words! {
    /// What a link is for that works once.
    LinkKind {
        /// Makes the first account, while there is none.
        First = "first",
        /// Lets somebody in who was invited.
        Invitation = "invitation",
        /// Sets a new password.
        Reset = "reset",
    }
}

impl LinkKind {
    /// How long it works.
    pub const fn lasts(self) -> Micros {
        match self {
            Self::First => Micros::from_secs(24 * 3_600),
            Self::Invitation => Micros::from_secs(7 * 24 * 3_600),
            Self::Reset => Micros::from_secs(3_600),
        }
    }
}

words! {
    /// What somebody did that is written down.
    Deed {
        /// Signed in.
        SignedIn = "signed in",
        /// A password was not right.
        Refused = "was refused",
        /// Signed out.
        SignedOut = "signed out",
        /// Made an account.
        UserMade = "made the account",
        /// Changed an account.
        UserChanged = "changed the account",
        /// Deleted an account.
        UserDeleted = "deleted the account",
        /// Set a password by a link or by the old one.
        PasswordSet = "set the password of",
        /// Asked for a link that sets a password, or made one.
        LinkMade = "made a link for",
        /// Ended sessions.
        SessionsEnded = "ended sessions of",
        /// Made a token.
        TokenMade = "made the token",
        /// Took a token back.
        TokenRevoked = "took back the token",
        /// Saved a wall.
        WallSaved = "saved the wall",
        /// Deleted a wall.
        WallDeleted = "deleted the wall",
        /// Saved a channel.
        ChannelSaved = "saved the channel",
        /// Deleted a channel.
        ChannelDeleted = "deleted the channel",
        /// A test goes on as another one.
        TestsJoined = "joined the test",
        /// A test stands for itself again.
        TestsParted = "parted the test",
        /// Who looks after which file of a project.
        OwnersSaved = "saved the owners of",
        /// Nobody says any more who looks after which file.
        OwnersDeleted = "deleted the owners of",
        /// Saved a repository whose pushes are built.
        RepositorySaved = "saved the repository",
        /// Deleted one.
        RepositoryDeleted = "deleted the repository",
        /// Had a commit of somebody else built.
        BuildApproved = "approved the build of",
        /// Had it not built.
        BuildRefused = "refused the build of",
        /// Keeps a setup for themselves.
        SetupReserved = "reserved the setup",
        /// Gave a setup back.
        SetupGivenBack = "gave back the setup",
        /// Saved what is run again and again.
        ScheduleSaved = "saved the schedule",
        /// Its turns pass it by.
        SchedulePaused = "paused the schedule",
        /// Its turns count again.
        ScheduleResumed = "resumed the schedule",
        /// Deleted a schedule.
        ScheduleDeleted = "deleted the schedule",
    }
}

/// What is wrong with what somebody typed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct AccountFault {
    /// The field.
    pub field: &'static str,
    /// What is wrong, and what to do.
    pub detail: String,
}

fn fault(field: &'static str, detail: impl Into<String>) -> AccountFault {
    AccountFault { field, detail: detail.into() }
}

/// A name as it is kept: upper and lower case are the same, and letters that
/// look like others are left out.
pub fn user_name(text: &str) -> Result<Box<str>, AccountFault> {
    let name = text.trim().to_ascii_lowercase();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._@+-".contains(letter);
    if name.is_empty() || name.len() > USER_NAME_MAX || !name.chars().all(plain) {
        let detail = format!("must be 1 to {USER_NAME_MAX} of a-z, 0-9 and . _ @ + -, such as ana.b");
        return Err(fault("name", detail));
    }
    Ok(name.into())
}

/// An address for mail as it is kept; none where nothing was typed. Whether
/// mail arrives only a mail can tell; what could end a header is refused here.
pub fn mail_address(text: &str) -> Result<Option<Box<str>>, AccountFault> {
    let address = text.trim().to_lowercase();
    if address.is_empty() {
        return Ok(None);
    }
    let is_one = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains(|c: char| c.is_alphanumeric()) && !domain.contains('@')
    });
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"".contains(c);
    if !is_one || address.len() > 254 || address.contains(is_odd) {
        return Err(fault("email", "must be an address such as ana@example.org"));
    }
    Ok(Some(address.into()))
}

/// Checks a new password; `name` is whose it is.
pub fn check_password(password: &str, name: &str) -> Result<(), AccountFault> {
    let mut letters: Vec<char> = password.chars().collect();
    if letters.len() < PASSWORD_MIN {
        return Err(fault("password", format!("must have at least {PASSWORD_MIN} characters; a few words are good")));
    }
    if password.len() > PASSWORD_MAX {
        return Err(fault("password", format!("must have at most {PASSWORD_MAX} bytes")));
    }
    letters.sort_unstable();
    letters.dedup();
    let is_of_name = !name.is_empty() && password.to_lowercase().replace(name, "").chars().count() < 6;
    if letters.len() < 5 || is_of_name {
        return Err(fault("password", "is too easy to guess; a few words are good"));
    }
    Ok(())
}

/// What is remembered of attempts that failed, for a name or for an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many, one after another.
    pub count: u32,
    /// The last one.
    pub at: Timestamp,
    /// When the next one is looked at.
    pub open_at: Timestamp,
}

/// How failures make one wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// So many cost nothing.
    pub free: u32,
    /// The first wait; each further one is twice as long.
    pub first: Micros,
    /// No wait is longer.
    pub most: Micros,
}

impl Backoff {
    /// For one name, from wherever the attempts come.
    pub const NAME: Self = Self { free: 5, first: Micros::from_secs(15), most: Micros::from_secs(15 * 60) };

    /// For one address, whatever the names. Many people may share it.
    pub const ADDRESS: Self = Self { free: 20, first: Micros::from_secs(15), most: Micros::from_secs(15 * 60) };

    /// After this long without an attempt nothing is held against anybody.
    pub const FORGOTTEN: Micros = Micros::from_secs(24 * 3_600);

    /// Takes one attempt, counted as a failure until it turns out well; or says
    /// how long it has to wait.
    pub fn take(&self, before: Option<Failures>, now: Timestamp) -> Result<Failures, Micros> {
        let before = before.filter(|before| now.since(before.at) < Self::FORGOTTEN).unwrap_or_default();
        if before.open_at > now {
            return Err(before.open_at.since(now));
        }
        let count = before.count.saturating_add(1);
        let wait = match count.checked_sub(self.free) {
            None | Some(0) => Micros(0),
            Some(over) => Micros(self.first.0.saturating_mul(1 << (over - 1).min(30)).min(self.most.0)),
        };
        Ok(Failures { count, at: now, open_at: now + wait })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_in_lower_case() {
        assert_eq!(user_name(" Ana.B ").as_deref().ok(), Some("ana.b"));
        for odd in ["", " ", "ana b", "a\nb", "аna", "a/b", "<b>", &"x".repeat(101)] {
            assert!(user_name(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn an_address_for_mail_cannot_carry_a_header() {
        assert_eq!(mail_address(" Ana@Example.org ").ok().flatten().as_deref(), Some("ana@example.org"));
        assert_eq!(mail_address(" ").ok().flatten(), None);
        for odd in [
            "ana",
            "@example.org",
            "ana@",
            "a@b@c.de",
            "ana@example.org\r\nBcc: eve@example.org",
            "ana@example.org,eve@example.org",
            "<ana@example.org>",
            "ana @example.org",
        ] {
            assert!(mail_address(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn a_password_is_long_enough_and_not_its_own_name() {
        assert!(check_password("four plain words here", "ana").is_ok());
        for weak in ["short", "aaaaaaaaaaaa", "abababababab", "anabelle-b-12", &"x y z w v".repeat(40)] {
            assert!(check_password(weak, "anabelle-b").is_err(), "{weak:?}");
        }
        assert!(check_password("пять простых слов", "ana").is_ok(), "letters are counted, not bytes");
    }

    #[test]
    fn waits_double_up_to_the_longest_and_are_forgotten_after_a_day() {
        let rule = Backoff { free: 2, first: Micros::from_secs(10), most: Micros::from_secs(35) };
        let (mut failures, mut now) = (None, Timestamp(0));
        let mut waits = Vec::new();
        for _ in 0..6 {
            let taken = rule.take(failures, now).expect("its time has come");
            waits.push(taken.open_at.since(now).as_secs());
            if taken.open_at > now {
                let early = rule.take(Some(taken), taken.open_at - Micros(1));
                assert_eq!(early, Err(Micros(1)), "an attempt before its time is not looked at, nor counted");
            }
            (failures, now) = (Some(taken), taken.open_at);
        }
        assert_eq!(waits, [0, 0, 10, 20, 35, 35]);
        let later = rule.take(failures, now + Backoff::FORGOTTEN).expect("long ago");
        assert_eq!(later.count, 1);
    }

    #[test]
    fn a_name_can_be_guessed_at_a_hundred_times_a_day_at_most() {
        let (mut failures, mut now, mut tries) = (None, Timestamp(0), 0);
        while now < Timestamp(0) + Micros::from_secs(24 * 3_600) {
            match Backoff::NAME.take(failures, now) {
                Ok(taken) => (failures, tries) = (Some(taken), tries + 1),
                Err(wait) => now = now + wait,
            }
        }
        assert!(tries <= 110, "{tries}");
    }
}
