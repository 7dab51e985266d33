//! The golden reference against a definition without blocks, macros or order, and against worked numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use basisn_arch::{ChipConfig, ConvShape, Item, LayerProgram, Program, Requantize, Slot, StepOp, Window};
use basisn_models::random::{Corners, generator, mvm_shape, random_config, random_program, seed};
use basisn_models::rram::{Device, MacroModel};
use basisn_models::{ConvProblem, Error, Executor, Golden, MvmProblem, NetProblem, compare, golden, steps};

/// Results of one layer straight from the sums of the contract, one result at a time.
fn definition(config: &ChipConfig, program: &Program, layer: &LayerProgram, input: &[i32]) -> Vec<i64> {
    let (s, w) = (&layer.shape, &layer.shape.window);
    let cut = layer.subvectors(config.rows());
    let x = |position: usize, depth: usize| -> i32 {
        let (c, y, x) = (depth / (w.kernel[0] * w.kernel[1]), depth / w.kernel[1] % w.kernel[0], depth % w.kernel[1]);
        let row = (position / s.out_width() * w.stride[0] + y * w.dilation[0]) as isize - w.padding[0] as isize;
        let column = (position % s.out_width() * w.stride[1] + x * w.dilation[1]) as isize - w.padding[1] as isize;
        let inside = (0..s.in_height as isize).contains(&row) && (0..s.in_width as isize).contains(&column);
        if depth < s.depth() && inside {
            input[(c * s.in_height + row as usize) * s.in_width + column as usize]
        } else {
            0
        }
    };
    let mut results = Vec::new();
    for kernel in 0..s.kernels {
        for position in 0..s.positions() {
            let mut psum = 0i64;
            for (subvector, slots) in layer.slots.iter().enumerate() {
                for (tile, slot) in slots.iter().flat_map(|tiles| tiles.iter().enumerate()) {
                    for (lane, item) in slot.items.iter().enumerate() {
                        let Some(item) = item.filter(|i| i.kernel == kernel) else { continue };
                        for plane in 0..layer.input_bits {
                            let mut z = 0i64;
                            for (column, &switch) in slot.switches.iter().enumerate() {
                                if usize::from(switch.unsigned_abs()) != lane + 1 {
                                    continue;
                                }
                                for row in 0..cut.length {
                                    let bit = x(position, subvector * cut.length + row).rem_euclid(256) >> plane & 1;
                                    let level = program.basis_of(tile)[row * config.columns() + column];
                                    z += i64::from(switch.signum()) * i64::from(bit) * i64::from(level);
                                }
                            }
                            let rail = 1i64 << (config.adc_bits() - 1);
                            let code = ((z + ((1 << layer.gain) >> 1)) >> layer.gain).clamp(-rail, rail - 1);
                            let negative = layer.signed && plane + 1 == layer.input_bits;
                            psum += (if negative { -code } else { code }) << (plane + item.plane);
                        }
                    }
                }
            }
            let r = &layer.requantize;
            let y = psum * i64::from(r.multiplier[kernel]) + r.offset[kernel];
            let clamped = ((y + (1 << (r.shift - 1))) >> r.shift).clamp(r.low.into(), r.high.into());
            results.push(if r.raw { y } else { clamped });
        }
    }
    results
}

#[test]
fn random_programs_give_what_the_contract_says() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    let (mut low, mut high, mut codes, mut blocks, mut merged, mut empty) = (0, 0, 0, 0, 0, 0);
    let (mut ops, mut groups) = (std::collections::HashSet::new(), 0);
    for round in 0..60 {
        let config = random_config(&mut rng).unwrap();
        let problem = NetProblem::random(&mut rng, &config, 1 + round % 3, 2);
        problem.program.check(&config).unwrap_or_else(|e| panic!("round {round}: {e}\n{config:?}"));
        for (input, values) in problem.inputs.iter().zip(problem.reference().unwrap()) {
            let defined = steps::run(&problem.program, input, |index, input| {
                let layer = &problem.program.layers[index];
                Ok::<_, Error>((definition(&config, &problem.program, layer, input), ()))
            });
            assert_eq!(values, defined.unwrap().values, "round {round}");
        }
        for step in &problem.program.steps {
            ops.insert(std::mem::discriminant(&step.op));
            groups += usize::from(matches!(step.op, StepOp::Matrix { groups: 2.., .. }));
        }
        for run in golden::Core::new(&config, &problem.program).unwrap().run(&problem.inputs[0]).unwrap().layers {
            (low, high, codes) = (low + run.saturated_low, high + run.saturated_high, codes + run.codes);
        }
        for layer in &problem.program.layers {
            blocks += usize::from(layer.shape.positions() > layer.block_positions);
            for (tile, slot) in layer.slots.iter().flatten().flat_map(|tiles| tiles.iter().enumerate()) {
                empty += usize::from(slot.items.iter().all(Option::is_none));
                let home = |k: usize| layer.home[k] as usize;
                let lane_of = |k: usize| home(k) / layer.tiles % config.lanes();
                merged +=
                    slot.items.iter().enumerate().filter(|(l, i)| i.is_some_and(|i| lane_of(i.kernel) != *l)).count();
                assert!(slot.items.iter().flatten().all(|i| home(i.kernel) % layer.tiles == tile));
            }
        }
    }
    println!(
        "{low} + {high} of {codes} codes saturated, {blocks} layers of several blocks, {merged} merged, {empty} empty"
    );
    assert!(
        low * 1000 > codes
            && high * 1000 > codes
            && (low + high) * 2 < codes
            && blocks > 5
            && merged > 50
            && empty > 20
    );
    assert!(ops.len() == 7 && groups > 5, "{} kinds of steps, {groups} grouped", ops.len());
}

