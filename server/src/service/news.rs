//! Watches how tests and setups stand, and tells channels what changed.
//!
//! It looks at what is stored, not at what happens: how things stand is
//! compared with how they stood at the last look, which is stored too, in the
//! transaction that notes what each channel was not told yet. So a restart
//! neither repeats nor loses. What is told when is decided by the rules of
//! `app::domain::change`.

mod detail;

use super::Service;
use super::channels::NamedChannel;
use super::failure::Failure;
use super::post::Letter;
use crate::store::rows::{ConditionRow, PaceRow, UntoldRow};
use app::domain::activity::Activity;
use app::domain::change::{Change, Condition, Pace, Standing, Subject, Untold, changes, due};
use app::domain::ids::SetupId;
use app::read::Tile;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Tests of a setup that are looked at one by one; so many that are ill at once
/// are one illness.
const LOOKED_AT: u32 = 5_000;

/// Changes that one message may be about.
const TOLD_AT_ONCE: usize = 2_000;

/// What is known of how things stand; the same as is stored.
#[derive(Debug, Default)]
pub(super) struct News {
    /// It was read from the store.
    is_known: bool,
    stood: BTreeMap<Subject, Condition>,
    untold: BTreeMap<(Box<str>, Subject), Untold>,
    paces: BTreeMap<Box<str>, Pace>,
}

/// How everything about a setup stood, or stands.
fn of_setup<T: Copy>(all: &BTreeMap<Subject, T>, setup: SetupId) -> BTreeMap<Subject, T> {
    let first = Subject { setup, test: None };
    all.range(first..)
        .take_while(|(subject, _)| subject.setup == setup)
        .map(|(subject, one)| (*subject, *one))
        .collect()
}

impl News {
    /// Forgets what is at hand: the store knows, or another server will.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    async fn know(&mut self, service: &Service) -> Result<(), Failure> {
        if self.is_known {
            return Ok(());
        }
        let store = &service.inner.store;
        let stood = store.condition_list().await?;
        self.stood = stood.into_iter().map(|row| (row.subject, row.condition)).collect();
        let untold = store.untold_list().await?;
        self.untold = untold.into_iter().map(|row| ((row.channel, row.untold.subject), row.untold)).collect();
        self.paces = store.pace_list().await?.into_iter().map(|row| (row.channel, row.pace)).collect();
        self.is_known = true;
        Ok(())
    }

    /// Looks at setups; those that `changed` have their tests looked at too.
    pub(super) async fn look(
        &mut self,
        service: &Service,
        tile: &Tile,
        has_changed: bool,
        channels: &[NamedChannel],
    ) -> Result<(), Failure> {
        self.know(service).await?;
        let mut stood = of_setup(&self.stood, tile.setup);
        let mut stand = BTreeMap::new();
        if has_changed {
            stand.extend(tests_of(service, tile.setup).await?);
            if self.rename(service, &stood, &stand).await? {
                stood = of_setup(&self.stood, tile.setup);
            }
        } else {
            // Nothing was said of the tests: they stand as they stood.
            let tests = stood.iter().filter(|(subject, _)| subject.test.is_some());
            stand.extend(
                tests.map(|(subject, condition)| (*subject, Standing { condition: *condition, heard_at: None })),
            );
        }
        let own = Subject { setup: tile.setup, test: None };
        let before = stood.get(&own).copied().unwrap_or(Condition::Well);
        let condition = of_tile(service, tile, before);
        stand.insert(own, Standing { condition, heard_at: None });
        let changed = changes(&stood, &stand, service.now());
        if changed.is_empty() { Ok(()) } else { self.take(service, &changed, channels).await }
    }

    /// A test that is gone from those that are unwell because it goes on under
    /// another name has not recovered: how it stood is how that one stood. Tells
    /// whether there was one.
    async fn rename(
        &mut self,
        service: &Service,
        stood: &BTreeMap<Subject, Condition>,
        stand: &BTreeMap<Subject, Standing>,
    ) -> Result<bool, Failure> {
        let mut is_renamed = false;
        for (subject, condition) in stood.iter().filter(|(subject, _)| !stand.contains_key(subject)) {
            let Some(test) = subject.test else { continue };
            let now_is = service.called_now(test).await?;
            if now_is != test {
                self.stood.remove(subject);
                self.stood.entry(Subject { test: Some(now_is), ..*subject }).or_insert(*condition);
                is_renamed = true;
            }
        }
        Ok(is_renamed)
    }

    /// Notes changes, and what each channel was not told of them.
    async fn take(&mut self, service: &Service, changed: &[Change], channels: &[NamedChannel]) -> Result<(), Failure> {
        let now = service.now();
        let stand: Vec<_> =
            changed.iter().map(|change| ConditionRow { subject: change.subject, condition: change.now_is }).collect();
        let mut untold = Vec::new();
        for change in changed.iter().filter(|change| !change.is_old) {
            for channel in channels {
                let name: Box<str> = channel.name.as_str().into();
                let known = self.untold.get(&(name.clone(), change.subject)).copied();
                let joined = Untold::join(known, change, now);
                if joined == known {
                    continue;
                }
                // What stands again as it was told is written so, and goes.
                let settled = known.map(|known| Untold { now_is: known.was, ..known });
                untold.extend(joined.or(settled).map(|untold| UntoldRow { channel: name, untold }));
            }
        }
        let mut group = service.inner.store.begin_group().await?;
        group.condition_save(&stand).await?;
        group.untold_save(&untold).await?;
        group.commit().await?;
        for row in stand {
            match row.condition {
                Condition::Well => self.stood.remove(&row.subject),
                condition => self.stood.insert(row.subject, condition),
            };
        }
        self.note(untold);
        Ok(())
    }

    fn note(&mut self, rows: Vec<UntoldRow>) {
        for UntoldRow { channel, untold } in rows {
            let key = (channel, untold.subject);
            if untold.was == untold.now_is {
                self.untold.remove(&key);
            } else {
                self.untold.insert(key, untold);
            }
        }
    }

    /// Tells channels what they are to be told now.
    pub(super) async fn tell(&mut self, service: &Service, channels: &[NamedChannel]) -> Result<(), Failure> {
        self.know(service).await?;
        if self.untold.is_empty() {
            return Ok(());
        }
        self.forget_channels(service, channels).await?;
        for channel in channels {
            self.tell_one(service, channel).await?;
        }
        Ok(())
    }

    /// What was meant for a channel that is no more is meant for nobody.
    async fn forget_channels(&mut self, service: &Service, channels: &[NamedChannel]) -> Result<(), Failure> {
        let is_gone = |name: &str| channels.iter().all(|channel| channel.name != name);
        let gone = self.untold.iter().filter(|((name, _), _)| is_gone(name));
        let gone = gone.map(|((name, _), untold)| told(name, untold)).collect::<Vec<_>>();
        self.write_told(service, gone, None, None).await
    }

    async fn tell_one(&mut self, service: &Service, channel: &NamedChannel) -> Result<(), Failure> {
        let now = service.now();
        let name: Box<str> = channel.name.as_str().into();
        let own = self.untold.iter().filter(|((of, _), _)| *of == name).map(|(_, untold)| untold);
        let pace = self.paces.get(&name).copied();
        let is_quiet = channel.channel.is_quiet(service.minute_of_day());
        let ready = due(own, service.inner.notify.rhythm, pace, is_quiet, now);
        let ready: Vec<Untold> = ready.into_iter().take(TOLD_AT_ONCE).copied().collect();
        if ready.is_empty() {
            return Ok(());
        }
        let mut said = Vec::new();
        let mut done = Vec::new();
        for untold in &ready {
            let is_wanted = channel.channel.wants(untold.kind());
            match if is_wanted { service.detail(untold).await? } else { detail::Detail::Nothing } {
                // It is being tried again just now: to be seen.
                detail::Detail::Undecided => continue,
                detail::Detail::Nothing => {}
                detail::Detail::Change(change) => said.extend(channel.channel.takes(&change.change).then_some(*change)),
            }
            done.push(told(&name, untold));
        }
        let letter = service.notice(said).map(|notice| Letter::Notice { channel: channel.name.clone(), notice });
        let pace = letter.as_ref().map(|_| Pace::told(pace, service.inner.notify.rhythm, now));
        self.write_told(service, done, letter, pace.map(|pace| PaceRow { channel: name, pace })).await
    }

    async fn write_told(
        &mut self,
        service: &Service,
        done: Vec<UntoldRow>,
        letter: Option<Letter>,
        pace: Option<PaceRow>,
    ) -> Result<(), Failure> {
        if done.is_empty() {
            return Ok(());
        }
        let mut group = service.inner.store.begin_group().await?;
        group.untold_save(&done).await?;
        if let Some(letter) = &letter {
            group.outbox_put(&letter.row(service.now())).await?;
        }
        if let Some(pace) = &pace {
            group.pace_save(pace).await?;
        }
        group.commit().await?;
        service.inner.letters.notify_one();
        self.note(done);
        self.paces.extend(pace.map(|row| (row.channel, row.pace)));
        Ok(())
    }
}

