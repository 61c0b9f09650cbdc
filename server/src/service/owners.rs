//! Who looks after a test that does not say so itself: whoever looks after its
//! file, by the `CODEOWNERS` of its project.
//!
//! The file is kept as it came and looked at when somebody reads, so a change
//! in it holds for the past at once.

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use crate::store::rows::OwnersRow;
use app::domain::account::Deed;
use app::domain::name::ProjectName;
use app::domain::owners::Owners;
use app::domain::rights::Action;
use std::collections::HashMap;
use std::sync::Arc;

/// The longest file that is kept, in bytes.
pub const OWNERS_KEPT: usize = 256 * 1024;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnersTaken {
    /// Rules in it.
    pub rules: usize,
    /// Lines that are none.
    pub left_out: usize,
}

/// The files of projects, for one reader.
#[derive(Debug, Default)]
pub(super) struct Lookup(HashMap<ProjectName, Arc<Owners>>);

impl Lookup {
    /// Who looks after a test: who it says, else who looks after its file.
    pub(super) async fn owner(
        &mut self,
        service: &Service,
        project: &ProjectName,
        own: Option<&str>,
        source: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        if let Some(own) = own {
            return Ok(Some(own.to_owned()));
        }
        let Some(source) = source else { return Ok(None) };
        if !self.0.contains_key(project) {
            self.0.insert(project.clone(), Arc::new(service.owners_of(project).await?));
        }
        Ok(self.0.get(project).and_then(|owners| owners.of(source)).map(str::to_owned))
    }
}

impl Service {
    async fn owners_of(&self, project: &ProjectName) -> Result<Owners, Failure> {
        let row = self.inner.store.owners_get(project).await?;
        Ok(row.map(|row| Owners::parse(&row.body)).unwrap_or_default())
    }
}

fn name_of(project: &str) -> Result<ProjectName, Failure> {
    ProjectName::parse(project).map_err(|error| Failure::invalid("project", error))
}

impl Desk {
    /// The `CODEOWNERS` of a project, as it came.
    pub async fn owners(&self, project: &str) -> Result<Option<String>, Failure> {
        self.allow_at(Action::Read, Some(project), None)?;
        Ok(self.inner.store.owners_get(&name_of(project)?).await?.map(|row| row.body.into()))
    }

    /// Keeps the `CODEOWNERS` of a project, instead of the one before.
    pub async fn owners_save(&self, project: &str, text: &str) -> Result<OwnersTaken, Failure> {
        self.allow_at(Action::Care, Some(project), None)?;
        let project = name_of(project)?;
        if text.len() > OWNERS_KEPT {
            return Err(Failure::TooLarge(format!("a CODEOWNERS file has at most {} KiB", OWNERS_KEPT / 1_024)));
        }
        let owners = Owners::parse(text);
        if owners.is_empty() {
            let detail = "holds no rule: a pattern and its owners on a line, such as /tests/ @acme/pumps".into();
            return Err(Failure::Invalid { pointer: String::new(), detail });
        }
        // The store takes no text with a zero in it.
        let body = text.replace('\0', "\u{2400}");
        let row = OwnersRow { project, body: body.into(), changed_at: self.now() };
        self.inner.store.owners_save(&row).await?;
        self.note(Deed::OwnersSaved, row.project.as_str(), Some(&format!("{} rules", owners.len()))).await;
        Ok(OwnersTaken { rules: owners.len(), left_out: owners.left_out })
    }

    /// A project has no `CODEOWNERS` any more. Tells whether it had one.
    pub async fn owners_delete(&self, project: &str) -> Result<bool, Failure> {
        self.allow_at(Action::Care, Some(project), None)?;
        let is_gone = self.inner.store.owners_delete(&name_of(project)?).await?;
        if is_gone {
            self.note(Deed::OwnersDeleted, project, None).await;
        }
        Ok(is_gone)
    }
}
