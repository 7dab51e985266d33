//! Reads constants: every key known, every value in its range, every unit the one that the formulas expect.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Constant, Constants, FIELDS, Values, WriteBy, WriteModel};
use crate::Error;
use crate::synthesis::Synthesis;

const CIRCUITS: (&str, &str) = ("evaluate/constants/circuits.toml", include_str!("../../constants/circuits.toml"));
const WRITING: (&str, &str) = ("evaluate/constants/writing.toml", include_str!("../../constants/writing.toml"));

/// What files have given so far.
#[derive(Default)]
struct Loader {
    constants: BTreeMap<&'static str, Constant>,
    write_models: Vec<WriteModel>,
}

impl Constants {
    /// The constants that come with the program.
    ///
    /// # Errors
    /// None, as tests show.
    pub fn built_in() -> Result<Self, Error> {
        Self::from_texts(&[])
    }

    /// The built-in constants, with those of a file in their place.
    ///
    /// # Errors
    /// The file cannot be read or breaks a rule.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let at = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::constants(&at, format!("not readable: {e}"), "name a TOML file of constants"))?;
        Self::from_texts(&[(&at, &text)])
    }

    /// The built-in constants with those of `texts` (name and TOML) in their place, in order.
    ///
    /// # Errors
    /// Not TOML, an unknown key, a missing field, another unit, a value out of range or out of order.
    pub fn from_texts(texts: &[(&str, &str)]) -> Result<Self, Error> {
        let mut loader = Loader::default();
        for (at, text) in [CIRCUITS, WRITING].iter().chain(texts) {
            loader.read(at, text)?;
        }
        let mut all = Vec::new();
        for field in FIELDS {
            let constant = loader.constants.remove(field.key);
            all.push(constant.ok_or_else(|| Error::constants(field.key, "missing", "add the constant"))?);
        }
        let values =
            Values::typical(&all).ok_or_else(|| Error::constants("constants", "incomplete", "add all constants"))?;
        // Fastest first, as reports show them.
        let mut write_models = loader.write_models;
        let row_ns = |m: &WriteModel| match m.by {
            WriteBy::Row => m.step_ns(&values, 2),
            WriteBy::Cell => 256.0 * m.step_ns(&values, 2),
        };
        write_models.sort_by(|a, b| row_ns(a).total_cmp(&row_ns(b)));
        Ok(Constants { all, write_models, values, logic: Synthesis::committed()? })
    }
}

impl Loader {
    fn read(&mut self, at: &str, text: &str) -> Result<(), Error> {
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map_or(1, |s| text[..s.start.min(text.len())].lines().count().max(1));
            Error::constants(format!("{at}, line {line}"), e.message(), "correct the TOML syntax")
        })?;
        for (section, entries) in &table {
            let unknown =
                || Error::constants(format!("{at}, {section}"), "not a section of constants", fix_key(section));
            for (key, entry) in entries.as_table().ok_or_else(unknown)? {
                let at = format!("{at}, {section}.{key}");
                if section == "model" {
                    self.write_model(&at, key, entry.clone())?;
                } else {
                    self.constant(&at, &format!("{section}.{key}"), entry.clone())?;
                }
            }
        }
        Ok(())
    }

    fn constant(&mut self, at: &str, key: &str, entry: toml::Value) -> Result<(), Error> {
        let field = FIELDS.iter().find(|f| f.key == key);
        let field = field.ok_or_else(|| Error::constants(at, "unknown constant", fix_key(key)))?;
        let mut constant: Constant = entry.try_into().map_err(|e: toml::de::Error| {
            Error::constants(at, e.message(), "give unit, low, typical, high, source and confidence")
        })?;
        constant.key = key.into();
        let fits = |value: f64| (field.low..=field.high).contains(&value);
        let three = [constant.low, constant.typical, constant.high];
        if let Some(value) = three.iter().find(|v| !fits(**v)) {
            let fix = format!("give values from {} to {} {}", field.low, field.high, constant.unit);
            return Err(Error::constants(at, format!("{value} is out of range"), fix));
        }
        if !three.is_sorted() {
            let cause = format!("{} .. {} .. {} do not rise", constant.low, constant.typical, constant.high);
            return Err(Error::constants(at, cause, "give low <= typical <= high"));
        }
        if let Some(before) = self.constants.get(field.key).filter(|before| before.unit != constant.unit) {
            let cause = format!("the unit {:?}, and the formulas expect {:?}", constant.unit, before.unit);
            return Err(Error::constants(at, cause, "convert the values"));
        }
        self.constants.insert(field.key, constant);
        Ok(())
    }

    fn write_model(&mut self, at: &str, name: &str, entry: toml::Value) -> Result<(), Error> {
        let mut model: WriteModel = entry.try_into().map_err(|e: toml::de::Error| {
            Error::constants(at, e.message(), "give by, unit_ns, cell_pj, source and confidence")
        })?;
        model.name = name.into();
        let numbers = [model.unit_ns, model.cell_pj];
        if let Some(wrong) = numbers.iter().flatten().flatten().find(|v| !(0.0..=1e9).contains(*v)) {
            return Err(Error::constants(at, format!("{wrong} is out of range"), "give values from 0 to 1e9"));
        }
        match self.write_models.iter_mut().find(|m| m.name == name) {
            Some(before) => *before = model,
            None => self.write_models.push(model),
        }
        Ok(())
    }
}

