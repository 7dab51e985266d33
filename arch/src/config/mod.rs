//! The chip configuration: one TOML file, parsed once, validated once, read through getters ever after.

mod derived;

use std::collections::BTreeMap;

use crate::Error;
use crate::settings::{self, Presets};
pub use derived::clog2;

/// One key of the configuration.
#[derive(Debug)]
pub struct Field {
    /// `section.key` in the TOML file.
    pub key: &'static str,
    /// Symbol in the documentation.
    pub symbol: &'static str,
    /// Smallest value.
    pub low: usize,
    /// Largest value.
    pub high: usize,
    /// The value where a file has none; most keys are required.
    pub default: Option<usize>,
    /// Meaning, with the unit.
    pub meaning: &'static str,
}

impl Field {
    fn range(&self) -> String {
        format!("set an integer from {} to {}: {}", self.low, self.high, self.meaning)
    }

    fn check(&self, at: &str, number: i128) -> Result<usize, Error> {
        let fits = usize::try_from(number).ok().filter(|v| (self.low..=self.high).contains(v));
        fits.ok_or_else(|| {
            Error::config(format!("{at}, {}", self.key), format!("{number} is out of range"), self.range())
        })
    }
}

macro_rules! config {
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
    ($($section:ident . $name:ident $symbol:literal $low:literal ..= $high:literal $(= $default:literal)? $meaning:literal;)*) => {
        /// A validated chip. All integers; ranges are those of [`ChipConfig::FIELDS`].
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct ChipConfig { $($name: usize,)* }

        impl ChipConfig {
            /// Every key, in the order of the file.
            pub const FIELDS: &'static [Field] = &[$(Field {
                key: concat!(stringify!($section), ".", stringify!($name)),
                symbol: $symbol, low: $low, high: $high, default: config!(@default $($default)?), meaning: $meaning,
            },)*];

            $(#[doc = concat!($meaning, ", `", stringify!($section), ".", stringify!($name), "`")]
            pub fn $name(&self) -> usize { self.$name })*

            fn from_values(values: &BTreeMap<&'static str, usize>) -> Option<Self> {
                Some(ChipConfig { $($name: *values.get(concat!(stringify!($section), ".", stringify!($name)))?,)* })
            }

            fn values(&self) -> Vec<usize> { vec![$(self.$name,)*] }
        }
    };
}

config! {
    chip.cores "Q" 1..=64 "cores of the chip";
    core.tiles "N" 1..=64 "tiles of a core, one crossbar each";
    core.position_block "P" 1..=1024 "positions that the input buffer holds in each of its two banks";
    core.psum_words "" 2..=65536 "partial sums of a lane, both halves together";
    core.kernels "" 1..=4096 "kernels of the largest layer: entries of the requantize parameter memory";
    core.slot_stream_bits "" 32..=1024 "width of the slot stream in bits";
    core.activation_stream_bytes "B" 1..=64 "width of the activation stream in bytes";
    core.results_per_beat "W" 1..=16 = 1 "most results of a beat of the result stream, drained and requantized at once; no more than the tiles, rounded up to a power of two";
    core.skip_zero_planes "" 0..=1 = 0 "1: input planes of a position in which all rows are 0 are not read; cycles then depend on the data";
    crossbar.rows "R" 8..=256 "wordlines of a crossbar";
    crossbar.columns "C" 8..=512 "columns of a crossbar, one basis vector each";
    crossbar.cell_bits "m" 1..=5 "cell bits: levels -(2^(m-1)-1)..2^(m-1)-1, for m = 1 only -1 and +1";
    crossbar.read_latency_cycles "" 1..=64 "clock cycles from a read to its codes";
    crossbar.read_interval_cycles "" 1..=64 "clock cycles between two reads";
    crossbar.program_cycles "" 0..=1000000 "clock cycles that a cell write, with its verification, keeps the macro busy";
    adc.lanes "L" 1..=64 "ADC lanes of a crossbar";
    adc.bits "A" 4..=12 "bits of a signed ADC code";
    arithmetic.input_bits "X" 1..=8 "input bits, one bit plane a read";
    arithmetic.coefficient_planes "J" 1..=6 "coefficient planes: a coefficient is a sum of +-2^j, j < J";
    arithmetic.group "G" 1..=64 "largest group of kernels that the compiler lets run in one slot on disjoint columns";
}

