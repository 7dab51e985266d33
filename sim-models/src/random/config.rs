//! Random small chips.

use basisn_arch::{ChipConfig, Error};
use rand::Rng;
use rand::seq::IndexedRandom;

use super::Random;

/// A small chip with sizes that are no powers of two more often than not.
///
/// # Errors
/// None for the ranges chosen here; a configuration always goes through its checks.
pub fn random_config(rng: &mut Random) -> Result<ChipConfig, Error> {
    let tiles = rng.random_range(1..=4);
    let position_block = rng.random_range(1..=9);
    let psum_words = 2 * rng.random_range(position_block..=4 * position_block);
    let kernels = rng.random_range(1..=80);
    let slot_stream_bits = [32, 64, 128].choose(rng).copied().unwrap_or(32);
    let activation_stream_bytes = rng.random_range(1..=9);
    let results_per_beat = 1 << rng.random_range(0..=2);
    let skip_zero_planes = rng.random_range(0..=1);
    let rows = rng.random_range(8..=40);
    let columns = rng.random_range(8..=40);
    let cell_bits = rng.random_range(1..=4);
    let read_latency = rng.random_range(1..=5);
    let read_interval = if rng.random_bool(0.6) { 1 } else { rng.random_range(2..=4) };
    let program_cycles = rng.random_range(0..=3);
    let lanes = rng.random_range(1..=9);
    let adc_bits = rng.random_range(4..=10);
    let input_bits = rng.random_range(1..=8);
    let planes = rng.random_range(1..=6);
    let text = format!(
        "[chip]\ncores = 1\n\
         [core]\ntiles = {tiles}\nposition_block = {position_block}\npsum_words = {psum_words}\nkernels = {kernels}\n\
         slot_stream_bits = {slot_stream_bits}\nactivation_stream_bytes = {activation_stream_bytes}\n\
         results_per_beat = {results_per_beat}\nskip_zero_planes = {skip_zero_planes}\n\
         [crossbar]\nrows = {rows}\ncolumns = {columns}\ncell_bits = {cell_bits}\n\
         read_latency_cycles = {read_latency}\nread_interval_cycles = {read_interval}\nprogram_cycles = {program_cycles}\n\
         [adc]\nlanes = {lanes}\nbits = {adc_bits}\n\
         [arithmetic]\ninput_bits = {input_bits}\ncoefficient_planes = {planes}\ngroup = {lanes}\n"
    );
    ChipConfig::from_toml(&text, "random chip")
}
