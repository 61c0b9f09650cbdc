//! Where messages go: hooks, chats and mail.
//!
//! A channel is a plan (what goes there, when, and how to reach it); its room
//! beside this file puts a notice into the words that are understood there.

mod chat;
pub mod hook;

use super::call::Call;
use super::delivery::Delivery;
use super::mail::{Mail, check_address};
use super::notice::Notice;
use super::rules::Rules;
use crate::secret::Secret;
use app::domain::change::ChangeKind;
use app::domain::time::Timestamp;
use app::domain::wall::{Hours, matches};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

/// The longest name of a channel.
pub const NAME_MAX: usize = 60;

/// Names or patterns in one list, and people a mail goes to.
const LISTED_MAX: usize = 100;

/// What takes the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// A program: signed JSON.
    #[default]
    Webhook,
    /// An incoming webhook of Slack.
    Slack,
    /// A workflow of Microsoft Teams that takes adaptive cards.
    Teams,
    /// An incoming webhook of Mattermost.
    Mattermost,
    /// People, by mail.
    Mail,
}

impl ChannelKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Webhook, Self::Slack, Self::Teams, Self::Mattermost, Self::Mail];

    /// Its one spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Mattermost => "mattermost",
            Self::Mail => "mail",
        }
    }

    /// The kind with this spelling.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A channel: what goes there, when, and how to reach it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Channel {
    /// What takes the messages.
    pub kind: ChannelKind,
    /// Its address, which of most kinds is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Secret>,
    /// What a webhook is signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// Whom a mail goes to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Only these changes; none for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeKind>,
    /// Only of these projects; none for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    /// Only on these setups; `*` stands for any letters. None for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub setups: Vec<String>,
    /// Only on these branches; `*` stands for any letters. None for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    /// Only of tests that these look after. None for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// When nothing is told, such as `22:00-06:00`; it is told afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<String>,
}

/// What is wrong with a channel.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field} {detail}")]
pub struct ChannelFault {
    /// Which field.
    pub field: &'static str,
    /// What is wrong there.
    pub detail: String,
}

fn fault(field: &'static str, detail: impl Into<String>) -> ChannelFault {
    ChannelFault { field, detail: detail.into() }
}

/// What a notice is sent as.
#[derive(Debug)]
pub enum Parcel {
    /// A call.
    Call(Box<Call>),
    /// A mail.
    Mail(Mail),
}

/// Checks the name of a channel: it stands in addresses.
pub fn check_name(name: &str) -> Result<(), ChannelFault> {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) || name.starts_with('-') {
        return Err(fault("name", format!("must be 1 to {NAME_MAX} of a-z, 0-9 and -, such as team-chat")));
    }
    Ok(())
}

impl Channel {
    /// Everything that is wrong with it, where calls have these rules and mail
    /// can be sent or not.
    pub fn faults(&self, rules: &Rules, has_mail: bool) -> Vec<ChannelFault> {
        let mut faults = Vec::new();
        match self.kind {
            ChannelKind::Mail => faults.extend(self.mail_fault(has_mail)),
            _ => faults.extend(self.address(rules).err()),
        }
        if self.kind == ChannelKind::Webhook {
            faults.extend(
                self.secret.as_ref().and_then(|secret| hook::key(secret).err()).map(|why| fault("secret", why)),
            );
        }
        let lists = [
            ("projects", &self.projects),
            ("setups", &self.setups),
            ("branches", &self.branches),
            ("owners", &self.owners),
        ];
        for (field, list) in lists {
            if list.len() > LISTED_MAX || list.iter().any(|name| name.trim().is_empty()) {
                faults.push(fault(field, format!("must be up to {LISTED_MAX} names, none of them empty")));
            }
        }
        if self.quiet.as_deref().is_some_and(|quiet| Hours::parse(quiet).is_none()) {
            faults.push(fault("quiet", "must be two times such as 22:00-06:00"));
        }
        faults
    }

    fn mail_fault(&self, has_mail: bool) -> Option<ChannelFault> {
        if !has_mail {
            return Some(fault("kind", "no mail can be sent; the operator names a server under [mail]"));
        }
        if self.to.is_empty() || self.to.len() > LISTED_MAX {
            return Some(fault("to", format!("must be 1 to {LISTED_MAX} addresses")));
        }
        self.to.iter().find_map(|to| check_address(to).err()).map(|error| fault("to", error.to_string()))
    }

    fn address(&self, rules: &Rules) -> Result<Url, ChannelFault> {
        let text = self.url.as_ref().map(Secret::expose).unwrap_or_default();
        let url: Url =
            text.trim().parse().map_err(|_| fault("url", "must be an address such as https://chat.example/hooks/…"))?;
        rules.check(&url).map(|()| url).map_err(|refused| fault("url", refused.to_string()))
    }

    /// Whether it is to be told of changes of this kind at all.
    pub fn wants(&self, kind: ChangeKind) -> bool {
        self.changes.is_empty() || self.changes.contains(&kind)
    }

    /// Whether a change is for this channel.
    pub fn takes(&self, change: &super::notice::NoticeChange) -> bool {
        let among = |list: &[String], name: Option<&str>| {
            list.is_empty() || name.is_some_and(|name| list.iter().any(|pattern| matches(pattern, name)))
        };
        self.wants(change.change)
            && among(&self.setups, Some(&change.setup))
            && among(&self.projects, change.project.as_deref())
            && among(&self.branches, change.branch.as_deref())
            && (self.owners.is_empty() || self.is_for_owner(change.owner.as_deref()))
    }

