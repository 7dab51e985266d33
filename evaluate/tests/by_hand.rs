//! Both sides for one small layer, worked out by hand: every component of energy, and time. And seeded bugs: whichever constant or size
//! is another one on one side only, the comparison must notice, so that no term of a formula is unchecked.

#![allow(clippy::unwrap_used, reason = "tests")]

use basisn_arch::{ChipConfig, LayerWork};
use basisn_evaluate::constants::FIELDS;
use basisn_evaluate::elementwise::Elementwise;
use basisn_evaluate::reprogram::{self, Concessions, Options, cells::Slicing};
use basisn_evaluate::{Chip, Component, Constants, Energy, Layer, Values, Workload, area, basis};

/// 16 kernels of 200 weights at 10 positions, with some work after it.
fn workload() -> Workload {
    let after = Elementwise { inputs: 100, outputs: 50, additions: 400, scalings: 60 };
    let layer = Layer {
        name: "layer".into(),
        kernels: 16,
        depth: 200,
        positions: 10,
        inputs: 500,
        input_bits: 8,
        groups: 1,
        after,
        program: None,
    };
    Workload { name: "small".into(), layers: vec![layer] }
}

/// One core of eight tiles of `isaac`: 128 x 128, eight lanes, groups of eight, blocks of four positions.
fn chip(v: &Values) -> Chip {
    Chip::new(&ChipConfig::load("isaac").unwrap(), v).with_crossbars(8).unwrap()
}

const OPTIONS: Options = Options {
    crossbars: 1,
    batch: 1,
    cell_bits: 2,
    adc_bits: None,
    concessions: Concessions {
        replicate: false,
        overlap: false,
        skip_unchanged: false,
        pack_columns: false,
        keep_tiles: false,
    },
};

/// What a side takes, as far as it is compared: times, lifetime, energy by component.
fn figures(times: &[f64], energy: &Energy) -> Vec<f64> {
    times.iter().copied().chain(Component::ALL.iter().map(|&c| energy[c])).collect()
}

fn basis_of(v: &Values, chip: &Chip, workload: &Workload) -> Vec<f64> {
    let constants = Constants::built_in().unwrap();
    let own = basis::cost(chip, workload, 1, constants.write_model("typical").unwrap(), v);
    let logic = area::basis(chip, constants.logic(), v).iter().map(|p| p.um2).sum::<f64>();
    figures(&[own.time_ns, own.write_once_ns, logic], &own.energy)
}

fn basis_by_hand(v: &Values) -> Vec<f64> {
    let chip = chip(v);
    let ns = v.read_cycle_ns / 50.0;
    // Two subvectors of 100 rows, each one slot; all eight tiles have two kernels.
    let work = LayerWork {
        tiles: 8,
        positions: 10,
        block_positions: 4,
        slots: vec![1, 1],
        rows_used: 100,
        planes: 8,
        kernels: 16,
    };
    // Three cycles for each of 2 x 16 + 13 registers; values in turn through the vector unit.
    let cycles = work.counters(&chip.config).cycles as f64 + 3.0 * 45.0;
    let time_ns = cycles * ns + 100.0 / v.vector_values_per_ns;
    let (reads, on) = (10.0 * 8.0 * 2.0 * 8.0, v.ones_share * 100.0);
    let columns = 8.0 * 2.0 * 128.0;
    // A slot word: 1 + 8 items of 12 bits + 128 columns of 5 bits, in 12 beats of 64 bits; of two slots, eight tiles, three blocks.
    let slot_bits = 768.0 * 2.0 * 8.0 * 3.0;
    let memory = v.buffer_energy_pj_per_bit + v.bus_energy_pj_per_bit;
    let (written, read) = (v.sram_write_pj_per_bit, v.sram_read_pj_per_bit);
    let cells = 8.0 * 32768.0;
    // Psum memories and parameters, and two input banks of four positions, a KiB together.
    let kib = 8.0 * (8.0 * 64.0 * 32.0 + 2.0 * 737.0) / 8192.0 + 1.0;
    let energy = Energy {
        array: 2.0 * on * 80.0 * v.closed_share * columns * v.array_read_pj / 16384.0,
        wordlines: on * reads * v.wordline_energy_pj,
        adc: reads * 8.0 * (v.adc_energy_pj + v.sample_hold_energy_fj / 1000.0),
        // Every conversion, and 32 items at 10 positions.
        shift_add: (reads * 8.0 + 320.0) * v.shift_add_pj,
        psums: 320.0 * 32.0 * (read + written),
        requantize: 160.0 * v.requantize_pj,
        elementwise: 400.0 * v.add_pj + 60.0 * v.requantize_pj + 8.0 * 150.0 * memory,
        switches: 3.0 * columns * 4.0 * v.switch_toggle_fj / 1000.0,
        coefficients: slot_bits * (memory + written + read),
        activations: 16000.0 * (memory + written) + 10.0 * 2.0 * 1024.0 * read + 8.0 * 160.0 * memory,
        off_chip: 8.0 * (500.0 + 160.0) * v.dram_energy_pj_per_bit,
        leakage: time_ns * 8.0 * v.adc_leak_mw,
        memory_leakage: time_ns * kib * v.sram_leak_mw_per_kib,
        writing: cells * v.pulses * v.pulse_pj / v.inferences_per_basis,
    };
    let write_once_ns = 128.0 * v.pulses * (v.pulse_ns + v.verify_ns) * (8.0 / v.crossbars_at_once).max(1.0);
    figures(&[time_ns, write_once_ns, area_by_hand(v)], &energy)
}

