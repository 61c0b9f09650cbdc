//! Channels: from the configuration, and from the store.

use super::failure::Failure;
use super::{Desk, Service};
use crate::clock::new_id;
use crate::outgoing::Delivery;
use crate::outgoing::channel::{Channel, ChannelKind, Parcel, check_name, hook};
use crate::outgoing::notice::Notice;
use crate::secret::Secret;
use crate::store::rows::ChannelRow;
use app::domain::account::Deed;
use app::domain::rights::Action;
use app::domain::time::Timestamp;

/// Channels that may be saved.
const CHANNELS_MAX: usize = 100;

/// Letters that were not taken and are shown.
const FAULTY_SHOWN: u32 = 20;

/// A channel by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedChannel {
    /// Its name.
    pub name: String,
    /// What goes there.
    pub channel: Channel,
    /// It is written in the configuration, and changed there.
    pub is_configured: bool,
}

/// A message that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untaken {
    /// Whom it is for.
    pub to: String,
    /// When it was written.
    pub at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// Why it was not taken.
    pub why: String,
    /// It will not be tried again.
    pub is_given_up: bool,
}

impl Desk {
    /// All channels, by name. Where messages go is told only to those who may
    /// change it, and what is secret to nobody.
    pub async fn channels(&self) -> Result<Vec<NamedChannel>, Failure> {
        self.allow(Action::Read)?;
        let may_change = self.allow(Action::Configure).is_ok();
        let mut all = self.all_channels().await?;
        if !may_change {
            all.iter_mut().for_each(|found| {
                found.channel.url = None;
                found.channel.to.clear();
            });
        }
        Ok(all)
    }

    /// A channel by its name, as in [`Self::channels`].
    pub async fn channel(&self, name: &str) -> Result<Option<NamedChannel>, Failure> {
        Ok(self.channels().await?.into_iter().find(|found| found.name == name))
    }

    /// Saves a channel; one of the same name is replaced. What is secret of it
    /// and not given stays as it was. A webhook that has no secret gets one,
    /// which is told once.
    pub async fn channel_save(&self, name: &str, mut channel: Channel) -> Result<Option<Secret>, Failure> {
        self.allow(Action::Configure)?;
        check_name(name)?;
        self.refuse_configured_channel(name)?;
        let all = self.all_channels().await?;
        let known = all.iter().find(|known| known.name == name).map(|known| &known.channel);
        if let Some(known) = known.filter(|known| known.kind == channel.kind) {
            channel.url = channel.url.or_else(|| known.url.clone());
            channel.secret = channel.secret.or_else(|| known.secret.clone());
        }
        if known.is_none() && all.len() >= CHANNELS_MAX {
            let detail = format!("there are {CHANNELS_MAX} channels already");
            return Err(Failure::invalid("name", detail));
        }
        let needs_secret = channel.kind == ChannelKind::Webhook && channel.secret.is_none();
        let fresh = if needs_secret { Some(secret()?) } else { None };
        channel.secret = channel.secret.or_else(|| fresh.clone());
        if let Some(fault) = channel.faults(self.outgoing().rules(), self.mailer().is_some()).into_iter().next() {
            return Err(fault.into());
        }
        // Plain values with text keys: writing them cannot fail.
        let body = serde_json::to_string(&channel).unwrap_or_default().into();
        let row = ChannelRow { name: name.into(), body, changed_at: self.now() };
        self.inner.store.channel_save(&row).await?;
        self.note(Deed::ChannelSaved, name, None).await;
        Ok(fresh)
    }

    /// Forgets a channel. Tells whether it was there.
    pub async fn channel_delete(&self, name: &str) -> Result<bool, Failure> {
        self.allow(Action::Configure)?;
        self.refuse_configured_channel(name)?;
        let was_there = self.inner.store.channel_delete(name).await?;
        self.note(Deed::ChannelDeleted, name, None).await;
        Ok(was_there)
    }