const PRESETS: Presets = Presets {
    folder: "presets",
    texts: &[
        ("tiny", include_str!("../../../presets/tiny.toml")),
        ("digits", include_str!("../../../presets/digits.toml")),
        ("paper", include_str!("../../../presets/paper.toml")),
        ("isaac", include_str!("../../../presets/isaac.toml")),
    ],
};

impl ChipConfig {
    /// Names of the built-in configurations.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.names()
    }

    /// Reads a configuration by the name of a preset or by path.
    ///
    /// # Errors
    /// There is no such preset or file, or its contents are refused.
    pub fn load(name_or_path: &str) -> Result<Self, Error> {
        let (text, at) = PRESETS.text(name_or_path)?;
        Self::from_toml(&text, &at)
    }

    /// Parses and validates a configuration; `at` names it in errors.
    ///
    /// # Errors
    /// Not TOML, an unknown, missing or non-integer key, a value out of range, or values that exclude each other.
    pub fn from_toml(text: &str, at: &str) -> Result<Self, Error> {
        let table = settings::table(text, at)?;
        let mut values: BTreeMap<_, _> = Self::FIELDS.iter().filter_map(|f| Some((f.key, f.default?))).collect();
        for (section, entries) in &table {
            let entries = entries.as_table().ok_or_else(|| unknown(at, section))?;
            for (name, value) in entries {
                let key = format!("{section}.{name}");
                let field = Self::FIELDS.iter().find(|f| f.key == key).ok_or_else(|| unknown(at, &key))?;
                let number = value.as_integer().ok_or_else(|| {
                    Error::config(format!("{at}, {key}"), format!("{value} is not an integer"), field.range())
                })?;
                let number = field.check(at, i128::from(number))?;
                values.insert(field.key, number);
            }
        }
        let missing: Vec<_> = Self::FIELDS.iter().filter(|f| !values.contains_key(f.key)).map(|f| f.key).collect();
        let config = Self::from_values(&values).ok_or_else(|| {
            Error::config(at, format!("missing: {}", missing.join(", ")), "add them; presets/digits.toml has them all")
        })?;
        config.check(at)?;
        Ok(config)
    }

    fn check(&self, at: &str) -> Result<(), Error> {
        let refuse = |key: &str, cause: String, fix: &str| Err(Error::config(format!("{at}, {key}"), cause, fix));
        if !self.slot_stream_bits.is_power_of_two() {
            let cause = format!("{} is no power of two", self.slot_stream_bits);
            return refuse("core.slot_stream_bits", cause, "set 32, 64, 128, 256, 512 or 1024");
        }
        if !self.results_per_beat.is_power_of_two() {
            let cause = format!("{} is no power of two", self.results_per_beat);
            return refuse("core.results_per_beat", cause, "set 1, 2, 4, 8 or 16");
        }
        if self.psum_words % 2 == 1 {
            let cause = format!("{} is odd, and a bank has two halves", self.psum_words);
            return refuse("core.psum_words", cause, "set an even number");
        }
        if self.group > self.lanes {
            let cause =
                format!("a group of {} kernels needs as many lanes, and a crossbar has {}", self.group, self.lanes);
            return refuse("arithmetic.group", cause, "set arithmetic.group to at most adc.lanes");
        }
        Ok(())
    }

    /// The configuration as TOML text, as [`ChipConfig::from_toml`] reads it.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for (key, value) in self.entries() {
            if let Some((of, name)) = key.split_once('.') {
                if of != section {
                    text.push_str(&format!("{}[{of}]\n", if section.is_empty() { "" } else { "\n" }));
                    section = of;
                }
                text.push_str(&format!("{name} = {value}\n"));
            }
        }
        text
    }

    /// Every key with its value, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, usize)> {
        Self::FIELDS.iter().map(|field| field.key).zip(self.values())
    }

    /// A copy with one key changed, checked again; for sweeps and tests.
    ///
    /// # Errors
    /// No such key, or the value is refused.
    pub fn with(&self, key: &str, value: usize) -> Result<Self, Error> {
        let field = Self::FIELDS.iter().find(|f| f.key == key).ok_or_else(|| unknown("override", key))?;
        let mut values: BTreeMap<_, _> = self.entries().collect();
        values.insert(field.key, field.check("override", i128::try_from(value).unwrap_or(i128::MAX))?);
        let config = Self::from_values(&values).ok_or_else(|| unknown("override", key))?;
        config.check("override")?;
        Ok(config)
    }
}

