//! Energy by component: where every picojoule goes.

use std::ops::{Add, AddAssign, Index, IndexMut, Mul};

use serde::{Deserialize, Serialize};

use crate::Values;

macro_rules! components {
    ($($name:ident $key:ident $label:literal $formula:literal;)*) => {
        /// A place where energy goes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Component { $(#[doc = $formula] $name,)* }

        impl Component {
            /// All, in the order of the dataflow.
            pub const ALL: &'static [Component] = &[$(Component::$name,)*];

            /// Key in tables.
            pub fn key(self) -> &'static str { match self { $(Component::$name => stringify!($key),)* } }

            /// Name for people.
            pub fn label(self) -> &'static str { match self { $(Component::$name => $label,)* } }

            /// What is counted, times which constants.
            pub fn formula(self) -> &'static str { match self { $(Component::$name => $formula,)* } }
        }

        /// Energy of every component in pJ.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Energy { $(#[doc = $formula] pub $key: f64,)* }

        impl Index<Component> for Energy {
            type Output = f64;
            fn index(&self, of: Component) -> &f64 { match of { $(Component::$name => &self.$key,)* } }
        }

        impl IndexMut<Component> for Energy {
            fn index_mut(&mut self, of: Component) -> &mut f64 { match of { $(Component::$name => &mut self.$key,)* } }
        }
    };
}

components! {
    Array array "cells" "cells of connected columns on rows that are on x crossbar.array_read_pj / 16384";
    Wordlines wordlines "wordlines" "rows that are on, of all crossbars that are read x wordline.energy_pj";
    Adc adc "ADC" "conversions x (adc.energy_pj x adc.energy_growth^(bits - 8) + sample_hold.energy_fj)";
    ShiftAdd shift_add "shift and add" "conversions and psum updates x digital.shift_add_pj";
    Psums psums "partial sums" "32-bit psum reads x sram.read_pj_per_bit + writes x sram.write_pj_per_bit";
    Requantize requantize "requantize" "results x digital.requantize_pj";
    Elementwise elementwise "pooling, adds" "additions and comparisons x digital.add_pj + scalings x digital.requantize_pj + bits read and written x (buffer + bus)";
    Switches switches "switches" "columns that change x 4 transmission gates x switch.toggle_fj";
    Coefficients coefficients "coefficients" "slot stream bits x (buffer + bus + sram write + sram read)";
    Activations activations "activations" "bits in: buffer, bus, sram write, and sram read for every slot and position; bits out: bus and buffer";
    OffChip off_chip "off-chip" "bits of weights or slots and of activations that exceed the buffer x dram.energy_pj_per_bit";
    Leakage leakage "leakage, ADC" "time x adc.leak_mw of every converter; while it only writes, the other chip switches them off";
    MemoryLeakage memory_leakage "leakage, memories" "time x sram.leak_mw_per_kib of psum banks, coefficient and input buffers; none is counted for the other chip";
    Writing writing "writing cells" "cells written x energy of the write model";
}

impl Energy {
    /// All components together, in pJ.
    pub fn total(&self) -> f64 {
        Component::ALL.iter().map(|&c| self[c]).sum()
    }
}

impl AddAssign for Energy {
    fn add_assign(&mut self, other: Energy) {
        for &c in Component::ALL {
            self[c] += other[c];
        }
    }
}

impl Add for Energy {
    type Output = Energy;
    fn add(mut self, other: Energy) -> Energy {
        self += other;
        self
    }
}

impl Mul<f64> for Energy {
    type Output = Energy;
    fn mul(mut self, factor: f64) -> Energy {
        for &c in Component::ALL {
            self[c] *= factor;
        }
        self
    }
}

/// Energy of reading crossbars: `wordlines` rows that are on, `cells` that carry current, `conversions`, in pJ.
pub fn read_energy(values: &Values, wordlines: f64, cells: f64, conversions: f64, adc_bits: usize) -> Energy {
    Energy {
        array: cells * values.array_read_pj / (128.0 * 128.0),
        wordlines: wordlines * values.wordline_energy_pj,
        adc: conversions * conversion_pj(values, adc_bits),
        shift_add: conversions * values.shift_add_pj,
        ..Energy::default()
    }
}

/// Energy of one conversion with sample and hold, in pJ.
pub fn conversion_pj(values: &Values, adc_bits: usize) -> f64 {
    values.adc_energy_pj * values.adc_energy_growth.powf(adc_bits as f64 - 8.0) + values.sample_hold_energy_fj * 1e-3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Constants;

    #[test]
    fn one_full_read_costs_what_the_literature_says() {
        // 128 x 128 single cells, 1-bit inputs, 128 conversions of 8 bits: array 30, ADC 200, wordlines 50, shift and add 6.4 pJ.
        let constants = Constants::built_in().unwrap();
        let energy = read_energy(constants.values(), 128.0, 128.0 * 128.0, 128.0, 8);
        let close = |got: f64, expected: f64, within: f64| assert!((got - expected).abs() < within, "{got} {expected}");
        close(energy.array, 30.0, 1e-9);
        close(energy.adc, 200.0, 0.2);
        close(energy.wordlines, 50.0, 0.1);
        close(energy.shift_add, 6.4, 1e-9);
        close(energy.total(), 286.4, 0.3);
        // Eight input planes make a matrix-vector product.
        close((energy * 8.0).total(), 2290.0, 3.0);
    }

    #[test]
    fn components_add_up_and_scale() {
        let one = Energy { adc: 1.0, writing: 2.0, ..Energy::default() };
        assert_eq!((one + one * 3.0).total(), 12.0);
        assert_eq!((one + one)[Component::Adc], 2.0);
    }
}
