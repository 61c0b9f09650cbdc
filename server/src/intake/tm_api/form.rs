//! The bodies of the three requests: what they must hold, what is wrong with
//! them field by field, and their echo.

use super::status::Status;
use crate::intake::native;
use app::domain::name::tidy;
use app::domain::time::Timestamp;
use serde_json::{Map, Value, json};

/// Characters of a machine's or file's name.
const NAME_MAX: usize = 256;

/// Characters of a path.
const PATH_MAX: usize = 1_024;

/// Scenarios and tests in a dry run at most.
const SCRIPTS_MAX: usize = 50_000;

/// What is wrong, by field: `{"file_name": ["is required"]}`.
pub type Faults = Map<String, Value>;

/// One fault.
pub fn fault(field: &str, detail: impl Into<String>) -> Faults {
    Map::from_iter([(field.to_owned(), json!([detail.into()]))])
}

/// A file of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub path: String,
    /// Its text.
    pub text: Option<String>,
}

/// A scenario and its tests in the order of execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its own file.
    pub script: Script,
    /// Its tests.
    pub tests: Vec<Script>,
}

/// `POST /tm_api/dry_run/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// Which machine.
    pub machine: String,
    /// When, by the machine's clock, read as UTC.
    pub timestamp: Timestamp,
    /// The file that runs the scenarios.
    pub master: Script,
    /// The scenarios in the order of execution.
    pub scenarios: Vec<Scenario>,
}

/// `POST /tm_api/test_start/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Which machine.
    pub machine: String,
    /// The test's file.
    pub name: String,
    /// Its folder.
    pub path: String,
    /// When, as sent; absent, or said to be nothing, or a time.
    pub at: Option<Option<Timestamp>>,
}

/// `POST /tm_api/test_stop/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What stops.
    pub test: Start,
    /// How; of a null, unknown.
    pub status: Status,
}

/// Reads the fields of one object and gathers what is wrong with them.
struct Reader<'a> {
    fields: Option<&'a Map<String, Value>>,
    faults: Faults,
}

impl<'a> Reader<'a> {
    fn new(value: &'a Value) -> Self {
        let fields = value.as_object();
        let faults = if fields.is_none() { fault("non_field_errors", "must be an object") } else { Faults::new() };
        Self { fields, faults }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.fields.and_then(|fields| fields.get(name))
    }

    fn wrong(&mut self, name: &str, detail: impl Into<String>) {
        if self.fields.is_some() {
            self.faults.insert(name.to_owned(), json!([detail.into()]));
        }
    }

    fn text(&mut self, name: &str, max: usize) -> String {
        let text = match self.get(name) {
            None => return self.nothing(name, "is required"),
            Some(Value::Null) => return self.nothing(name, "must not be null"),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return self.nothing(name, "must be text"),
        };
        if text.is_empty() {
            return self.nothing(name, "must not be blank");
        }
        if text.chars().nth(max).is_some() {
            return self.nothing(name, format!("must have at most {max} characters"));
        }
        tidy(&text, max).into()
    }

    fn nothing(&mut self, name: &str, detail: impl Into<String>) -> String {
        self.wrong(name, detail);
        String::new()
    }

    fn time(&mut self, name: &str) -> Option<Option<Timestamp>> {
        match self.get(name)? {
            Value::Null => Some(None),
            Value::String(text) if moment(text).is_some() => Some(moment(text)),
            _ => {
                self.wrong(name, "must be a time such as 2026-03-01 12:00:00.250000");
                None
            }
        }
    }

    fn script(&mut self) -> Script {
        let text = match self.get("script") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.wrong("script", "must be text");
                None
            }
        };
        Script { name: self.text("file_name", NAME_MAX), path: self.text("file_path", PATH_MAX), text }
    }

    /// A list that may be left out, but not be null.
    fn list<T>(&mut self, name: &str, read: impl Fn(&Value) -> Result<T, Faults>) -> Vec<T> {
        let items = match self.get(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) if items.len() > SCRIPTS_MAX => {
                self.wrong(name, format!("must have at most {SCRIPTS_MAX} items"));
                return Vec::new();
            }
            Some(Value::Array(items)) => items,
            Some(Value::Null) => {
                self.wrong(name, "must not be null");
                return Vec::new();
            }
            Some(_) => {
                self.wrong(name, "must be a list");
                return Vec::new();
            }
        };
        let (mut read_items, mut faults) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        for item in items {
            match read(item) {
                Ok(item) => {
                    read_items.push(item);
                    faults.push(json!({}));
                }
                Err(wrong) => faults.push(Value::Object(wrong)),
            }
        }
        if read_items.len() < items.len() {
            self.faults.insert(name.to_owned(), Value::Array(faults));
        }
        read_items
    }

    fn done<T>(self, value: T) -> Result<T, Faults> {
        if self.faults.is_empty() { Ok(value) } else { Err(self.faults) }
    }
}

