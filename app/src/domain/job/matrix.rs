//! A matrix: the same steps for each combination of some values, one variant
//! after the other.
//!
//! A variant is a setup of its own, so its tests have a history of their own:
//! what fails on one version alone depends on its environment, and is not flaky.

use super::Step;
use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;

/// Variants of a matrix at most.
pub const VARIANTS_MOST: usize = 25;

/// Combinations that are made before those that are excluded are left out.
const COMBINED_MOST: usize = 1_000;

/// Variables that Holter sets itself, beside all that begin with [`OWN`].
const RESERVED: &[&str] = &["CI", "HOME", "LANG", "PATH", "PYTHON", "PYTHONPATH", "TMPDIR"];

/// How variables of Holter's own begin.
const OWN: &str = "HOLTER_";

/// Letters of a value.
const VALUE_MOST: usize = 40;

/// Letters of the name of a variant: it becomes a part of the name of a setup.
const NAME_MOST: usize = 100;

/// Values by the variables that have them.
pub type Values = BTreeMap<String, String>;

/// What a repository says of its variants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Matrix {
    /// Combinations that are not run: those that have all these values.
    #[serde(default)]
    pub exclude: Vec<Values>,
    /// The values of each variable.
    #[serde(flatten)]
    pub axes: BTreeMap<String, Vec<String>>,
}

/// One combination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// `DATABASE=sqlite, PY=3.12`.
    pub name: String,
    /// What its steps find in their environment.
    pub values: Values,
}

/// Why a matrix cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MatrixFault {
    /// No program could read it.
    #[error("{0:?} is no name of a variable: letters, digits and _ alone, and no digit first")]
    Variable(String),
    /// Holter itself says what it is.
    #[error("{0} is set by Holter; choose another name for the variable")]
    Reserved(String),
    /// Nothing to be combined.
    #[error("{0} has no values")]
    Empty(String),
    /// It would be unreadable as a part of a name.
    #[error("the value {0:?} is empty, longer than {VALUE_MOST} letters, or has letters that cannot be seen")]
    Value(String),
    /// Two variants would have one name.
    #[error("{0} has the value {1:?} twice")]
    Twice(String, String),
    /// It would exclude nothing, or what nobody meant.
    #[error("exclude names {0}, which is no variable of the matrix")]
    Unknown(String),
    /// More than a job can be.
    #[error("it has more than {VARIANTS_MOST} variants")]
    Many,
    /// Its name would be.
    #[error("the values of a variant are longer than {NAME_MOST} letters together")]
    Long,
    /// All are excluded.
    #[error("all of its variants are excluded")]
    Nothing,
}

impl Matrix {
    /// Its variants, in the order of their variables and of their values.
    pub fn variants(&self) -> Result<Vec<Variant>, MatrixFault> {
        self.check()?;
        let mut all = vec![Values::new()];
        for (name, values) in &self.axes {
            // Before it is made: six variables of six values are 46,656.
            if all.len() * values.len() > COMBINED_MOST {
                return Err(MatrixFault::Many);
            }
            let with = |one: &Values, value: &String| {
                let mut one = one.clone();
                one.insert(name.clone(), value.clone());
                one
            };
            all = all.iter().flat_map(|one| values.iter().map(|value| with(one, value))).collect();
        }
        all.retain(|one| !self.exclude.iter().any(|not| not.iter().all(|(key, value)| one.get(key) == Some(value))));
        match all.len() {
            0 => Err(MatrixFault::Nothing),
            1..=VARIANTS_MOST => all.into_iter().map(named).collect(),
            _ => Err(MatrixFault::Many),
        }
    }

    fn check(&self) -> Result<(), MatrixFault> {
        let is_value = |value: &String| {
            !value.trim().is_empty() && value.chars().count() <= VALUE_MOST && !value.chars().any(char::is_control)
        };
        for (name, values) in &self.axes {
            if !is_variable(name) {
                return Err(MatrixFault::Variable(name.clone()));
            }
            if name.starts_with(OWN) || RESERVED.contains(&&**name) {
                return Err(MatrixFault::Reserved(name.clone()));
            }
            if values.is_empty() {
                return Err(MatrixFault::Empty(name.clone()));
            }
            if let Some(value) = values.iter().find(|value| !is_value(value)) {
                return Err(MatrixFault::Value(value.clone()));
            }
            let is_twice = |(at, value): &(usize, &String)| values[..*at].contains(value);
            if let Some((_, value)) = values.iter().enumerate().find(is_twice) {
                return Err(MatrixFault::Twice(name.clone(), value.clone()));
            }
        }
        let known = |name: &&String| !self.axes.contains_key(*name);
        match self.exclude.iter().flat_map(BTreeMap::keys).find(known) {
            Some(name) => Err(MatrixFault::Unknown(name.clone())),
            None => Ok(()),
        }
    }
}