fn unknown(at: &str, key: &str) -> Error {
    let known = || ChipConfig::FIELDS.iter().map(|f| f.key);
    let fix = match settings::near(key, known()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("remove it; the keys are {}", known().collect::<Vec<_>>().join(", ")),
    };
    Error::config(format!("{at}, {key}"), "unknown key", fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        ChipConfig::load("digits").unwrap().to_toml()
    }

    fn refused(text: &str) -> String {
        ChipConfig::from_toml(text, "chip.toml").unwrap_err().to_string()
    }

    #[test]
    fn presets_load_by_name_and_by_path_and_survive_a_round_trip() {
        for name in ChipConfig::presets() {
            let preset = ChipConfig::load(name).unwrap();
            let path = format!("{}/../presets/{name}.toml", env!("CARGO_MANIFEST_DIR"));
            assert_eq!(preset, ChipConfig::load(&path).unwrap());
            assert_eq!(preset, ChipConfig::from_toml(&preset.to_toml(), name).unwrap());
        }
    }

    #[test]
    fn bad_configurations_are_refused_with_at_cause_and_fix() {
        let unknown = refused(&text().replace("rows = 64", "wordlines = 64"));
        assert!(
            unknown.contains("at:    chip.toml, crossbar.wordlines") && unknown.contains("unknown key"),
            "{unknown}"
        );
        let moved = refused(&text().replace("[adc]\n", "[adc]\nrows = 3\n"));
        assert!(moved.contains("did you mean crossbar.rows?"), "{moved}");
        let missing = refused(&text().replace("rows = 64\n", ""));
        assert!(missing.contains("missing: crossbar.rows"), "{missing}");
        let range = refused(&text().replace("rows = 64", "rows = 512"));
        assert!(range.contains("512 is out of range") && range.contains("from 8 to 256"), "{range}");
        let negative = refused(&text().replace("rows = 64", "rows = -1"));
        assert!(negative.contains("-1 is out of range"), "{negative}");
        let float = refused(&text().replace("rows = 64", "rows = 6.5"));
        assert!(float.contains("6.5 is not an integer"), "{float}");
        let syntax = refused("[chip]\ncores = \n");
        assert!(syntax.contains("at:    chip.toml, line 2"), "{syntax}");
        let odd = refused(&text().replace("psum_words = 512", "psum_words = 511"));
        assert!(odd.contains("is odd"), "{odd}");
        let group = refused(&text().replace("group = 8", "group = 9"));
        assert!(group.contains("at most adc.lanes"), "{group}");
        let absent = ChipConfig::load("no-such-preset").unwrap_err().to_string();
        assert!(absent.contains("one of the presets tiny, digits, paper, isaac"), "{absent}");
    }

    #[test]
    fn one_key_can_be_changed() {
        let chip = ChipConfig::load("tiny").unwrap();
        assert_eq!(chip.with("crossbar.rows", 24).unwrap().rows(), 24);
        assert!(chip.with("crossbar.rows", 7).is_err());
        assert!(chip.with("rows", 24).is_err());
    }
}
