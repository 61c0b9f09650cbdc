//! Every statement but the bulk writes (see `bulk`), as text for both databases.
//!
//! `$n` means the same to both drivers. What cannot be said in one way is a
//! constant of the same name in `sqlite` and `postgres`.

/// Constraints that callers match on, by one name for both databases.
pub mod constraint {
    /// A setup has one run of a key.
    pub const RUN_KEY: &str = "runs_setup_key";
    /// A name belongs to one setup.
    pub const SETUP_NAME: &str = "setups_name";
    /// A secret belongs to one token.
    pub const TOKEN_HASH: &str = "tokens_hash";
    /// What a row points at must be there. PostgreSQL names the very constraint.
    pub const REFERENCE: &str = "reference";

    /// The columns that SQLite names instead.
    pub(in crate::store) const BY_COLUMNS: [(&str, &str); 3] =
        [("runs.setup_id, runs.key", RUN_KEY), ("setups.name", SETUP_NAME), ("tokens.hash", TOKEN_HASH)];
}

macro_rules! setup_columns {
    () => {
        "select id, name, version, created_at, heard_at, attributes from setups"
    };
}

macro_rules! run_columns {
    () => {
        "select r.id, r.setup_id, r.key, r.project, r.state, r.result, r.counts, r.facts, r.started_at, \
         r.finished_at, r.heard_at, r.created_at, r.branch, r.commit_id, r.name, r.version from runs r"
    };
}

macro_rules! suite_columns {
    () => {
        "select run_id, ordinal, suite_id, setup_id, path, position, started_at, detail, version from suites"
    };
}

/// The end of a run changes the outcome of tests that never ended, and their
/// rows are not written for it.
macro_rules! outcome {
    () => {
        "case when t.outcome in ('waiting', 'running') then coalesce(r.unfinished_as, t.outcome) else t.outcome end"
    };
}

macro_rules! test_columns {
    () => {
        concat!(
            "select t.run_id, t.ordinal, t.test_id, t.setup_id, t.suite, t.name, t.parameters, ",
            outcome!(),
            " as outcome, t.position, t.attempts, t.detail, t.version from tests t join runs r on r.id = t.run_id"
        )
    };
}

macro_rules! event_columns {
    () => {
        "select seq, event_id, setup_id, run_id, kind, at, received_at, late, project, delay, body from events"
    };
}

macro_rules! health_columns {
    () => {
        "h.setup_id, h.test_id, h.label, h.p_flaky, h.p_broken, h.phi, h.results, h.failures, h.last_at, h.model, h.state"
    };
}

macro_rules! token_columns {
    () => {
        "select id, hash, scope, setup, project, label, created_at, expires_at, revoked_at, used_at, wall \
         from tokens"
    };
}

/// The filter of both ways to page through runs; what is null does not filter.
macro_rules! run_filter {
    () => {
        " and (cast($4 as text) is null or r.project = $4) and (cast($5 as text) is null or r.branch = $5) \
         and (cast($6 as text) is null or r.result = $6) and (cast($7 as text) is null or r.state = $7) \
         order by r.created_at desc, r.id desc limit $3"
    };
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub(super) const $name: &str = $text;)*

        /// Every statement by its name.
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