/// Whether a shell takes it for the name of a variable.
pub fn is_variable(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

fn named(values: Values) -> Result<Variant, MatrixFault> {
    let pairs: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let name = pairs.join(", ");
    if name.chars().count() > NAME_MOST { Err(MatrixFault::Long) } else { Ok(Variant { name, values }) }
}

/// The steps of all variants, one variant after the other; before each but the
/// first, `between` makes the folder as it was.
pub fn spread(steps: &[Step], variants: &[Variant], between: &Step) -> Vec<Step> {
    let of = |(number, variant): (usize, &Variant)| {
        let first = (number > 0).then_some(between);
        let own = |step: &Step| Step {
            name: format!("{} ({})", step.name, variant.name),
            variant: variant.name.clone(),
            environment: variant.values.clone(),
            image: filled(&step.image, &variant.values),
            ..step.clone()
        };
        first.into_iter().chain(steps).map(own).collect::<Vec<_>>()
    };
    variants.iter().enumerate().flat_map(of).collect()
}

/// A text with `${NAME}` replaced by its value, where it has one.
fn filled(text: &str, values: &Values) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn matrix(axes: &[(&str, &[&str])], exclude: &[&[(&str, &str)]]) -> Matrix {
        let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Matrix {
            exclude: exclude.iter().map(|pairs| values(pairs)).collect(),
            axes: axes.iter().map(|(name, all)| ((*name).to_owned(), texts(all))).collect(),
        }
    }

    fn names(matrix: &Matrix) -> Vec<String> {
        matrix.variants().expect("variants").into_iter().map(|variant| variant.name).collect()
    }

    #[test]
    fn each_combination_is_a_variant_unless_it_is_excluded() {
        let axes: &[(&str, &[&str])] = &[("PY", &["3.12", "3.9"]), ("DB", &["sqlite", "postgres"])];
        assert_eq!(
            names(&matrix(axes, &[])),
            ["DB=sqlite, PY=3.12", "DB=sqlite, PY=3.9", "DB=postgres, PY=3.12", "DB=postgres, PY=3.9"]
        );
        let without = matrix(axes, &[&[("PY", "3.9"), ("DB", "postgres")]]);
        assert_eq!(names(&without).len(), 3);
        assert_eq!(names(&matrix(axes, &[&[("DB", "sqlite")]])).len(), 2);
    }

    #[test]
    fn what_cannot_be_run_says_why() {
        let fault = |matrix: Matrix| matrix.variants().expect_err("a fault");
        assert_eq!(fault(matrix(&[("3X", &["a"])], &[])), MatrixFault::Variable("3X".into()));
        assert_eq!(fault(matrix(&[("PYTHON", &["3"])], &[])), MatrixFault::Reserved("PYTHON".into()));
        assert_eq!(fault(matrix(&[("X", &[])], &[])), MatrixFault::Empty("X".into()));
        assert_eq!(fault(matrix(&[("X", &["a\nb"])], &[])), MatrixFault::Value("a\nb".into()));
        assert_eq!(fault(matrix(&[("X", &["a"])], &[&[("Y", "a")]])), MatrixFault::Unknown("Y".into()));
        assert_eq!(fault(matrix(&[("X", &["a"])], &[&[("X", "a")]])), MatrixFault::Nothing);
        assert_eq!(fault(matrix(&[("X", &["a", "b", "a"])], &[])), MatrixFault::Twice("X".into(), "a".into()));
        let six: &[&str] = &["1", "2", "3", "4", "5", "6"];
        assert_eq!(fault(matrix(&[("X", six), ("Y", six)], &[])), MatrixFault::Many);
        assert_eq!(
            fault(matrix(&[("A", six), ("B", six), ("C", six), ("D", six), ("E", six)], &[])),
            MatrixFault::Many
        );
        let long = "x".repeat(40);
        assert_eq!(fault(matrix(&[("A", &[&long]), ("B", &[&long]), ("C", &[&long])], &[])), MatrixFault::Long);
    }

    #[test]
    fn a_variant_has_steps_of_its_own_in_a_folder_as_it_was() {
        let variants = matrix(&[("V", &["1", "2"])], &[]).variants().expect("variants");
        let step = |name: &str| Step { name: name.into(), image: "python:${V}-${W}".into(), ..Step::default() };
        let steps = spread(&[step("test")], &variants, &step("clean"));
        let names: Vec<_> = steps.iter().map(|step| &*step.name).collect();
        assert_eq!(names, ["test (V=1)", "clean (V=2)", "test (V=2)"]);
        assert_eq!((&*steps[2].image, &*steps[2].environment["V"], &*steps[2].variant), ("python:2-${W}", "2", "V=2"));
    }
}
