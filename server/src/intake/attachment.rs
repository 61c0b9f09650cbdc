//! A file that a listener sends: the event that says where it belongs.

use app::domain::file::Attachment;
use app::domain::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// The namespace of ids of events that are told here.
const NAMESPACE: Uuid = Uuid::from_u128(0x5a0c_4d2e_91b7_4f63_8e1d_27c6_b95f_0a44);

/// Where a file belongs, as its sender says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongs {
    /// The setup.
    pub setup: String,
    /// The project.
    pub project: Option<String>,
    /// The key of the run.
    pub run: String,
    /// The suite: names from the root; none where it belongs to the run.
    pub suite: Vec<String>,
    /// The test in it.
    pub test: Option<String>,
    /// What tells the test from its likes.
    pub parameters: Option<String>,
    /// The attempt at it.
    pub attempt: Option<u32>,
    /// The step in which it came.
    pub step: Option<String>,
    /// How grave its line is.
    pub level: Option<String>,
    /// What is said about it.
    pub message: Option<String>,
}

/// The event, in the words of the contract. The same file for the same place
/// is the same event, so sending it again changes nothing.
pub fn told(belongs: &Belongs, file: &Attachment, at: Timestamp) -> Value {
    let mut event = json!({
        "type": "log", "setup": belongs.setup, "project": belongs.project, "run": belongs.run,
        "suite": belongs.suite, "test": belongs.test, "parameters": belongs.parameters, "attempt": belongs.attempt,
        "step": belongs.step, "level": belongs.level.as_deref().unwrap_or("info"),
        "message": belongs.message.as_deref().unwrap_or_default(), "attachment": file,
    });
    event["id"] = Uuid::new_v5(&NAMESPACE, event.to_string().as_bytes()).to_string().into();
    event["at"] = at.to_rfc3339().into();
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::native;
    use app::domain::event::{EventKind, RunEvent};
    use app::domain::file::Digest;
    use app::domain::output::Place;

    #[test]
    fn the_event_of_a_file_is_one_that_is_taken_from_us_and_from_nobody_else() {
        let belongs = Belongs {
            setup: "bench".into(),
            run: "1".into(),
            suite: vec!["Root".into()],
            test: Some("t".into()),
            attempt: Some(2),
            ..Belongs::default()
        };
        let file = Attachment { file: Digest([3; 32]), name: "a.png".into(), media_type: "image/png".into(), size: 7 };
        let event = told(&belongs, &file, Timestamp(1));
        assert_eq!(told(&belongs, &file, Timestamp(2))["id"], event["id"], "whenever it is sent");
        let parsed = native::told([event]);
        assert_eq!(parsed.rejected, []);
        let EventKind::Run(_, RunEvent::Output(output)) = &parsed.events[0].event.kind else { panic!("no output") };
        assert_eq!((&output.attachment, output.place.attempt()), (&Some(file), 2));
        assert!(matches!(output.place, Place::Test(_)));
        let foreign = parsed.without_files();
        assert_eq!((foreign.events.len(), &*foreign.rejected[0].pointer), (0, "/attachment"));
    }
}