/// Reads a time as those clients write it: with or without a zone, which then
/// is taken for UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (date, time) = (text.get(..10)?, text.get(11..)?);
    let separated = matches!(text.as_bytes().get(10), Some(b' ' | b'T' | b't'));
    let zoned = time.ends_with(['Z', 'z']) || time.contains(['+', '-']);
    let seconds = if !zoned && time.len() == 5 { ":00" } else { "" };
    let zone = if zoned { "" } else { "Z" };
    native::moment(&format!("{date}T{time}{seconds}{zone}")).filter(|_| separated)
}

fn script(value: &Value) -> Result<Script, Faults> {
    let mut reader = Reader::new(value);
    let script = reader.script();
    reader.done(script)
}

fn scenario(value: &Value) -> Result<Scenario, Faults> {
    let mut reader = Reader::new(value);
    let scenario = Scenario { script: reader.script(), tests: reader.list("tests", script) };
    reader.done(scenario)
}

fn master(value: &Value) -> Result<(Script, Vec<Scenario>), Faults> {
    let mut reader = Reader::new(value);
    let master = (reader.script(), reader.list("scenarios", scenario));
    reader.done(master)
}

impl DryRun {
    /// Reads the body of a dry run.
    pub fn read(body: &Value) -> Result<Self, Faults> {
        let mut reader = Reader::new(body);
        let machine = reader.text("machine_name", NAME_MAX);
        let timestamp = match reader.time("timestamp") {
            Some(Some(at)) => at,
            Some(None) => {
                reader.wrong("timestamp", "must not be null");
                Timestamp::default()
            }
            None => {
                if reader.get("timestamp").is_none() {
                    reader.wrong("timestamp", "is required");
                }
                Timestamp::default()
            }
        };
        let read = match reader.get("master_scenario") {
            None => Err(None),
            Some(value) => master(value).map_err(Some),
        };
        match read {
            Ok((master, scenarios)) if size(&scenarios) <= SCRIPTS_MAX => {
                reader.done(Self { machine, timestamp, master, scenarios })
            }
            Ok(_) => {
                reader.wrong("master_scenario", format!("must have at most {SCRIPTS_MAX} scenarios and tests"));
                Err(reader.faults)
            }
            Err(None) => {
                reader.wrong("master_scenario", "is required");
                Err(reader.faults)
            }
            Err(Some(faults)) => {
                reader.faults.insert("master_scenario".into(), Value::Object(faults));
                Err(reader.faults)
            }
        }
    }

    /// What the machine is answered.
    pub fn echo(&self) -> Value {
        let scenarios = self.scenarios.iter().map(|scenario| {
            let mut echo = echo(&scenario.script);
            echo["tests"] = scenario.tests.iter().map(self::echo).collect();
            echo
        });
        let scenarios: Vec<_> = scenarios.collect();
        let mut master = echo(&self.master);
        master["scenarios"] = scenarios.into();
        json!({"timestamp": written(self.timestamp), "master_scenario": master})
    }
}

fn size(scenarios: &[Scenario]) -> usize {
    scenarios.iter().map(|scenario| 1 + scenario.tests.len()).sum()
}

fn echo(script: &Script) -> Value {
    let text = script.text.as_deref().map(str::trim);
    json!({"file_name": script.name, "file_path": script.path, "script": text})
}

/// A time as those clients are answered: decimals only where there are any.
fn written(at: Timestamp) -> String {
    at.to_rfc3339().replace(".000000Z", "Z")
}

impl Start {
    /// Reads the body of a start.
    pub fn read(body: &Value) -> Result<Self, Faults> {
        let mut reader = Reader::new(body);
        let start = reader.start("timestamp_start");
        reader.done(start)
    }

    /// What the machine is answered.
    pub fn echo(&self) -> Value {
        self.echo_as("timestamp_start")
    }

    fn echo_as(&self, time: &str) -> Value {
        let mut echo = json!({"machine_name": self.machine, "file_name": self.name, "file_path": self.path});
        if let Some(at) = self.at {
            echo[time] = at.map(written).into();
        }
        echo
    }
}

impl Reader<'_> {
    fn start(&mut self, time: &str) -> Start {
        Start {
            machine: self.text("machine_name", NAME_MAX),
            name: self.text("file_name", NAME_MAX),
            path: self.text("file_path", PATH_MAX),
            at: self.time(time),
        }
    }
}

impl Stop {
    /// Reads the body of a stop. A script that sets no status sends null: it
    /// has ended all the same.
    pub fn read(body: &Value) -> Result<Self, Faults> {
        let mut reader = Reader::new(body);
        let test = reader.start("timestamp_stop");
        let status = match reader.get("status") {
            Some(Value::Null) => Status::Unknown,
            Some(Value::String(word)) if Status::parse(word).is_some() => {
                Status::parse(word).unwrap_or(Status::Unknown)
            }
            None => {
                reader.wrong("status", "is required");
                Status::Unknown
            }
            Some(_) => {
                let words: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
                reader.wrong("status", format!("must be one of {}", words.join(", ")));
                Status::Unknown
            }
        };
        reader.done(Self { test, status })
    }

    /// What the machine is answered.
    pub fn echo(&self) -> Value {
        let mut echo = self.test.echo_as("timestamp_stop");
        echo["status"] = self.status.as_str().into();
        echo
    }
}
