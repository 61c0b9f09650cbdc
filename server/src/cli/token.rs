//! `holter token`: what programs are let in by, made by who has the store anyway.

use super::{Outcome, Place};
use crate::clock::SystemClock;
use crate::service::audit;
use crate::service::tokens::{self, Scope};
use crate::store::rows::TokenRow;
use app::domain::account::Deed;
use app::domain::clock::Clock;
use app::domain::name::{ProjectName, SetupName};
use app::domain::wall::check_wall_name;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Makes a token and prints it, once.
    Create {
        #[command(flatten)]
        place: Place,
        /// What it allows.
        #[arg(long, value_parser = scope_named)]
        scope: Scope,
        /// Only for this setup.
        #[arg(long)]
        setup: Option<String>,
        /// Only for this project.
        #[arg(long)]
        project: Option<String>,
        /// Only for this wall; prints the end of the link to open on its monitor.
        #[arg(long, conflicts_with_all = ["setup", "project"])]
        wall: Option<String>,
    },
}

fn scope_named(name: &str) -> Result<Scope, String> {
    Scope::parse(name).ok_or_else(|| {
        let names: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        format!("one of {}", names.join(", "))
    })
}

impl TokenCommand {
    pub(super) async fn run(self) -> Outcome {
        let Self::Create { place, scope, setup, project, wall } = self;
        let setup = setup.as_deref().map(SetupName::parse).transpose()?;
        let project = project.as_deref().map(ProjectName::parse).transpose()?;
        wall.as_deref().map(check_wall_name).transpose()?;
        let now = SystemClock.now();
        let (secret, row) = tokens::make(scope, setup, project, now)?;
        let row = TokenRow { wall: wall.as_deref().map(Into::into), ..row };
        let store = place.store().await?;
        store.token_insert(&row).await?;
        let made = audit::by_command(Deed::TokenMade, &row.id.to_string(), Some(&tokens::said_of(&row)), now);
        store.audit_insert(&made).await?;
        store.close().await;
        println!("{}", wall.map_or(secret.clone(), |wall| format!("/wall/{wall}?kiosk={secret}")));
        Ok(())
    }
}
