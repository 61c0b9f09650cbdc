//! Items and launches end.

use super::Refused;
use super::item::{Item, Message, Role, verdict};
use super::launch::{Launch, Told};
use super::start::join;
use super::words::{Attribute, Finish};
use app::domain::suite::Phase;
use app::domain::test::Verdict;
use app::domain::time::Timestamp;
use serde_json::json;

/// What agents put before the message of a test in its description.
const MESSAGE_MARK: &str = "Message:\n";

impl Launch {
    /// An item ends; it may have ended before, and the later word stands.
    /// `lenient` says that it may be unknown: then there is nothing to tell.
    pub fn finish_item(&mut self, id: &str, said: &Finish, lenient: bool) -> Result<Told, Refused> {
        let mut told = Told::default();
        match self.items.get(id).map(|item| item.role) {
            Some(Role::Suite) => self.finish_suite(id, said, &mut told),
            Some(Role::Test) => self.finish_test(id, said, &mut told),
            Some(Role::Open) if said.status.is_some() => {
                self.becomes_test(id, &mut told);
                self.finish_test(id, said, &mut told);
            }
            // Without a status it was meant for a suite; its children may follow.
            Some(Role::Open) => {}
            None if self.steps.get(id).is_some() => self.finish_step(id, said, &mut told),
            None if lenient || !self.knows_all() => {}
            None => return Err(Refused::NoItem(id.to_owned())),
        }
        Ok(told)
    }

    fn finish_suite(&mut self, id: &str, said: &Finish, told: &mut Told) {
        let Some(item) = self.items.get_mut(id) else { return };
        let verdict = said.status.as_deref().map(verdict);
        let message = message_of(item, said).filter(|_| verdict.is_none_or(Verdict::is_failure));
        item.end(said.at, said.status.as_deref(), verdict.unwrap_or(Verdict::Unknown), message.as_ref());
        let Some(item) = self.items.get(id) else { return };
        let text = message.as_ref().map(|message| &*message.text);
        let at = item.ended.as_ref().map_or(said.at, |ended| ended.at);
        told.events.push(self.suite_finished(id, &item.own_path(), at, verdict, text));
        told.kept.extend(self.kept_item(id));
    }

    fn finish_test(&mut self, id: &str, said: &Finish, told: &mut Told) {
        let Some(item) = self.items.get_mut(id) else { return };
        let verdict = said.status.as_deref().map_or_else(|| item.derived(), verdict);
        let message = message_of(item, said).filter(|_| !verdict.is_pass());
        item.end(said.at, said.status.as_deref(), verdict, message.as_ref());
        let has_more = join(&mut item.attributes, &said.attributes);
        let Some(item) = self.items.get(id) else { return };
        if has_more {
            told.events.push(self.test_started(id, item));
        }
        told.events.extend(self.test_finished(id, item, message.as_ref()));
        told.kept.extend(self.kept_item(id));
    }

    fn finish_step(&mut self, id: &str, said: &Finish, told: &mut Told) {
        let Some(step) = self.steps.get(id).cloned() else { return };
        let has_failed = said.status.as_deref().is_some_and(|status| verdict(status).is_failure());
        if let (Some(Phase::Setup), Some(path)) = (step.phase, self.suite_around(&step)) {
            told.events.push(self.suite_phase(id, &path, said.at, Phase::Tests));
        }
        let verdict = said.status.as_deref().map(verdict);
        told.events.push(self.step_finished(id, &step, said.at, verdict));
        self.steps.end(id);
        if !has_failed {
            return;
        }
        if let Some(owner) = step.owner.as_deref().and_then(|owner| self.items.get_mut(owner)) {
            owner.step_failed |= step.is_direct;
            if step.phase.is_some() {
                owner.note_error(&format!("{} failed", step.name));
            }
        }
    }

    /// The launch ends; what is late is joined all the same.
    pub fn finish(&mut self, said: &Finish) -> Told {
        let status = said.status.as_deref();
        self.about.ended = Some((said.at, status.map(Into::into)));
        let has_more = join(&mut self.about.attributes, &said.attributes);
        let mut told = Told::default();
        if has_more || said.description.is_some() {
            told = self.update(said.description.as_deref(), &[], said.at);
        }
        if let Some(root) = &self.about.root {
            told.events.push(self.suite_finished("", std::slice::from_ref(root), said.at, None, None));
        }
        let is_aborted = status.is_some_and(|status| verdict(status) == Verdict::Cancelled);
        told.events.push(self.event("run.finished", said.at, "", json!({ "aborted": is_aborted })));
        told.kept = vec![self.kept()];
        told
    }

    /// More is told about an item.
    pub fn update_item(&mut self, id: &str, description: Option<&str>, attributes: &[Attribute]) -> Option<Told> {
        let item = self.items.get_mut(id)?;
        let has_more = join(&mut item.attributes, attributes);
        item.description = super::item::beginning(description).or(item.description.take());
        let item = self.items.get(id)?;
        let event = (has_more && item.role == Role::Test).then(|| self.test_started(id, item));
        Some(Told { events: event.into_iter().collect(), kept: self.kept_item(id).into_iter().collect() })
    }

    /// Error lines of a test came after its end: tells the end again.
    pub(super) fn explain(&mut self, id: &str, told: &mut Told) {
        let Some(message) = self.items.get_mut(id).filter(|item| item.role == Role::Test).and_then(Item::explain)
        else {
            return;
        };
        let Some(item) = self.items.get(id) else { return };
        told.events.extend(self.test_finished(id, item, Some(&message)));
        told.kept.extend(self.kept_item(id));
    }

    /// The last word of the launch, as far as its items tell.
    pub fn last_word(&self) -> Timestamp {
        let ends = self.items.values().filter_map(|item| item.ended.as_ref()).map(|ended| ended.at);
        ends.max().unwrap_or(self.about.started)
    }
}

/// Why an item ended as it did: what its agent names as the message, else its
/// error lines, else a description that it did not have before.
fn message_of(item: &Item, said: &Finish) -> Option<Message> {
    let description = said.description.as_deref();
    if let Some((_, text)) = description.and_then(|text| text.rsplit_once(MESSAGE_MARK)) {
        return Some(Message { text: text.trim().to_owned(), named: true }).filter(|message| !message.text.is_empty());
    }
    let errors = Some(&*item.errors).filter(|errors| !errors.is_empty());
    let is_new = super::item::beginning(description) != item.description;
    let description = description.filter(|_| is_new).map(without_fence);
    let text = errors.or(description).or(said.comment.as_deref())?;
    Some(Message { text: text.to_owned(), named: false })
}

/// A text without the Markdown fence around all of it.
fn without_fence(text: &str) -> &str {
    let fenced = text.trim().strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    fenced.and_then(|inner| inner.split_once('\n')).map_or(text, |(_, inner)| inner.trim_end())
}
