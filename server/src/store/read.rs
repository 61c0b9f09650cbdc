//! Reading rows: the same functions for the row type of either driver.
//!
//! A value that does not fit is named by table, column and id: whoever has to
//! mend a database by hand needs to know where to look.

/// Expands to one function per row of `rows`, for the rows of one driver.
macro_rules! reading {
    ($Db:ty, $Row:ty) => {
        use crate::store::detail::{SuiteDetail, TestDetail};
        use crate::store::error::StoreError;
        use crate::store::rows::*;
        use app::domain::health::Label;
        use app::domain::ids::{EventId, RunId, ScriptId, SetupId, SuiteId, TestId, TokenId};
        use app::domain::name::{ProjectName, RunKey, SetupName};
        use app::domain::run::{RunResult, RunState};
        use app::domain::suite::Suite;
        use app::domain::test::{Outcome, Test};
        use app::domain::time::{Micros, Timestamp};
        use serde::de::DeserializeOwned;
        use sqlx::types::Json;
        use sqlx::{Decode, Row, Type};
        use uuid::Uuid;

        /// A row of a table, which is known by the columns of its key.
        pub(super) struct Columns<'r> {
            row: &'r $Row,
            table: &'static str,
            key: &'static [&'static str],
        }

        impl<'r> Columns<'r> {
            pub(super) fn of(row: &'r $Row, table: &'static str, key: &'static [&'static str]) -> Self {
                Self { row, table, key }
            }

            pub(super) fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
            where
                T: Decode<'r, $Db> + Type<$Db>,
            {
                self.row.try_get(column).map_err(|error| match error {
                    sqlx::Error::ColumnDecode { source, .. } => self.corrupt(column, source.to_string()),
                    error => self.corrupt(column, error.to_string()),
                })
            }

            fn json<T: DeserializeOwned + 'r>(&self, column: &'static str) -> Result<T, StoreError> {
                self.get::<Json<T>>(column).map(|json| json.0)
            }

            fn time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
                Ok(self.get::<Option<i64>>(column)?.map(Timestamp))
            }

            pub(super) fn count(&self, column: &'static str) -> Result<u32, StoreError> {
                self.narrow(column, self.get(column)?)
            }

            fn count_or_none(&self, column: &'static str) -> Result<Option<u32>, StoreError> {
                self.get::<Option<i64>>(column)?.map(|number| self.narrow(column, number)).transpose()
            }

            fn narrow(&self, column: &'static str, number: i64) -> Result<u32, StoreError> {
                u32::try_from(number).map_err(|_| self.corrupt(column, format!("{number} does not fit")))
            }

            fn word<T>(&self, column: &'static str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
                let word: &str = self.get(column)?;
                parse(word).ok_or_else(|| self.corrupt(column, format!("the word {word:?} is unknown")))
            }

            fn text(&self, column: &'static str) -> Result<Option<Box<str>>, StoreError> {
                Ok(self.get::<Option<&str>>(column)?.map(Into::into))
            }

            /// The name of a test, the suites before it and its parameters after it.
            fn test_path(&self) -> Result<Vec<Box<str>>, StoreError> {
                let suites: Option<Json<Vec<Box<str>>>> = self.get("path")?;
                let mut path = suites.map(|Json(path)| path).unwrap_or_default();
                let name = self.get::<&str>("name")?;
                path.push(match self.text("parameters")? {
                    Some(parameters) => format!("{name} [{parameters}]").into(),
                    None => name.into(),
                });
                Ok(path)
            }

            fn owner(&self) -> Result<Option<Box<str>>, StoreError> {
                let detail: Option<Json<TestDetail<'_>>> = self.get("detail")?;
                Ok(detail.and_then(|Json(detail)| detail.owner.map(Into::into)))
            }

            /// Numbers between commas, as the statements for durations give them.
            pub(super) fn durations(&self, column: &'static str) -> Result<Vec<Micros>, StoreError> {
                let Some(list) = self.get::<Option<&str>>(column)? else { return Ok(Vec::new()) };
                let numbers = list.split(',').map(|number| number.parse().map(Micros));
                numbers.collect::<Result<_, _>>().map_err(|error| self.corrupt(column, error.to_string()))
            }

            pub(super) fn corrupt(&self, column: &'static str, reason: String) -> StoreError {
                StoreError::Corrupt { table: self.table, column, id: self.id(), reason }
            }

            fn id(&self) -> String {
                let part = |column: &'static str| {
                    let id = self.row.try_get::<Uuid, _>(column).map(|id| id.to_string());
                    id.or_else(|_| self.row.try_get::<i64, _>(column).map(|number| number.to_string()))
                };
                let parts = self.key.iter().map(|column| part(column).unwrap_or_else(|_| "?".into()));
                parts.collect::<Vec<_>>().join("/")
            }
        }

        pub(super) fn setup(row: &$Row) -> Result<SetupRow, StoreError> {
            let row = Columns::of(row, "setups", &["id"]);
            Ok(SetupRow {
                id: SetupId(row.get("id")?),
                name: SetupName::stored(row.get::<&str>("name")?),
                version: row.get("version")?,
                created_at: Timestamp(row.get("created_at")?),
                heard_at: row.time("heard_at")?,
                attributes: row.json("attributes")?,
            })
        }

        pub(super) fn setup_touched(row: &$Row) -> Result<SetupTouched, StoreError> {
            let row = Columns::of(row, "setups", &["id"]);
            Ok(SetupTouched {
                id: SetupId(row.get("id")?),
                name: SetupName::stored(row.get::<&str>("name")?),
                version: row.get("version")?,
            })
        }

        pub(super) fn run(row: &$Row) -> Result<RunRow, StoreError> {
            let row = Columns::of(row, "runs", &["id"]);
            let result = row.get::<Option<&str>>("result")?.map(|_| row.word("result", RunResult::parse));
            Ok(RunRow {
                id: RunId(row.get("id")?),
                setup: SetupId(row.get("setup_id")?),
                key: RunKey::stored(row.get::<&str>("key")?),
                project: ProjectName::stored(row.get::<&str>("project")?),
                state: row.word("state", RunState::parse)?,
                result: result.transpose()?,
                counts: row.json("counts")?,
                facts: row.json("facts")?,
                started_at: row.time("started_at")?,
                finished_at: row.time("finished_at")?,
                heard_at: row.time("heard_at")?,
                created_at: Timestamp(row.get("created_at")?),
                branch: row.text("branch")?,
                commit: row.text("commit_id")?,
                name: row.text("name")?,
                version: row.get("version")?,
            })
        }

        pub(super) fn suite(row: &$Row) -> Result<SuiteRow, StoreError> {
            let row = Columns::of(row, "suites", &["run_id", "ordinal"]);
            let SuiteDetail { finished, phase, phases, total_tests, source, script } = row.json("detail")?;
            Ok(SuiteRow {
                run: RunId(row.get("run_id")?),
                ordinal: row.count("ordinal")?,
                id: SuiteId(row.get("suite_id")?),
                setup: SetupId(row.get("setup_id")?),
                suite: Suite {
                    path: row.json("path")?,
                    position: row.count_or_none("position")?,
                    started: row.time("started_at")?,
                    finished,
                    phase,
                    phases,
                    total_tests,
                    source,
                    script,
                },
                version: row.get("version")?,
            })
        }

        pub(super) fn test(row: &$Row) -> Result<TestRow, StoreError> {
            let row = Columns::of(row, "tests", &["run_id", "ordinal"]);
            let mut test = Test {
                id: TestId(row.get("test_id")?),
                suite: row.count("suite")?,
                name: row.get::<&str>("name")?.into(),
                parameters: row.text("parameters")?,
                position: row.count_or_none("position")?,
                source: None,
                line: None,
                script: None,
                tags: [].into(),
                owner: None,
                attempts: row.json("attempts")?,
            };
            if let Some(Json(detail)) = row.get::<Option<Json<TestDetail<'static>>>>("detail")? {
                detail.put_into(&mut test);
            }
            Ok(TestRow {
                run: RunId(row.get("run_id")?),
                ordinal: row.count("ordinal")?,
                setup: SetupId(row.get("setup_id")?),
                outcome: row.word("outcome", Outcome::parse)?,
                version: row.get("version")?,
                test,
            })
        }

        pub(super) fn text(row: &$Row) -> Result<TextRow, StoreError> {
            let row = Columns::of(row, "texts", &["run_id", "ordinal", "attempt"]);
            Ok(TextRow {
                run: RunId(row.get("run_id")?),
                ordinal: row.count("ordinal")?,
                attempt: row.count("attempt")?,
                message: row.text("message")?,
                trace: row.text("trace")?,
            })
        }

        pub(super) fn event(row: &$Row) -> Result<EventRow, StoreError> {
            let row = Columns::of(row, "events", &["seq"]);
            Ok(EventRow {
                seq: row.get("seq")?,
                event: row.get::<Option<Uuid>>("event_id")?.map(EventId),
                setup: SetupId(row.get("setup_id")?),
                run: row.get::<Option<Uuid>>("run_id")?.map(RunId),
                kind: row.get::<String>("kind")?.into(),
                at: Timestamp(row.get("at")?),
                received_at: Timestamp(row.get("received_at")?),
                late: row.get("late")?,
                project: row.text("project")?.as_deref().map(ProjectName::stored),
                delay: row.get::<Option<i64>>("delay")?.map(Micros),
                body: row.get::<&str>("body")?.into(),
            })
        }

        pub(super) fn health(row: &$Row) -> Result<HealthRow, StoreError> {
            let row = Columns::of(row, "health", &["setup_id", "test_id"]);
            Ok(HealthRow {
                setup: SetupId(row.get("setup_id")?),
                test: TestId(row.get("test_id")?),
                label: row.word("label", Label::parse)?,
                p_flaky: row.get("p_flaky")?,
                p_broken: row.get("p_broken")?,
                phi: row.get("phi")?,
                results: row.count("results")?,
                failures: row.count("failures")?,
                last_at: row.get::<Option<i64>>("last_at")?.map(Timestamp),
                model: row.count("model")?,
                state: row.get::<&[u8]>("state")?.into(),
            })
        }

        pub(super) fn state(row: &$Row) -> Result<(TestId, Box<[u8]>), StoreError> {
            let row = Columns::of(row, "health", &["test_id"]);
            Ok((TestId(row.get("test_id")?), row.get::<&[u8]>("state")?.into()))
        }

        pub(super) fn sick(row: &$Row) -> Result<SickRow, StoreError> {
            let health = health(row)?;
            let row = Columns::of(row, "health", &["setup_id", "test_id"]);
            Ok(SickRow {
                health,
                path: row.test_path()?,
                owner: row.owner()?,
                project: ProjectName::stored(row.get::<&str>("project")?),
                run: RunId(row.get("run_id")?),
                duration: row.get::<Option<i64>>("duration")?.map(Micros),
            })
        }

        pub(super) fn result(row: &$Row) -> Result<ResultRow, StoreError> {
            let row = Columns::of(row, "tests", &["run_id"]);
            Ok(ResultRow {
                setup: SetupId(row.get("setup_id")?),
                run: RunId(row.get("run_id")?),
                key: RunKey::stored(row.get::<&str>("key")?),
                project: ProjectName::stored(row.get::<&str>("project")?),
                commit: row.text("commit_id")?,
                branch: row.text("branch")?,
                outcome: row.word("outcome", Outcome::parse)?,
                attempts: row.json::<Vec<app::domain::test::Attempt>>("attempts")?.len() as u32,
                duration: row.get::<Option<i64>>("duration")?.map(Micros),
                finished_at: row.time("finished_at")?,
                path: row.test_path()?,
                owner: row.owner()?,
            })
        }

        pub(super) fn setup_health(row: &$Row) -> Result<SetupHealthRow, StoreError> {
            let row = Columns::of(row, "setup_health", &["setup_id"]);
            Ok(SetupHealthRow {
                setup: SetupId(row.get("setup_id")?),
                model: row.count("model")?,
                base: row.get::<&[u8]>("base")?.into(),
                sums: row.get::<&[u8]>("sums")?.into(),
            })
        }

        pub(super) fn saved_wall(row: &$Row) -> Result<WallRow, StoreError> {
            let row = Columns::of(row, "walls", &[]);
            Ok(WallRow {
                name: row.get::<&str>("name")?.into(),
                body: row.get::<&str>("body")?.into(),
                changed_at: Timestamp(row.get("changed_at")?),
            })
        }

        pub(super) fn claim(row: &$Row) -> Result<ClaimRow, StoreError> {
            let row = Columns::of(row, "claims", &["setup_id"]);
            Ok(ClaimRow {
                setup: SetupId(row.get("setup_id")?),
                holder: row.get::<&str>("holder")?.into(),
                note: row.text("note")?,
                at: Timestamp(row.get("at")?),
            })
        }

        pub(super) fn foreign(row: &$Row) -> Result<ForeignRow, StoreError> {
            let row = Columns::of(row, "foreign_items", &["launch", "item"]);
            Ok(ForeignRow {
                project: row.get::<&str>("project")?.into(),
                launch: row.get::<&str>("launch")?.into(),
                item: row.get::<&str>("item")?.into(),
                at: Timestamp(row.get("at")?),
                body: row.get::<&str>("body")?.into(),
            })
        }

        pub(super) fn token(row: &$Row) -> Result<TokenRow, StoreError> {
            let row = Columns::of(row, "tokens", &["id"]);
            let hash = row.get::<&[u8]>("hash")?;
            Ok(TokenRow {
                id: TokenId(row.get("id")?),
                hash: hash.try_into().map_err(|_| row.corrupt("hash", "it has not 32 bytes".into()))?,
                scope: row.get::<&str>("scope")?.into(),
                setup: row.get::<Option<&str>>("setup")?.map(SetupName::stored),
                project: row.get::<Option<&str>>("project")?.map(ProjectName::stored),
                label: row.text("label")?,
                created_at: Timestamp(row.get("created_at")?),
                expires_at: row.time("expires_at")?,
                revoked_at: row.time("revoked_at")?,
                used_at: row.time("used_at")?,
                wall: row.text("wall")?,
            })
        }
    };
}
pub(super) use reading;
