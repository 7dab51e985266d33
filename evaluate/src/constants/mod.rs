//! Constants with their sources: values in `evaluate/constants/*.toml`, each with unit, low, typical, high, source and confidence.

mod load;
mod writing;

use serde::{Deserialize, Serialize};

pub use writing::{WriteBy, WriteModel};

use crate::Error;
use crate::synthesis::Synthesis;

/// One constant as its file gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// `section.key`.
    #[serde(default)]
    pub key: String,
    /// Unit of the three values.
    pub unit: String,
    /// Low end of what sources give.
    pub low: f64,
    /// Value used.
    pub typical: f64,
    /// High end of what sources give.
    pub high: f64,
    /// Where the values come from.
    pub source: String,
    /// A: read in the source; B: known, not read again; C: derived or uncertain.
    pub confidence: String,
}

/// Range within which a constant makes sense at all.
#[derive(Debug)]
pub struct Field {
    /// `section.key`.
    pub key: &'static str,
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
}

macro_rules! values {
    ($($section:ident . $key:ident => $name:ident $low:literal ..= $high:literal;)*) => {
        /// The values that an evaluation uses; units are those of the constants files.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct Values { $(
            #[doc = concat!("`", stringify!($section), ".", stringify!($key), "`")]
            pub $name: f64,
        )* }

        /// Every constant, in the order of the files.
        pub const FIELDS: &[Field] = &[$(
            Field { key: concat!(stringify!($section), ".", stringify!($key)), low: $low, high: $high },
        )*];

        impl Values {
            /// The typical values.
            fn typical(constants: &[Constant]) -> Option<Self> {
                let mut next = constants.iter();
                Some(Values { $($name: next.next().map(|c| c.typical)?,)* })
            }

            /// The value of a field, by its place in [`FIELDS`].
            fn place(&mut self, index: usize) -> Option<&mut f64> {
                [$(&mut self.$name,)*].into_iter().nth(index)
            }
        }
    };
}

values! {
    crossbar.read_cycle_ns => read_cycle_ns 0.1..=1e5;
    crossbar.array_read_pj => array_read_pj 0.0..=1e5;
    crossbar.cell_area_f2 => cell_area_f2 1.0..=1e4;
    crossbar.feature_nm => feature_nm 1.0..=1e3;
    adc.energy_pj => adc_energy_pj 0.0..=1e4;
    adc.energy_growth => adc_energy_growth 1.0..=4.0;
    adc.area_um2 => adc_area_um2 0.0..=1e6;
    adc.area_growth => adc_area_growth 1.0..=4.0;
    adc.rate_gsps => adc_rate_gsps 1e-4..=1e3;
    adc.leak_mw => adc_leak_mw 0.0..=1e3;
    wordline.energy_pj => wordline_energy_pj 0.0..=1e3;
    wordline.area_um2 => wordline_area_um2 0.0..=1e4;
    sample_hold.energy_fj => sample_hold_energy_fj 0.0..=1e4;
    switch.toggle_fj => switch_toggle_fj 0.0..=1e4;
    switch.area_um2 => switch_area_um2 0.0..=1e3;
    digital.shift_add_pj => shift_add_pj 0.0..=1e3;
    digital.add_pj => add_pj 0.0..=1e3;
    digital.requantize_pj => requantize_pj 0.0..=1e3;
    digital.gate_area_um2 => gate_area_um2 0.0..=1e3;
    vector.values_per_ns => vector_values_per_ns 1e-3..=1e6;
    sram.read_pj_per_bit => sram_read_pj_per_bit 0.0..=1e2;
    sram.write_pj_per_bit => sram_write_pj_per_bit 0.0..=1e2;
    sram.leak_mw_per_kib => sram_leak_mw_per_kib 0.0..=1e2;
    sram.area_um2_per_bit => sram_area_um2_per_bit 0.0..=1e2;
    buffer.size_kib => buffer_size_kib 1.0..=1e7;
    buffer.energy_pj_per_bit => buffer_energy_pj_per_bit 0.0..=1e2;
    buffer.area_um2_per_kib => buffer_area_um2_per_kib 0.0..=1e6;
    bus.energy_pj_per_bit => bus_energy_pj_per_bit 0.0..=1e2;
    dram.energy_pj_per_bit => dram_energy_pj_per_bit 0.0..=1e3;
    dram.bandwidth_gbyte_s => dram_bandwidth_gbyte_s 1e-3..=1e6;
    signal.ones_share => ones_share 0.0..=1.0;
    signal.zero_planes_share => zero_planes_share 0.0..=1.0;
    signal.closed_share => closed_share 0.0..=1.0;
    signal.weight_sigma => weight_sigma 0.01..=1.0;
    write.pulse_ns => pulse_ns 0.0..=1e9;
    write.verify_ns => verify_ns 0.0..=1e9;
    write.pulses => pulses 1.0..=1e4;
    write.pulse_pj => pulse_pj 0.0..=1e6;
    write.endurance => endurance 1.0..=1e15;
    write.crossbars_at_once => crossbars_at_once 1.0..=65536.0;
    write.inferences_per_basis => inferences_per_basis 1.0..=1e15;
}

/// All constants of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Constants {
    /// In the order of [`FIELDS`].
    pub all: Vec<Constant>,
    /// Write models, fastest first.
    pub write_models: Vec<WriteModel>,
    values: Values,
    logic: Synthesis,
}

impl Constants {
    /// The typical values.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Gates of the generated logic.
    pub fn logic(&self) -> &Synthesis {
        &self.logic
    }

    /// The values with one constant changed, by its place in [`FIELDS`].
    pub fn with(&self, index: usize, value: f64) -> Values {
        let mut values = self.values;
        if let Some(place) = values.place(index) {
            *place = value;
        }
        values
    }

    /// A write model by name.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn write_model(&self, name: &str) -> Result<&WriteModel, Error> {
        self.write_models.iter().find(|m| m.name == name).ok_or_else(|| {
            let names: Vec<_> = self.write_models.iter().map(|m| m.name.as_str()).collect();
            Error::constants(
                "--write-model",
                format!("no write model {name}"),
                format!("use all or some of {}, separated by commas", names.join(", ")),
            )
        })
    }
}
