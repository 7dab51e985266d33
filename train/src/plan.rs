//! What the coefficients of every layer may be: the same for all, or layer by layer.
//!
//! A plan is a TOML file with a table for each layer that differs:
//!
//! ```toml
//! [conv1]
//! groups = 2
//! coefficients = "csd2"
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use basisn_compiler::coefficient::{CoefficientCode, CoefficientForm, PLANES_MAX};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::basis_model::Sharing;

/// What the coefficients of a layer may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Integers that a coefficient can be.
    pub code: CoefficientCode,
    /// How kernels share the columns.
    pub sharing: Sharing,
}

/// Layers whose choice is their own, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan(BTreeMap<String, Choice>);

/// A layer in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coefficients: Option<String>,
}

impl Plan {
    /// Reads a plan; what a layer leaves out is that of `default`.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, has unknown keys, or groups or coefficients that there are not.
    pub fn load(path: &Path, default: Choice) -> Result<Self, Error> {
        let refuse = |cause: String| Error::Plan { at: path.display().to_string(), cause };
        let text = std::fs::read_to_string(path).map_err(|e| refuse(e.to_string()))?;
        let entries: BTreeMap<String, Entry> = toml::from_str(&text).map_err(|e| refuse(e.to_string()))?;
        let choice = |(layer, entry): (String, Entry)| {
            let code = entry.coefficients.map_or(Ok(default.code), |text| coefficient_code(&text));
            let code = code.map_err(|wanted| refuse(format!("layer {layer}: coefficients are {wanted}")))?;
            let sharing = match entry.groups {
                Some(0) => return Err(refuse(format!("layer {layer}: groups of 0 kernels"))),
                Some(size) => Sharing::Groups(size),
                None => default.sharing,
            };
            Ok((layer, Choice { code, sharing }))
        };
        Ok(Plan(entries.into_iter().map(choice).collect::<Result<_, Error>>()?))
    }

    /// The plan of choices by layer.
    pub fn new(choices: impl IntoIterator<Item = (String, Choice)>) -> Self {
        Plan(choices.into_iter().collect())
    }

    /// The choice of a layer, if it has one of its own.
    pub fn of(&self, layer: &str) -> Option<Choice> {
        self.0.get(layer).copied()
    }

    /// Names of the layers with a choice of their own.
    pub fn layers(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The file's text.
    pub fn to_toml(&self) -> String {
        let entry = |choice: &Choice| Entry {
            groups: if let Sharing::Groups(size) = choice.sharing { Some(size) } else { None },
            coefficients: Some(code_name(choice.code)),
        };
        let entries: BTreeMap<&String, Entry> = self.0.iter().map(|(layer, choice)| (layer, entry(choice))).collect();
        toml::to_string(&entries).unwrap_or_default()
    }
}

/// Reads `ternary`, or `spt` or `csd` with the number of planes behind it.
///
/// # Errors
/// What would be right.
pub fn coefficient_code(text: &str) -> Result<CoefficientCode, String> {
    let wrong = || format!("ternary, or spt or csd with 1 to {PLANES_MAX} planes behind it, as in csd3");
    if text == "ternary" {
        return Ok(CoefficientCode::TERNARY);
    }
    let (form, planes) = text.split_at_checked(3).ok_or_else(wrong)?;
    let planes = planes.parse().ok().filter(|planes| (1..=PLANES_MAX).contains(planes)).ok_or_else(wrong)?;
    match form {
        "spt" => Ok(CoefficientCode::power_of_two(planes)),
        "csd" => Ok(CoefficientCode::csd(planes)),
        _ => Err(wrong()),
    }
}

/// The name that [`coefficient_code`] reads.
pub fn code_name(code: CoefficientCode) -> String {
    match code.form {
        _ if code.planes == 1 => "ternary".into(),
        CoefficientForm::PowerOfTwo => format!("spt{}", code.planes),
        CoefficientForm::Csd => format!("csd{}", code.planes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Choice = Choice { code: CoefficientCode::TERNARY, sharing: Sharing::Groups(4) };

    fn load(text: &str) -> Result<Plan, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.toml");
        std::fs::write(&path, text).unwrap();
        Plan::load(&path, DEFAULT)
    }

    #[test]
    fn a_plan_says_what_differs_and_is_read_as_it_was_written() {
        let plan = load("[conv1]\ngroups = 2\n[\"layer1.0.conv1\"]\ncoefficients = \"csd2\"\n").unwrap();
        assert_eq!(plan.of("conv1"), Some(Choice { sharing: Sharing::Groups(2), ..DEFAULT }));
        assert_eq!(plan.of("layer1.0.conv1"), Some(Choice { code: CoefficientCode::csd(2), ..DEFAULT }));
        assert_eq!((plan.of("fc"), plan.layers().count()), (None, 2));
        assert_eq!(load(&plan.to_toml()).unwrap(), plan);
    }

    #[test]
    fn wrong_plans_are_refused_with_the_place() {
        for (text, cause) in [
            ("[a]\ngroups = 0\n", "layer a: groups of 0 kernels"),
            ("[a]\ncoefficients = \"csd9\"\n", "layer a: coefficients are ternary, or spt or csd"),
            ("[a]\ngroup = 2\n", "unknown field `group`"),
            ("a = [", "TOML"),
        ] {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains("plan.toml") && error.contains(cause), "{error}");
        }
        assert!(Plan::load(Path::new("none.toml"), DEFAULT).unwrap_err().to_string().contains("none.toml"));
    }
}