#[test]
fn mvm_and_convolution_problems_cover_their_corners() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    for _ in 0..40 {
        let config = random_config(&mut rng).unwrap();
        let mvm = MvmProblem::random(&mut rng, &config);
        assert_eq!(mvm.reference().unwrap(), definition(&config, &mvm.program, &mvm.program.layers[0], &mvm.input));
        let conv = ConvProblem::random(&mut rng, &config);
        assert_eq!(conv.reference().unwrap(), definition(&config, &conv.program, &conv.program.layers[0], &conv.input));
        // One position and one subvector; several blocks and an exact multiple of full rows.
        for (depth, positions) in [(1, 1), (2 * config.rows(), 3 * config.position_block() + 1)] {
            let corners = Corners { raw: Some(true), block_positions: Some(usize::MAX), ..Corners::default() };
            let forced = MvmProblem::with_size(&mut rng, &config, depth, positions, 1, &corners);
            assert!(forced.program.layers[0].requantize.raw);
            assert_eq!(forced.program.layers[0].slots.len(), depth.div_ceil(config.rows()));
            assert_eq!(forced.reference().unwrap().len(), positions);
        }
    }
}

/// One crossbar, two kernels: every number can be followed by hand.
fn worked() -> (ChipConfig, Program) {
    let config = ChipConfig::load("tiny").unwrap();
    let mut levels = vec![-1i8; 16 * 16];
    for row in 0..16 {
        levels[row * 16] = 1; // column 0 is all +1, the others are all -1
    }
    let mut slot = Slot::empty(&config);
    slot.items[0] = Some(Item { kernel: 0, plane: 1 });
    slot.items[1] = Some(Item { kernel: 0, plane: 0 }); // merged
    slot.items[2] = Some(Item { kernel: 1, plane: 3 });
    slot.switches[0] = 1;
    slot.switches[1] = -2;
    slot.switches[2] = -2;
    slot.switches[3] = 3;
    let layer = LayerProgram {
        name: "fc".into(),
        shape: mvm_shape(2, 1, 3),
        input_bits: 3,
        signed: true,
        gain: 0,
        tiles: 1,
        block_positions: 1,
        home: vec![0, 2, 1],
        slots: vec![vec![vec![slot]]],
        requantize: Requantize {
            multiplier: vec![10, -10, 1],
            offset: vec![3, 0, 77],
            shift: 2,
            low: -100,
            high: 100,
            raw: false,
        },
    };
    (config.clone(), Program::chain("worked", &config, vec![levels], vec![layer]))
}

#[test]
fn a_worked_example() {
    let (config, mut program) = worked();
    // Kernel 2 has no item: the psum of its lane would not be written.
    assert!(matches!(golden::run(&config, &program, &[3, -4]), Err(Error::Program(_))));
    program.layers[0].slots[0].push(vec![Slot::empty(&config)]);
    program.layers[0].slots[0][1][0].items[1] = Some(Item { kernel: 2, plane: 0 });
    // x = 3 - 4 = -1: kernel 0 = (x << 1) + 2x = -4, kernel 1 = -x << 3 = 8, kernel 2 = 0.
    // (-40 + 3 + 2) >> 2 = -9, (-80 + 2) >> 2 = -20, (77 + 2) >> 2 = 19.
    let run = golden::run_layer(&config, &program, 0, &[3, -4]).unwrap();
    assert_eq!(run.values, [-9, -20, 19]);
    assert_eq!((run.reads, run.codes, run.saturated_low, run.saturated_high), (2 * 3, 4 * 3, 0, 0));
    program.layers[0].requantize.raw = true;
    assert_eq!(golden::run(&config, &program, &[3, -4]).unwrap(), [[-37, -80, 77]]);
}

