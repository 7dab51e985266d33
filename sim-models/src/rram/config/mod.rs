//! Configuration of the macro model: a TOML file over a preset, checked once.

mod check;

use std::path::Path;

use basisn_arch::settings::{self, Presets};
use basisn_arch::{Geometry, Verification};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::faults::Fault;
use crate::Error;
use check::checked;
pub(super) use check::refuse;

/// How a signed level becomes conductances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Two cells whose currents are subtracted; level 0 is both low.
    Differential,
    /// One cell; a column of cells at mid-range is subtracted.
    OffsetColumn,
}

macro_rules! sections {
    ($($section:ident $Section:ident $about:literal {
        $($key:ident: $type:ty => $([$low:literal, $high:literal])? $meaning:literal;)*
    })*) => {
        $(
            #[doc = $about]
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $Section { $(#[doc = $meaning] pub $key: $type,)* }
        )*

        /// What an RRAM macro does differently from the arithmetic contract. Conductances in uS, resistances in ohm.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct MacroModel {
            $(#[doc = $about] pub $section: $Section,)*
            /// Cells of the fault map.
            #[serde(skip)]
            pub fault_map: Vec<Fault>,
        }

        impl MacroModel {
            /// Every key: name, smallest and largest value of a number, meaning.
            pub const FIELDS: &'static [Field] = &[$($(Field {
                key: concat!(stringify!($section), ".", stringify!($key)),
                range: sections!(@range $($low, $high)?),
                meaning: $meaning,
            },)*)*];
        }
    };
    (@range $low:literal, $high:literal) => { Some(($low, $high)) };
    (@range) => { None };
}

sections! {
    cell Cell "Cells" {
        encoding: Encoding => "how levels become conductances: differential or offset_column";
        g_min_us: f64 => [0.0, 10000.0] "conductance of a low cell";
        g_max_us: f64 => [0.001, 10000.0] "conductance of the highest level";
    }
    programming Programming "Errors of a written cell, before its relaxation" {
        sigma: f64 => [0.0, 1.0] "standard deviation of a cell, as a share of g_max - g_min";
        polynomial_us: Vec<f64> => "standard deviation in uS as a polynomial of the conductance in uS, lowest power first";
        table_us: Vec<[f64; 2]> => "pairs [conductance, standard deviation] in uS, rising; linear between them";
    }
    write_verify WriteVerify "Write-verify loop" {
        max_pulses: u32 => [0.0, 10000.0] "most pulses for a cell; 0 writes the target at once";
        tolerance: f64 => [0.0, 1.0] "half width of what is accepted, as a share of g_max - g_min";
        step: f64 => [0.0, 1.0] "mean change of a pulse, as a share of g_max - g_min";
        spread: f64 => [0.0, 2.0] "standard deviation of a pulse's change, relative to the mean";
        through_adc: bool => "the core's program controller gives the pulses and verifies through the ADCs, instead of the macro by itself";
    }
    faults Faults "Stuck cells" {
        stuck_low: f64 => [0.0, 1.0] "share of cells stuck at g_min";
        stuck_high: f64 => [0.0, 1.0] "share of cells stuck at g_max";
        map: String => "CSV file of stuck cells: core,tile,row,column,side (+ or -),state (low or high)";
    }
    aging Aging "Time and temperature" {
        time_s: f64 => [1.0, 1.0e10] "time since programming; the programming errors are those after one second";
        relaxation_per_decade: f64 => [0.0, 1.0] "growth of a cell's standard deviation in a decade of time, as a share of g_max - g_min";
        drift_exponent: f64 => [-1.0, 1.0] "conductance falls as time_s^-exponent";
        drift_spread: f64 => [0.0, 1.0] "standard deviation of a cell's exponent";
        temperature_k: f64 => [200.0, 500.0] "temperature";
        temperature_per_k: f64 => [-0.1, 0.1] "relative change of all conductances for each K above 300 K";
    }
    read Read "Fresh noise of every cell in every read" {
        sigma: f64 => [0.0, 1.0] "standard deviation of a cell, as a share of g_max - g_min (thermal)";
        relative_sigma: f64 => [0.0, 1.0] "standard deviation of a cell, relative to its conductance (random telegraph noise)";
    }
    wires Wires "Resistances that lower the voltage at a cell" {
        wordline_ohm: f64 => [0.0, 10000.0] "wordline, from one bitline to the next";
        bitline_ohm: f64 => [0.0, 10000.0] "bitline, from one row to the next";
        driver_ohm: f64 => [0.0, 1.0e6] "wordline driver";
        switch_ohm: f64 => [0.0, 1.0e6] "closed switch between bitline and lane";
        exact: bool => "solve the whole network for every setting of the switches, instead of the fast approximation";
    }
    switches Switches "Open switches" {
        leakage: f64 => [0.0, 1.0] "share of a column's current that reaches each lane it is not connected to";
        leakage_spread: f64 => [0.0, 10.0] "standard deviation of the leakage of a column to a lane, relative to the mean";
    }
    adc Adc "Errors of the ADCs" {
        bits: u32 => [0.0, 12.0] "bits that the ADCs resolve; the lower of their A bits are 0; 0 is all of them";
        gain_sigma: f64 => [0.0, 1.0] "standard deviation of a lane's relative gain error";
        offset_sigma_lsb: f64 => [0.0, 100.0] "standard deviation of a lane's offset";
        code_width_sigma_lsb: f64 => [0.0, 2.0] "standard deviation of a code's width (differential non-linearity)";
        noise_lsb: f64 => [0.0, 100.0] "standard deviation of fresh noise in every conversion";
        inl_lsb: Vec<f64> => "integral non-linearity of every ADC, evenly over its range, linear in between";
    }
}