/// Hard blocks by hand, logic as gates.
fn area_by_hand(v: &Values) -> f64 {
    use basisn_evaluate::synthesis::Part;
    let constants = Constants::built_in().unwrap();
    let chip = chip(v);
    let gates = |part| constants.logic().gates(&chip.config, part);
    let clock_ns = v.read_cycle_ns / 50.0;
    let vector = (v.vector_values_per_ns * clock_ns).ceil() * gates(Part::Requantize);
    let feature = v.feature_nm / 1000.0;
    let converters = (8.0 / (v.read_cycle_ns * v.adc_rate_gsps)).ceil().clamp(1.0, 8.0);
    let tile = 32768.0 * v.cell_area_f2 * feature * feature
        + 128.0 * v.wordline_area_um2
        + converters * v.adc_area_um2
        + 128.0 * 20.0 * v.switch_area_um2
        + 64.0 * 8.0 * 32.0 * v.sram_area_um2_per_bit;
    let memories = (2.0 * 4.0 * 128.0 * 8.0 + 2048.0 * 64.0) * v.sram_area_um2_per_bit;
    let logic = (Part::ALL.map(gates).iter().sum::<f64>() + vector) * v.gate_area_um2;
    8.0 * tile + memories + logic + v.buffer_size_kib * v.buffer_area_um2_per_kib
}

fn reprogramming_of(v: &Values, chip: &Chip, workload: &Workload, options: &Options) -> Vec<f64> {
    let constants = Constants::built_in().unwrap();
    let other = reprogram::cost(chip, workload, options, constants.write_model("typical").unwrap(), v);
    figures(&[other.time_ns, v.endurance / other.writes_per_cell, other.crossbars_to_fit], &other.energy)
}

fn reprogramming_by_hand(v: &Values) -> Vec<f64> {
    // A weight takes four pairs of 2-bit cells: 64 of 128 columns, two crossbars, of which there is one: two rounds.
    let row_ns = v.pulses * (v.pulse_ns + v.verify_ns);
    let plane_ns = v.read_cycle_ns.max(64.0 / v.adc_rate_gsps);
    let clock_ns = v.read_cycle_ns / 50.0;
    let compute_ns = 2.0 * (80.0 * plane_ns + 3.0 * 45.0 * clock_ns) + 100.0 / v.vector_values_per_ns;
    let time_ns = 2.0 * 100.0 * row_ns + compute_ns;
    let on = v.ones_share * 200.0;
    let memory = v.buffer_energy_pj_per_bit + v.bus_energy_pj_per_bit;
    let (written, read) = (v.sram_write_pj_per_bit, v.sram_read_pj_per_bit);
    // 2 + 7 - 3 = 6 bits.
    let conversion = v.adc_energy_pj * v.adc_energy_growth.powi(-2) + v.sample_hold_energy_fj / 1000.0;
    let eight_bits = v.adc_energy_pj + v.sample_hold_energy_fj / 1000.0;
    let cells = 2.0 * 4.0 * 16.0 * 200.0;
    let energy = Energy {
        array: 2.0 * 80.0 * on * 64.0 * v.array_read_pj / 16384.0,
        wordlines: 80.0 * on * v.wordline_energy_pj,
        adc: 80.0 * 2.0 * 64.0 * conversion,
        // Every conversion, and the slices and subvectors of every result.
        shift_add: (80.0 * 2.0 * 64.0 + 160.0 * 8.0) * v.shift_add_pj,
        requantize: 160.0 * v.requantize_pj,
        elementwise: 400.0 * v.add_pj + 60.0 * v.requantize_pj + 8.0 * 150.0 * memory,
        activations: 8.0 * 2000.0 * (memory + written + read) + 8.0 * 160.0 * memory,
        // All weights fit the buffer, and go from there to the crossbars.
        off_chip: 8.0 * 660.0 * v.dram_energy_pj_per_bit + 8.0 * 3200.0 * memory,
        leakage: compute_ns * v.adc_leak_mw * conversion / eight_bits,
        writing: cells * v.pulses * v.pulse_pj,
        ..Energy::default()
    };
    figures(&[time_ns, v.endurance * 32768.0 / cells, 2.0], &energy)
}

fn differ(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).any(|(a, b)| (a - b).abs() > 1e-9 * a.abs().max(b.abs()))
}