/// Something stands as the channel was told.
fn told(channel: &str, untold: &Untold) -> UntoldRow {
    UntoldRow { channel: channel.into(), untold: Untold { was: untold.now_is, ..*untold } }
}

/// How the tests of a setup stand that are not well.
async fn tests_of(service: &Service, setup: SetupId) -> Result<Vec<(Subject, Standing)>, Failure> {
    let rows = service.inner.store.health_unwell(setup, LOOKED_AT).await?;
    let stand = rows.into_iter().map(|row| {
        let condition = Condition::of_test(row.label, row.failed);
        (Subject { setup, test: Some(row.test) }, Standing { condition, heard_at: row.last_at })
    });
    Ok(stand.collect())
}

fn of_tile(service: &Service, tile: &Tile, before: Condition) -> Condition {
    let (now, silent_after) = (service.now(), service.inner.board.patience().silent_after);
    let activity = Activity::of(now, &tile.facts, silent_after);
    let spoke = tile.seen_at.is_some_and(|seen| now.since(seen) < silent_after);
    Condition::of_setup(activity, spoke, before)
}

/// How soon and how often channels are told, and what time it is there.
#[derive(Debug)]
pub(super) struct Notify {
    /// How soon, and how often.
    pub rhythm: app::domain::change::Rhythm,
    /// Of quiet hours.
    pub zone: TimeZone,
}

impl Service {
    /// The minute of the day, by the clock on the wall of those who are told.
    fn minute_of_day(&self) -> u16 {
        let now = jiff::Timestamp::from_microsecond(self.now().0).unwrap_or_default();
        let time = self.inner.notify.zone.to_datetime(now).time();
        u16::try_from(time.hour()).unwrap_or(0) * 60 + u16::try_from(time.minute()).unwrap_or(0)
    }
}