/// One key of the configuration.
#[derive(Debug)]
pub struct Field {
    /// `section.key` in the TOML file.
    pub key: &'static str,
    /// Smallest and largest value, for numbers.
    pub range: Option<(f64, f64)>,
    /// Meaning, with the unit.
    pub meaning: &'static str,
}

const PRESETS: Presets = Presets {
    folder: "presets/macro",
    texts: &[
        ("ideal", include_str!("../../../../presets/macro/ideal.toml")),
        ("isaac", include_str!("../../../../presets/macro/isaac.toml")),
        ("neurram", include_str!("../../../../presets/macro/neurram.toml")),
        ("worst", include_str!("../../../../presets/macro/worst.toml")),
    ],
};
/// Every key with a value of its type.
const COMPLETE: &str = "presets/macro/ideal.toml";

impl MacroModel {
    /// Names of the built-in models.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.names()
    }

    /// Reads a model by the name of a preset or by path.
    ///
    /// # Errors
    /// There is no such preset or file, or its contents are refused.
    pub fn load(name_or_path: &str) -> Result<Self, Error> {
        let (text, at) = PRESETS.text(name_or_path)?;
        Self::from_toml(&text, &at)
    }

    /// Parses and checks a model; `at` names it in errors. Keys that are not given are those of the file's `preset`, else of `ideal`.
    ///
    /// # Errors
    /// Not TOML, an unknown key, a value of the wrong type or out of range, or an unreadable fault map.
    pub fn from_toml(text: &str, at: &str) -> Result<Self, Error> {
        let table = merged(text, at, 0)?;
        let mut model = checked(table, at)?;
        if !model.faults.map.is_empty() {
            // A map lies beside the file that names it.
            let path = Path::new(at).parent().unwrap_or(Path::new("")).join(&model.faults.map);
            model.fault_map = super::faults::read_map(&path)?;
        }
        Ok(model)
    }

    /// A copy with one number changed, checked again; for sweeps.
    ///
    /// # Errors
    /// There is no such number, or the value is refused.
    pub fn with(&self, key: &str, value: f64) -> Result<Self, Error> {
        let field =
            Self::FIELDS.iter().find(|f| f.key == key && f.range.is_some()).ok_or_else(|| check::unknown(key, key))?;
        let mut table = Table::try_from(self).map_err(|e| refuse(key, e.to_string(), "report it".into()))?;
        let place =
            field.key.split_once('.').and_then(|(section, name)| Some((table.get_mut(section)?.as_table_mut()?, name)));
        if let Some((section, name)) = place {
            let is_count = section.get(name).is_some_and(Value::is_integer);
            let value = if is_count { Value::Integer(value.round() as i64) } else { Value::Float(value) };
            section.insert(name.into(), value);
        }
        let mut model = checked(table, key)?;
        model.fault_map.clone_from(&self.fault_map);
        Ok(model)
    }

    /// The value of a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        let table = Table::try_from(self).ok()?;
        let (section, name) = key.split_once('.')?;
        number(table.get(section)?.get(name)?)
    }

    /// The model as TOML text, as [`MacroModel::from_toml`] reads it.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// Difference between the highest level and a low cell, in uS.
    pub fn range_us(&self) -> f64 {
        self.cell.g_max_us - self.cell.g_min_us
    }

    /// Why [`crate::verilog::Body::PortableDevice`] cannot have these errors; `None` if it can: its cells are what programming, faults and age
    /// leave, and all else is ideal.
    pub fn beyond_portable(&self) -> Option<&'static str> {
        let (w, adc) = (&self.wires, &self.adc);
        let adc_errors = [adc.gain_sigma, adc.offset_sigma_lsb, adc.code_width_sigma_lsb, adc.noise_lsb];
        [
            (
                self.write_verify.through_adc,
                "write_verify.through_adc: its cells do not answer pulses as the devices do",
            ),
            (self.read.sigma > 0.0 || self.read.relative_sigma > 0.0, "read: it has no noise"),
            (w.wordline_ohm + w.bitline_ohm + w.driver_ohm + w.switch_ohm > 0.0, "wires: it has no resistances"),
            (self.switches.leakage > 0.0, "switches.leakage: its open columns do not leak"),
            (adc.bits > 0 || !adc.inl_lsb.is_empty() || adc_errors.iter().any(|e| *e > 0.0), "adc: its ADCs are ideal"),
        ]
        .into_iter()
        .find_map(|(beyond, why)| beyond.then_some(why))
    }

    /// How the core's program controller writes the cells of a crossbar; `None` if the macro writes them by itself. The tolerance in codes is
    /// the nearest to that of the model.
    pub fn verification(&self, geometry: &Geometry) -> Option<Verification> {
        let w = &self.write_verify;
        let levels =
            f64::from(geometry.level_max()) * if self.cell.encoding == Encoding::Differential { 1.0 } else { 2.0 };
        let codes = w.tolerance * levels * 2f64.powi(geometry.verify_digits());
        w.through_adc.then(|| Verification {
            max_pulses: w.max_pulses.min(u16::MAX.into()) as u16,
            tolerance_codes: codes.round().min(255.0) as u8,
        })
    }
}

/// A file's keys over those of the preset that it names.
fn merged(text: &str, at: &str, depth: usize) -> Result<Table, Error> {
    let mut table = settings::table(text, at)?;
    let base = match table.remove("preset") {
        None if depth > 0 || at == COMPLETE => return Ok(table),
        None => "ideal".to_string(),
        Some(name) => name.as_str().unwrap_or_default().to_string(),
    };
    let Some((text, of)) = PRESETS.get(&base) else {
        let names: Vec<_> = PRESETS.names().collect();
        let fix = format!("name one of {}", names.join(", "));
        return Err(refuse(&format!("{at}, preset"), format!("no preset {base:?}"), fix));
    };
    let mut whole = merged(text, &of, depth + 1)?;
    for (section, entries) in table {
        match (whole.get_mut(&section), entries) {
            (Some(Value::Table(known)), Value::Table(entries)) => known.extend(entries),
            _ => return Err(check::unknown(at, &section)),
        }
    }
    Ok(whole)
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|v| v as f64))
}
