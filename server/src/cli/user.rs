//! `holter user`: accounts made by who has the store anyway.

use super::{Outcome, Place};
use crate::clock::SystemClock;
use crate::service::{audit, links};
use crate::store::{Store, StoreUrl};
use app::domain::account::{Deed, LinkKind, mail_address, user_name};
use app::domain::clock::Clock;
use app::domain::rights::Role;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Makes an account, and prints a link that sets its password, once.
    Create {
        #[command(flatten)]
        place: Place,
        /// The name to sign in with.
        name: String,
        /// What the person may do, everywhere.
        #[arg(long, value_parser = role_named, default_value = "administrator")]
        role: Role,
        /// Where mail goes.
        #[arg(long)]
        email: Option<String>,
    },
    /// Prints a link that sets a new password, once.
    Link {
        #[command(flatten)]
        place: Place,
        /// The name of the account.
        name: String,
    },
}

fn role_named(name: &str) -> Result<Role, String> {
    Role::parse(name).ok_or_else(|| {
        let names: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        format!("one of {}", names.join(", "))
    })
}

impl UserCommand {
    pub(super) async fn run(self) -> Outcome {
        let (place, name) = match &self {
            Self::Create { place, name, .. } | Self::Link { place, name } => (place, user_name(name)?),
        };
        let config = place.config()?;
        let store = Store::open(&StoreUrl::parse(&config.database_url)?).await?;
        let now = SystemClock.now();
        let (user, kind, deeds) = match self {
            Self::Create { role, email, .. } => {
                let email = mail_address(email.as_deref().unwrap_or_default())?;
                let user = links::new_user(name, email, Some(role), now);
                store.user_insert(&user).await?;
                let made = audit::by_command(Deed::UserMade, &user.name, Some(role.as_str()), now);
                (user, LinkKind::Invitation, Some(made))
            }
            Self::Link { .. } => {
                let user = store.user_by_name(&name).await?.ok_or_else(|| format!("there is no account {name}"))?;
                (user, LinkKind::Reset, None)
            }
        };
        let (secret, link) = links::make(kind, Some(user.id), now)?;
        store.link_make(&link).await?;
        for deed in deeds.into_iter().chain([audit::by_command(Deed::LinkMade, &user.name, None, now)]) {
            store.audit_insert(&deed).await?;
        }
        store.close().await;
        println!("{}{}", config.link_base(), links::path(kind, &secret));
        Ok(())
    }
}