    /// Whether one of those who look after a test is meant: a file of owners may name several.
    fn is_for_owner(&self, owner: Option<&str>) -> bool {
        let is_meant = |name: &str| self.owners.iter().any(|pattern| matches(pattern, name));
        owner.is_some_and(|owner| is_meant(owner) || owner.split_whitespace().any(is_meant))
    }

    /// Whether it is quiet there at a minute of its day.
    pub fn is_quiet(&self, minute: u16) -> bool {
        self.quiet.as_deref().and_then(Hours::parse).is_some_and(|hours| hours.contains(minute))
    }

    /// Where it leads, without what is secret of it.
    pub fn place(&self) -> String {
        if self.kind == ChannelKind::Mail {
            return self.to.join(", ");
        }
        let url = self.url.as_ref().and_then(|url| url.expose().trim().parse::<Url>().ok());
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// A notice in the words of this channel, sent at `now`.
    pub fn parcel(&self, notice: &Notice, now: Timestamp) -> Result<Parcel, Delivery> {
        if self.kind == ChannelKind::Mail {
            return Ok(Parcel::Mail(mail(notice, &self.to, now)));
        }
        let text = self.url.as_ref().map(Secret::expose).unwrap_or_default();
        let url: Url = text.trim().parse().map_err(|_| Delivery::Never("the channel has no address".into()))?;
        let call = match self.kind {
            ChannelKind::Slack => Call::post_json(url, chat::slack(notice).to_string()),
            ChannelKind::Teams => Call::post_json(url, chat::teams(notice).to_string()),
            ChannelKind::Mattermost => Call::post_json(url, chat::mattermost(notice).to_string()),
            _ => hook::call(url, notice, self.secret.as_ref(), now).map_err(Delivery::Never)?,
        };
        Ok(Parcel::Call(Box::new(call)))
    }
}

fn mail(notice: &Notice, to: &[String], at: Timestamp) -> Mail {
    let mut text = format!("{}\n\n{}\n", notice.text, notice.url);
    if notice.changes.len() > 1 {
        text.push('\n');
        for change in &notice.changes {
            text.push_str(&format!("- {}\n  {}\n", change.line(), change.url));
        }
    }
    if notice.more > 0 {
        text.push_str(&format!("and {} more\n", notice.more));
    }
    Mail { id: notice.id, at, to: to.to_vec(), subject: notice.text.clone(), text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::notice::NoticeChange;
    use uuid::Uuid;

    fn channel(text: &str) -> Channel {
        toml::from_str(text).expect("a channel")
    }

    fn change(kind: ChangeKind, setup: &str, branch: Option<&str>) -> NoticeChange {
        NoticeChange {
            change: kind,
            setup: setup.into(),
            project: Some("pump".into()),
            suite: Vec::new(),
            test: Some("opens".into()),
            owner: Some("@acme/valves".into()),
            branch: branch.map(Into::into),
            commit: None,
            run_url: None,
            url: String::new(),
        }
    }

    #[test]
    fn a_channel_that_could_not_be_reached_is_refused_field_by_field() {
        let rules = Rules::new(&["chat.example".into()], &[]).expect("rules");
        let faults =
            |text: &str| channel(text).faults(&rules, false).iter().map(|fault| fault.field).collect::<Vec<_>>();
        assert!(faults("kind = \"slack\"\nurl = \"https://chat.example/x\"\nquiet = \"22:00-06:00\"").is_empty());
        let table = [
            ("", "url"),
            ("url = \"nowhere\"", "url"),
            ("url = \"https://other.example/\"", "url"),
            ("url = \"https://chat.example/\"\nsecret = \"whsec_!\"", "secret"),
            ("kind = \"mail\"\nto = [\"a@example.org\"]", "kind"),
            ("url = \"https://chat.example/\"\nsetups = [\" \"]", "setups"),
            ("url = \"https://chat.example/\"\nquiet = \"night\"", "quiet"),
        ];
        for (text, field) in table {
            assert_eq!(faults(text), [field], "{text}");
        }
        let mail = channel("kind = \"mail\"\nto = [\"nobody\"]").faults(&rules, true);
        assert_eq!(mail.iter().map(|fault| fault.field).collect::<Vec<_>>(), ["to"]);
        assert!(!format!("{:?}", channel("url = \"https://chat.example/hush\"")).contains("hush"));
    }

    #[test]
    fn only_what_a_channel_asked_for_goes_there() {
        let picky = channel(
            "changes = [\"new_failure\"]\nsetups = [\"rig-*\"]\nbranches = [\"main\", \"release/*\"]\nowners = [\"@acme/*\"]",
        );
        let failed = |setup, branch| picky.takes(&change(ChangeKind::NewFailure, setup, branch));
        assert!(failed("rig-7", Some("release/2")));
        assert!(!failed("bench", Some("main")) && !failed("rig-7", Some("topic")) && !failed("rig-7", None));
        assert!(!picky.takes(&change(ChangeKind::Recovered, "rig-7", Some("main"))));
        assert!(channel("").takes(&change(ChangeKind::Recovered, "x", None)));
    }

    #[test]
    fn a_mail_lists_what_its_line_sums_up() {
        let changes = vec![change(ChangeKind::NewFailure, "a", None), change(ChangeKind::NewFailure, "b", None)];
        let notice = Notice {
            id: Uuid::from_u128(1),
            at: String::new(),
            text: "2 tests began to fail".into(),
            url: "https://holter.example/".into(),
            changes,
            more: 7,
            is_test: false,
        };
        let mail = mail(&notice, &["a@example.org".into()], Timestamp(0));
        assert_eq!(mail.subject, "2 tests began to fail");
        assert!(
            mail.text.contains("- opens began to fail on b") && mail.text.ends_with("and 7 more\n"),
            "{}",
            mail.text
        );
    }
}