    fn refuse_configured_channel(&self, name: &str) -> Result<(), Failure> {
        if self.inner.channels.contains_key(name) {
            return Err(Failure::Forbidden(format!("the channel {name} is written in holter.toml; change it there")));
        }
        Ok(())
    }

    /// Sends a message by hand, at once and once, and tells what came of it;
    /// none where there is no such channel.
    pub async fn channel_try(&self, name: &str) -> Result<Option<Delivery>, Failure> {
        self.allow(Action::Configure)?;
        let notice = Notice {
            id: new_id(),
            at: self.now().to_rfc3339(),
            text: format!("This is a test of the channel {name}. Nothing changed."),
            url: self.link("/settings/notifications"),
            changes: Vec::new(),
            more: 0,
            is_test: true,
        };
        let found = self.all_channels().await?.into_iter().find(|found| found.name == name);
        match found {
            Some(found) => Ok(Some(self.send_to(&found.channel, &notice).await)),
            None => Ok(None),
        }
    }

    /// Letters that were tried and not taken, the newest first.
    pub async fn untaken(&self) -> Result<Vec<Untaken>, Failure> {
        self.allow(Action::Configure)?;
        let rows = self.inner.store.outbox_faulty(FAULTY_SHOWN).await?;
        let untaken = rows.into_iter().map(|row| Untaken {
            to: super::post::addressee(&row.body),
            at: row.created_at,
            tries: row.tries,
            why: row.fault.map(Into::into).unwrap_or_default(),
            is_given_up: row.given_up_at.is_some(),
        });
        Ok(untaken.collect())
    }
}

/// A new secret for a webhook.
fn secret() -> Result<Secret, Failure> {
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes).map_err(|_| Failure::Upstream("the system gave no random numbers".into()))?;
    Ok(hook::secret(&bytes))
}

impl Service {
    /// All channels, by name.
    pub(super) async fn all_channels(&self) -> Result<Vec<NamedChannel>, Failure> {
        let saved = self.inner.store.channel_list().await?;
        let configured = &self.inner.channels;
        let mut all: Vec<_> = configured
            .iter()
            .map(|(name, channel)| NamedChannel { name: name.clone(), channel: channel.clone(), is_configured: true })
            .collect();
        // The configuration stands above what was saved under the same name.
        all.extend(saved.into_iter().filter(|row| !configured.contains_key(&*row.name)).filter_map(named));
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    pub(super) async fn send_notice(&self, channel: &str, notice: &Notice) -> Delivery {
        let all = match self.all_channels().await {
            Ok(all) => all,
            Err(failure) => return Delivery::Later(failure.to_string(), None),
        };
        match all.into_iter().find(|found| found.name == channel) {
            Some(found) => self.send_to(&found.channel, notice).await,
            None => Delivery::Never(format!("there is no channel {channel} any more")),
        }
    }

    async fn send_to(&self, channel: &Channel, notice: &Notice) -> Delivery {
        match channel.parcel(notice, self.now()) {
            Err(never) => never,
            Ok(Parcel::Call(call)) => match self.inner.outgoing.send(*call).await {
                Ok(answer) => Delivery::of(&answer),
                Err(error) => Delivery::failed(&error),
            },
            Ok(Parcel::Mail(mail)) => match &self.inner.mailer {
                None => Delivery::Never("no mail server is configured".into()),
                Some(mailer) => match mailer.send(&mail).await {
                    Ok(()) => Delivery::Taken,
                    Err(error) => error.delivery(),
                },
            },
        }
    }
}

/// A channel that cannot be read is left out: it comes from another release.
fn named(row: ChannelRow) -> Option<NamedChannel> {
    match serde_json::from_str(&row.body) {
        Ok(channel) => Some(NamedChannel { name: row.name.into(), channel, is_configured: false }),
        Err(error) => {
            tracing::warn!(channel = &*row.name, %error, "a saved channel cannot be read; nothing goes there");
            None
        }
    }
}