#[test]
fn wrong_inputs_are_typed_errors() {
    let (config, mut program) = worked();
    program.layers[0].slots[0][0][0].items[3] = Some(Item { kernel: 1, plane: 0 });
    program.layers[0].slots[0].push(vec![Slot::empty(&config)]);
    program.layers[0].slots[0][1][0].items[1] = Some(Item { kernel: 2, plane: 0 });
    let text = |input: &[i32]| golden::run(&config, &program, input).unwrap_err().to_string();
    assert!(text(&[1]).contains("layer fc\n  cause: 1 values given, 2 expected"), "{}", text(&[1]));
    assert!(text(&[1, 4]).contains("layer fc, value 1\n  cause: 4 is not in -4..3"), "{}", text(&[1, 4]));
    assert!(text(&[-5, 0]).contains("value 0\n  cause: -5 is not in"), "{}", text(&[-5, 0]));
    let absent = golden::run_layer(&config, &program, 1, &[0, 0]).unwrap_err();
    assert_eq!(absent, Error::NoLayer { index: 1, layers: 1 });
    let wrong = config.with("adc.bits", 9).unwrap();
    assert!(matches!(golden::run(&wrong, &program, &[0, 0]), Err(Error::Program(_))));
}

#[test]
fn the_same_seed_gives_the_same_problem() {
    let make = |seed| {
        let mut rng = generator(seed);
        let config = random_config(&mut rng).unwrap();
        let problem = NetProblem::random(&mut rng, &config, 2, 1);
        (problem.program.to_bytes().unwrap(), problem.inputs)
    };
    assert_eq!(make(5), make(5));
    assert_ne!(make(5), make(6));
}

#[test]
fn comparison_names_what_differs() {
    let mut rng = generator(seed());
    let config = ChipConfig::load("tiny").unwrap();
    let program = random_program(&mut rng, &config, mvm_shape(4, 3, 2), &Corners::default());
    let input = vec![0; 12];
    let expected = Golden.run(&config, &program, &input).unwrap();
    assert_eq!(compare(&program, &expected, &expected), (6, vec![]));
    let mut got = expected.clone();
    got[0][4] += 1;
    let (compared, mismatches) = compare(&program, &expected, &got);
    assert_eq!((compared, mismatches.len()), (6, 1));
    assert_eq!(
        mismatches[0].to_string(),
        format!("layer layer, position 1, kernel 1: expected {}, got {}", expected[0][4], got[0][4])
    );
    got[0].truncate(5);
    assert!(compare(&program, &expected, &got).1[1].to_string().ends_with("got nothing"));
    assert_eq!(compare(&program, &expected, &[]).1.len(), 6);
}

#[test]
fn an_image_of_the_digits_size_takes_milliseconds() {
    let mut rng = generator(seed());
    let config = ChipConfig::load("digits").unwrap();
    let shape = |in_channels, size, kernels, kernel, stride, padding| ConvShape {
        in_channels,
        in_height: size,
        in_width: size,
        kernels,
        window: Window::square(kernel, stride, padding),
    };
    let shapes =
        [shape(1, 8, 16, 3, 1, 1), shape(16, 8, 32, 3, 1, 1), shape(32, 8, 32, 3, 2, 1), shape(32, 4, 10, 4, 1, 0)];
    // 1 to 23 slots, 12 on average.
    let corners =
        Corners { slots: Some(23), input_bits: Some(8), block_positions: Some(usize::MAX), ..Corners::default() };
    let mut reads = 0;
    let mut seconds = 0.0;
    for shape in shapes {
        let problem = ConvProblem::with_shape(&mut rng, &config, shape, &corners);
        let start = std::time::Instant::now();
        reads += golden::run_layer(&config, &problem.program, 0, &problem.input).unwrap().reads;
        seconds += start.elapsed().as_secs_f64();
    }
    println!("{reads} reads of {} crossbars in {:.1} ms", config.tiles(), seconds * 1e3);
    // Far from the usual figure, so that only a wrong order of growth fails on a slow machine.
    assert!(seconds < 5.0, "{seconds} s");
}

#[test]
fn an_input_plane_without_ones_is_no_read() {
    let seed = seed();
    println!("BASISN_SEED={seed}");
    let mut rng = generator(seed);
    let tiny = ChipConfig::load("tiny").unwrap();
    let skipping = tiny.with("core.skip_zero_planes", 1).unwrap();
    let device = Device { model: Arc::new(MacroModel::load("worst").unwrap()), seed };
    let corners = Corners { input_bits: Some(8), signed: Some(false), raw: Some(true), ..Corners::default() };
    let problem = MvmProblem::with_size(&mut rng, &tiny, 20, 9, 5, &corners);
    // Planes 1 and 3 have ones at every position, and no other.
    let input = vec![0b1010; problem.input.len()];
    let run = |config: &ChipConfig, program: &Program, input: &[i32]| {
        golden::Core::with_device(config, program, Some(&device)).unwrap().run_layer(0, input).unwrap()
    };
    let (all, skipped) = (run(&tiny, &problem.program, &input), run(&skipping, &problem.program, &input));
    assert_eq!((skipped.reads, skipped.codes), (all.reads / 4, all.codes / 4));
    assert_ne!(skipped.values, all.values, "offsets of the planes without ones are left out");
    // Without any one, the lowest plane is read: as with inputs of one bit.
    let zeros = vec![0; input.len()];
    let mut one_bit = problem.program.clone();
    one_bit.layers[0].input_bits = 1;
    one_bit.input.bits = 1;
    assert_eq!(run(&skipping, &problem.program, &zeros), run(&tiny, &one_bit, &zeros));
}