fn fix_key(key: &str) -> String {
    let known: Vec<_> = FIELDS.iter().map(|f| f.key).collect();
    match known.iter().find(|k| k.rsplit('.').next() == key.rsplit('.').next()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the constants are {}, and model.NAME", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Constants::from_texts(&[("my.toml", text)]).unwrap_err().to_string()
    }

    const READ: &str = "[crossbar.read_cycle_ns]\nunit = \"ns\"\nlow = 5\ntypical = 50\nhigh = 60\nsource = \"mine\"\nconfidence = \"A\"\n";

    #[test]
    fn the_built_in_constants_are_complete() {
        let constants = Constants::built_in().unwrap();
        assert_eq!(constants.all.len(), FIELDS.len());
        let names: Vec<_> = constants.write_models.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["mnsim", "panther", "neurosim", "fast_verify", "typical", "cell_serial"]);
        assert_eq!(constants.write_model("typical").unwrap().step_ns(constants.values(), 2), 11_000.0);
        assert_eq!(constants.write_model("typical").unwrap().cell_pj(constants.values(), 4), 200.0);
        for constant in &constants.all {
            assert!(constant.source.len() > 5 && "ABC/".contains(&constant.confidence[..1]), "{}", constant.key);
        }
    }

    #[test]
    fn a_file_replaces_single_constants() {
        let constants = Constants::from_texts(&[("my.toml", READ)]).unwrap();
        assert_eq!(constants.values().read_cycle_ns, 50.0);
        assert_eq!(constants.values().adc_energy_pj, 1.5625);
        let index = FIELDS.iter().position(|f| f.key == "adc.energy_pj").unwrap();
        assert_eq!(constants.with(index, 3.0).adc_energy_pj, 3.0);
    }

    #[test]
    fn bad_constants_are_refused_with_at_cause_and_fix() {
        let unknown = refused(&READ.replace("read_cycle_ns", "cycle_ns"));
        assert!(unknown.contains("at:    my.toml, crossbar.cycle_ns\n  cause: unknown constant"), "{unknown}");
        let moved = refused(&READ.replace("crossbar.", "adc."));
        assert!(moved.contains("did you mean crossbar.read_cycle_ns?"), "{moved}");
        assert!(refused(&READ.replace("typical = 50", "typical = 70")).contains("do not rise"));
        assert!(refused(&READ.replace("low = 5", "low = -5")).contains("-5 is out of range"));
        assert!(refused(&READ.replace("low = 5", "low = nan")).contains("NaN is out of range"));
        assert!(refused(&READ.replace("\"ns\"", "\"us\"")).contains("the formulas expect \"ns\""));
        assert!(refused(&READ.replace("source = \"mine\"\n", "")).contains("missing field `source`"));
        assert!(refused(&READ.replace("source", "origin")).contains("unknown field `origin`"));
        assert!(refused("[crossbar\n").contains("at:    my.toml, line 1"));
        assert!(
            refused("[model.mine]\nby = \"column\"\nsource = \"x\"\nconfidence = \"C\"\n").contains("unknown variant")
        );
        assert!(refused("x = 3\n").contains("not a section"));
        let none = Constants::built_in().unwrap().write_model("slow").unwrap_err().to_string();
        assert!(none.contains("no write model slow") && none.contains("mnsim"), "{none}");
    }
}
