//! How statements are written: as text for both databases.
//!
//! `$n` means the same to both drivers. What cannot be said in one way is a
//! constant of the same name in `sqlite` and `postgres`. The statements
//! themselves stand in the rooms of `tables`.

/// Constraints that callers match on, by one name for both databases.
pub mod constraint {
    /// A setup has one run of a key.
    pub const RUN_KEY: &str = "runs_setup_key";
    /// A name belongs to one setup.
    pub const SETUP_NAME: &str = "setups_name";
    /// A secret belongs to one token.
    pub const TOKEN_HASH: &str = "tokens_hash";
    /// A name belongs to one worker.
    pub const WORKER_NAME: &str = "workers_name";
    /// Of jobs that share a key one runs.
    pub const JOB_CONCURRENCY: &str = "jobs_concurrency";
    /// A name belongs to one account.
    pub const USER_NAME: &str = "users_name";
    /// An address for mail belongs to one account.
    pub const USER_EMAIL: &str = "users_email";
    /// Somebody at an OpenID provider has one account.
    pub const USER_SUBJECT: &str = "users_subject";
    /// What a row points at must be there. PostgreSQL names the very constraint.
    pub const REFERENCE: &str = "reference";

    /// The columns that SQLite names instead.
    pub(in crate::store) const BY_COLUMNS: [(&str, &str); 8] = [
        ("runs.setup_id, runs.key", RUN_KEY),
        ("setups.name", SETUP_NAME),
        ("tokens.hash", TOKEN_HASH),
        ("workers.name", WORKER_NAME),
        ("jobs.concurrency", JOB_CONCURRENCY),
        ("users.name", USER_NAME),
        ("users.email", USER_EMAIL),
        ("users.subject", USER_SUBJECT),
    ];
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub(in crate::store) const $name: &str = $text;)*

        /// The statements of this room by their names.
        pub(in crate::store) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(in crate::store) use statements;