#[test]
fn both_sides_are_what_a_calculation_by_hand_gives() {
    let constants = Constants::built_in().unwrap();
    let v = constants.values();
    let [own, hand] = [basis_of(v, &chip(v), &workload()), basis_by_hand(v)];
    assert!(!differ(&own, &hand), "BasisN\n{own:?}, by hand\n{hand:?}");
    let [other, hand] = [reprogramming_of(v, &chip(v), &workload(), &OPTIONS), reprogramming_by_hand(v)];
    assert!(!differ(&other, &hand), "reprogramming\n{other:?}, by hand\n{hand:?}");
}

/// Constants on which neither side depends for this layer, and why.
const ELSEWHERE: [(&str, &str); 4] = [
    ("adc.area_growth", "8-bit converters have the constant's own area"),
    ("dram.bandwidth_gbyte_s", "nothing waits for off-chip memory"),
    ("signal.zero_planes_share", "no planes are skipped"),
    ("signal.weight_sigma", "all cells are written, whether they change or not"),
];

#[test]
fn a_bug_in_any_constant_is_noticed() {
    let constants = Constants::built_in().unwrap();
    let v = constants.values();
    let (own, other) = (basis_by_hand(v), reprogramming_by_hand(v));
    for (index, field) in FIELDS.iter().enumerate() {
        // Two constants set a limit only where they are far lower.
        let factor = match field.key {
            "write.crossbars_at_once" => 1e-4,
            "adc.rate_gsps" => 0.05,
            _ => 0.9,
        };
        let wrong = constants.with(index, constants.all[index].typical * factor);
        let noticed = differ(&basis_of(&wrong, &chip(&wrong), &workload()), &own)
            || differ(&reprogramming_of(&wrong, &chip(&wrong), &workload(), &OPTIONS), &other);
        let expected = !ELSEWHERE.iter().any(|(key, _)| *key == field.key);
        assert_eq!(noticed, expected, "{}", field.key);
    }
}

#[test]
fn a_bug_in_any_size_is_noticed_on_both_sides() {
    type Bug = (&'static str, fn(&mut Layer));
    let constants = Constants::built_in().unwrap();
    let v = constants.values();
    let bugs: [Bug; 10] = [
        ("a kernel too many", |l| l.kernels += 1),
        ("a weight of a kernel too few", |l| l.depth -= 1),
        ("a position too many", |l| l.positions += 1),
        ("an input too few", |l| l.inputs -= 1),
        ("an input plane too few", |l| l.input_bits -= 1),
        ("a group too many", |l| l.groups += 1),
        ("a pooled value too many", |l| l.after.inputs += 1),
        ("a sum too few is written", |l| l.after.outputs -= 1),
        ("an addition too many", |l| l.after.additions += 1),
        ("a scaling too few", |l| l.after.scalings -= 1),
    ];
    for (bug, make) in bugs {
        let mut wrong = workload();
        make(&mut wrong.layers[0]);
        assert!(differ(&basis_of(v, &chip(v), &wrong), &basis_by_hand(v)), "BasisN: {bug}");
        assert!(
            differ(&reprogramming_of(v, &chip(v), &wrong, &OPTIONS), &reprogramming_by_hand(v)),
            "reprogramming: {bug}"
        );
    }
    for (key, value) in [
        ("adc.lanes", 16),
        ("core.position_block", 2),
        ("arithmetic.group", 1),
        ("crossbar.rows", 64),
        ("core.tiles", 4),
    ] {
        let wrong = chip(v).with(key, value).unwrap();
        assert!(differ(&basis_of(v, &wrong, &workload()), &basis_by_hand(v)), "BasisN: {key}");
    }
    let all = Concessions::default();
    let granted = [
        (
            "replicate",
            Options { concessions: Concessions { replicate: true, ..OPTIONS.concessions }, crossbars: 8, ..OPTIONS },
        ),
        (
            "skip unchanged",
            Options { concessions: Concessions { skip_unchanged: true, ..OPTIONS.concessions }, ..OPTIONS },
        ),
        ("pack columns", Options { concessions: Concessions { pack_columns: true, ..OPTIONS.concessions }, ..OPTIONS }),
        ("all concessions", Options { concessions: all, ..OPTIONS }),
        ("4-bit cells", Options { cell_bits: 4, ..OPTIONS }),
        ("batches", Options { batch: 2, ..OPTIONS }),
        ("fewer bits", Options { adc_bits: Some(5), ..OPTIONS }),
    ];
    for (what, options) in granted {
        let other = reprogramming_of(v, &chip(v), &workload(), &options);
        assert!(differ(&other, &reprogramming_by_hand(v)), "reprogramming: {what}");
    }
}

#[test]
fn unchanged_cells_are_left_out_in_the_share_that_a_count_gives() {
    let constants = Constants::built_in().unwrap();
    let v = constants.values();
    let changed = Slicing::new(2, v.weight_sigma).changed;
    let skipping = Options { concessions: Concessions { skip_unchanged: true, ..OPTIONS.concessions }, ..OPTIONS };
    let writing = |options| *reprogramming_of(v, &chip(v), &workload(), options).last().unwrap();
    assert!((writing(&skipping) / writing(&OPTIONS) - changed).abs() < 1e-12);
}