statements! {
    /// Whether it answers.
    PING = "select 1";

    /// All setups by name.
    SETUP_LIST = concat!(setup_columns!(), " order by name");

    /// A run by its id.
    RUN_GET = concat!(run_columns!(), " where r.id = $1");
    /// A run by what its listener calls it.
    RUN_FIND = concat!(run_columns!(), " where r.setup_id = $1 and r.key = $2");
    /// Runs that are not over, the oldest first. Word for word the condition of its index.
    RUN_OPEN_LIST = concat!(run_columns!(), " where r.state in ('waiting', 'running') order by r.created_at, r.id");
    /// The newest run of each setup.
    RUN_LATEST_LIST = concat!(
        run_columns!(),
        " join setups s on r.id = (select n.id from runs n where n.setup_id = s.id \
          order by n.created_at desc, n.id desc limit 1) order by s.name"
    );
    /// Runs older than ($1, $2), the newest first.
    RUN_PAGE = concat!(run_columns!(), " where (r.created_at, r.id) < ($1, $2)", run_filter!());
    /// The same of one setup, with an index of its own.
    RUN_PAGE_OF_SETUP = concat!(
        run_columns!(), " where r.setup_id = $8 and (r.created_at, r.id) < ($1, $2)", run_filter!()
    );

    /// The suites of a run.
    SUITE_ROWS = concat!(suite_columns!(), " where run_id = $1 order by ordinal");
    /// Those written since a version.
    SUITE_CHANGES = concat!(suite_columns!(), " where run_id = $1 and version > $2 order by ordinal");
    /// The tests of a run.
    TEST_ROWS = concat!(test_columns!(), " where t.run_id = $1 order by t.ordinal");
    /// Those written since a version.
    TEST_CHANGES = concat!(test_columns!(), " where t.run_id = $1 and t.version > $2 order by t.ordinal");
    /// Tests of a run after an ordinal. The outcomes are words between commas
    /// because a list cannot be bound in the same way on both databases.
    TEST_PAGE = concat!(
        test_columns!(),
        " left join suites s on s.run_id = t.run_id and s.ordinal = t.suite \
          where t.run_id = $1 and t.ordinal > $2 \
          and (cast($4 as text) is null or $4 like '%,' || ", outcome!(), " || ',%') \
          and (cast($5 as text) is null or lower(t.name) like lower($5) escape '\\' \
          or lower(t.parameters) like lower($5) escape '\\' \
          or lower(cast(s.path as text)) like lower($5) escape '\\') \
          order by t.ordinal limit $3"
    );
    /// The text of a script.
    SCRIPT_GET = "select body from scripts where id = $1";

    /// Of each test in a run ($1), its last durations as passed in other runs
    /// on a setup ($2), the newest first. A subquery per test: it stops in the
    /// index after the few it needs, which a window function would not.
    PASSES = "select t.test_id as id, (select string_agg(cast(n.duration as text), ',') from \
              (select h.duration from tests h where h.test_id = t.test_id and h.setup_id = $2 \
              and h.finished_at is not null and h.outcome in ('passed', 'flaky') and h.duration is not null \
              and h.run_id <> $1 order by h.finished_at desc limit $3) n) as durations \
              from (select distinct test_id from tests where run_id = $1) t";
    /// Of each suite in a run ($1), its last durations in other runs on a setup ($2).
    SUITE_DURATIONS = "select t.ordinal, (select string_agg(cast(n.duration as text), ',') from \
              (select h.duration from suites h where h.suite_id = t.suite_id and h.setup_id = $2 \
              and h.duration is not null and h.run_id <> $1 order by h.finished_at desc limit $3) n) as durations \
              from suites t where t.run_id = $1 order by t.ordinal";

    /// The ids by which events are known in a run, or in a setup outside runs.
    EVENT_IDS = "select ids from event_ids where scope = $1 order by seq";
    /// Events after a number.
    EVENT_PAGE = concat!(event_columns!(), " where seq > $1 order by seq limit $2");
    /// The number of the newest event, 0 where there is none.
    EVENT_LAST = "select coalesce(max(seq), 0) as seq from events";
    /// Up to which event the other tables tell what the log tells.
    LOG_MARK = "select seq from log_mark where one = 1";
    /// They tell more now.
    LOG_MARK_SET = "update log_mark set seq = $1 where one = 1";

    /// A test on all setups.
    HEALTH_OF_TEST = concat!("select ", health_columns!(), " from health h where h.test_id = $1 order by h.setup_id");
    /// Tests that are neither new nor healthy, the most expensive first. Word
    /// for word the condition of its index.
    HEALTH_SICK = concat!(
        "select ", health_columns!(), ", t.name, t.parameters, t.detail, t.duration, s.path, \
         r.project, t.run_id from health h \
         join tests t on t.run_id = (select n.run_id from tests n where n.test_id = h.test_id \
         and n.setup_id = h.setup_id and n.finished_at is not null order by n.finished_at desc limit 1) \
         and t.test_id = h.test_id join runs r on r.id = t.run_id \
         left join suites s on s.run_id = t.run_id and s.ordinal = t.suite \
         where h.label not in ('new', 'healthy') order by h.phi desc limit $1"
    );
    /// The results of a test ($1) on all setups, the newest first.
    TEST_RESULTS = concat!(
        "select t.run_id, t.setup_id, r.key, r.project, r.commit_id, r.branch, ", outcome!(), " as outcome, \
         t.attempts, t.duration, t.finished_at, t.name, t.parameters, t.detail, s.path from tests t \
         join runs r on r.id = t.run_id left join suites s on s.run_id = t.run_id and s.ordinal = t.suite \
         where t.test_id = $1 and t.finished_at is not null order by t.finished_at desc limit $2"
    );
    /// What is known of the tests of a setup ($1).
    HEALTH_OF_SETUP = "select test_id, state from health where setup_id = $1 limit $2";
    /// Nothing is known of the tests of a setup.
    HEALTH_CLEAR = "delete from health where setup_id = $1";
    /// The health of all setups.
    SETUP_HEALTH_LIST = "select setup_id, model, base, sums from setup_health";
    /// The health of a setup ($1).
    SETUP_HEALTH_GET = "select setup_id, model, base, sums from setup_health where setup_id = $1";

    /// A wall as it now is.
    WALL_SAVE = "insert into walls (name, body, changed_at) values ($1, $2, $3) \
                 on conflict (name) do update set body = excluded.body, changed_at = excluded.changed_at";
    /// A wall ($1).
    WALL_GET = "select name, body, changed_at from walls where name = $1";
    /// All walls, by name.
    WALL_LIST = "select name, body, changed_at from walls order by name";
    /// A wall ($1) is no more.
    WALL_DELETE = "delete from walls where name = $1";

    /// A setup is looked after by somebody; the last word stands.
    CLAIM_SAVE = "insert into claims (setup_id, holder, note, at) values ($1, $2, $3, $4) \
                  on conflict (setup_id) do update set holder = excluded.holder, note = excluded.note, at = excluded.at";
    /// Who looks after which setup.
    CLAIM_LIST = "select setup_id, holder, note, at from claims";
    /// Nobody needs to look after a setup ($1) any more, if the claim is as old as that ($2).
    CLAIM_END = "delete from claims where setup_id = $1 and at <= $2";
    /// A launch ($1, $2) of another protocol with its items.
    FOREIGN_LOAD = "select project, launch, item, at, body from foreign_items where project = $1 and launch = $2";
    /// The launches of a project ($1) themselves, the last written first.
    FOREIGN_LAUNCHES = "select project, launch, item, at, body from foreign_items \
                        where item = '' and project = $1 order by at desc limit $2";
    /// Launches that were silent since ($1) are forgotten. The condition is
    /// word for word that of the index.
    FOREIGN_FORGET = "delete from foreign_items where (project, launch) in \
                      (select project, launch from foreign_items where item = '' and at < $1)";

    /// A new token.
    TOKEN_INSERT = "insert into tokens \
                    (id, hash, scope, setup, project, label, created_at, expires_at, revoked_at, used_at, \
                    wall) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// A token by the hash of its secret.
    TOKEN_BY_HASH = concat!(token_columns!(), " where hash = $1");
    /// All tokens, the newest first.
    TOKEN_LIST = concat!(token_columns!(), " order by created_at desc, id desc");
    /// A token was used.
    TOKEN_TOUCH = "update tokens set used_at = $2 where id = $1";
    /// A token is no longer valid. The first word stands.
    TOKEN_REVOKE = "update tokens set revoked_at = $2 where id = $1 and revoked_at is null";
}
