//! Reading rows: the same functions for the row type of either driver.
//!
//! A value that does not fit is named by table, column and id: whoever has to
//! mend a database by hand needs to know where to look.

/// Expands to a view of a row of a table, for the rows of one driver.
macro_rules! columns {
    ($Db:ty, $Row:ty) => {
        use crate::store::detail::{SuiteDetail, TestDetail};
        use crate::store::error::StoreError;
        use app::domain::time::{Micros, Timestamp};
        use serde::de::DeserializeOwned;
        use sqlx::types::Json;
        use sqlx::{Decode, Row, Type};
        use uuid::Uuid;

        type Answer<T> = Result<T, StoreError>;

        fn all<T>(rows: Vec<$Row>, read: fn(&$Row) -> Answer<T>) -> Answer<Vec<T>> {
            rows.iter().map(read).collect()
        }

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

            pub(super) fn json<T: DeserializeOwned + 'r>(&self, column: &'static str) -> Result<T, StoreError> {
                self.get::<Json<T>>(column).map(|json| json.0)
            }

            pub(super) fn time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
                Ok(self.get::<Option<i64>>(column)?.map(Timestamp))
            }

            /// A hash of 32 bytes.
            pub(super) fn hash(&self, column: &'static str) -> Result<[u8; 32], StoreError> {
                let bytes: &[u8] = self.get(column)?;
                bytes.try_into().map_err(|_| self.corrupt(column, "it has not 32 bytes".into()))
            }

            pub(super) fn count(&self, column: &'static str) -> Result<u32, StoreError> {
                self.narrow(column, self.get(column)?)
            }

            pub(super) fn count_or_none(&self, column: &'static str) -> Result<Option<u32>, StoreError> {
                self.get::<Option<i64>>(column)?.map(|number| self.narrow(column, number)).transpose()
            }

            pub(super) fn narrow(&self, column: &'static str, number: i64) -> Result<u32, StoreError> {
                u32::try_from(number).map_err(|_| self.corrupt(column, format!("{number} does not fit")))
            }

            pub(super) fn word<T>(&self, column: &'static str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
                let word: &str = self.get(column)?;
                parse(word).ok_or_else(|| self.corrupt(column, format!("the word {word:?} is unknown")))
            }

            pub(super) fn text(&self, column: &'static str) -> Result<Option<Box<str>>, StoreError> {
                Ok(self.get::<Option<&str>>(column)?.map(Into::into))
            }

            /// The name of a test, the suites before it and its parameters after it.
            pub(super) fn test_path(&self) -> Result<Vec<Box<str>>, StoreError> {
                let suites: Option<Json<Vec<Box<str>>>> = self.get("path")?;
                let mut path = suites.map(|Json(path)| path).unwrap_or_default();
                let name = self.get::<&str>("name")?;
                path.push(match self.text("parameters")? {
                    Some(parameters) => format!("{name} [{parameters}]").into(),
                    None => name.into(),
                });
                Ok(path)
            }

            pub(super) fn owner(&self) -> Result<Option<Box<str>>, StoreError> {
                let detail: Option<Json<TestDetail<'_>>> = self.get("detail")?;
                Ok(detail.and_then(|Json(detail)| detail.owner.map(Into::into)))
            }

            /// The file in which a test is written: its own, else its suite's.
            pub(super) fn source(&self) -> Result<Option<Box<str>>, StoreError> {
                let detail: Option<Json<TestDetail<'_>>> = self.get("detail")?;
                if let Some(source) = detail.and_then(|Json(detail)| detail.source) {
                    return Ok(Some(source.as_ref().into()));
                }
                let suite: Option<Json<SuiteDetail>> = self.get("suite_detail")?;
                Ok(suite.and_then(|Json(suite)| suite.source))
            }

            /// Numbers with a comma after each, as the statements for durations
            /// give them; what was cut at the end is left out.
            pub(super) fn durations(&self, column: &'static str) -> Result<Vec<Micros>, StoreError> {
                let Some(list) = self.get::<Option<&str>>(column)? else { return Ok(Vec::new()) };
                let Some((whole, _cut)) = list.rsplit_once(',') else { return Ok(Vec::new()) };
                let numbers = whole.split(',').map(|number| number.parse().map(Micros));
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
    };
}
pub(super) use columns;
