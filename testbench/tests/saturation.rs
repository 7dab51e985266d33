//! The counters of saturated codes: those of every lane, as the arithmetic has them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use basisn_arch::ChipConfig;
use basisn_models::arithmetic::adc_range;
use basisn_models::im2col::{Patches, wordlines};
use basisn_models::random::Corners;
use basisn_models::{IdealMacro, MvmProblem};
use basisn_testbench::{Core, LayerStimulus, Stalls};
use common::{library, random};

/// Codes of items at either end of the range, by lane.
fn saturated(p: &MvmProblem) -> Vec<u64> {
    let (config, layer) = (&p.config, &p.program.layers[0]);
    let (low, high) = adc_range(config.adc_bits());
    let patches = Patches::new(&layer.shape, layer.subvectors(config.rows()), &p.input);
    let mut counts = vec![0; config.lanes()];
    let mut codes = vec![0; config.lanes()];
    for (subvector, slots) in layer.slots.iter().enumerate() {
        for (tile, slot) in slots.iter().flat_map(|tiles| tiles.iter().enumerate()) {
            let mut crossbar = IdealMacro::new(config);
            crossbar.program_all(p.program.basis_of(tile));
            crossbar.set_switches(&slot.switches);
            for position in 0..patches.positions() {
                for plane in 0..layer.input_bits {
                    crossbar.read(&wordlines(patches.subvector(position, subvector), plane), layer.gain, &mut codes);
                    for (lane, code) in codes.iter().enumerate().filter(|(lane, _)| slot.items[*lane].is_some()) {
                        counts[lane] += u64::from(*code == low || *code == high);
                    }
                }
            }
        }
    }
    counts
}

#[test]
fn saturated_codes_are_counted_by_lane() {
    let (mut rng, _) = random("saturated codes");
    let changes = [("adc.bits", 4), ("core.tiles", 3)];
    let config =
        changes.iter().fold(ChipConfig::load("tiny").unwrap(), |chip, (key, value)| chip.with(key, *value).unwrap());
    let library = library(&config, None);
    let mut core = Core::new(library.instance().random_state(7).start().unwrap(), &config).unwrap();
    let mut total = 0;
    for i in 0..20 {
        let corners = Corners { gain: Some(i % 3), ..Corners::default() };
        let p = MvmProblem::with_size(&mut rng, &config, 40, 7, 9, &corners);
        core.program(&p.program, None).unwrap();
        let layer = &p.program.layers[0];
        let stimulus = LayerStimulus::new(&config, layer, &layer.shape.im2col(&p.input), 0..7);
        let result = core.run_layer("saturation", &stimulus, &mut Stalls::random(u64::from(i), 20)).unwrap();
        assert_eq!(result.saturated, saturated(&p));
        total += result.saturated.iter().sum::<u64>();
    }
    assert!(total > 1000, "{total} saturated codes are too few");
}
