//! The road from weights to a program image: fit once, then lower to a chip with any number of tiles.

use basisn_arch::image::Input;
use basisn_arch::{ChipConfig, Geometry, LayerProgram, Program, Subvectors};

use crate::basis::BasisKind;
use crate::blocks;
use crate::calibrate::{self, Calibration, GainProblem};
use crate::fit::{self, FitOptions, FitRun, Lesson, Target, snr_db};
use crate::fitted::{Code, Fitted, FittedLayer};
use crate::fuse::fuse;
use crate::graph::MatrixLayer;
use crate::integer;
use crate::map::{self, Arrangement};
use crate::report::{LayerReport, Report};
use crate::requantize::requantize;
use crate::schedule::{Contention, ScheduleOptions};
use crate::{Error, Model};

/// A compiled network.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// The program image, checked against the chip.
    pub program: Program,
    /// How well and how fast.
    pub report: Report,
}

/// Fits a network to the crossbars of `config` and lowers it to the chip.
/// `images` are training images as integers: scales and gains are measured on them.
///
/// # Errors
/// As [`fit()`] and [`lower`].
pub fn compile(model: &Model, images: &[Vec<i32>], config: &ChipConfig) -> Result<Compiled, Error> {
    lower(&fit(model, images, config, &FitOptions::local(config))?, config, ScheduleOptions::default())
}

/// Finds coefficients, scales and gains. Of `config` only the crossbar's size, the ADC bits and the arithmetic count.
///
/// # Errors
/// Unusable images, more input bits than the chip has, or options that [`FitOptions::check`] refuses.
pub fn fit(model: &Model, images: &[Vec<i32>], config: &ChipConfig, options: &FitOptions) -> Result<Fitted, Error> {
    fit_and_tell(model, images, config, options, FitRun::default())
}

/// As [`fit`](fn@fit), tells how far it is, and takes finished layers from a folder.
///
/// # Errors
/// As [`fit`](fn@fit), or the folder cannot be written.
pub fn fit_and_tell(
    model: &Model,
    images: &[Vec<i32>],
    config: &ChipConfig,
    options: &FitOptions,
    run: FitRun,
) -> Result<Fitted, Error> {
    let bits = model.graph.input.map_or(1, |code| code.bits);
    if bits > config.input_bits() {
        return Err(Error::chip(
            format!("network {}, input", model.graph.name),
            format!("{bits} input bits, and arithmetic.input_bits = {}", config.input_bits()),
            format!("set arithmetic.input_bits to at least {bits}, or give the network coarser inputs"),
        ));
    }
    let model = model.clone().folded();
    let fused = fuse(&model.graph);
    let names: Vec<&str> = model.graph.nodes.iter().filter(|n| n.op.is_matrix()).map(|n| n.name.as_str()).collect();
    options.check(&names, config)?;
    let Calibration { codes, patches } = {
        let bits = options.activation_bits.unwrap_or(config.input_bits());
        calibrate::calibrate(&model, &fused, images, bits)?
    };
    let steps = integer::steps(&model, &fused, &codes)?;
    let lessons = lessons(&model, options);
    // Learning a basis, where one is learned, takes about as long as the layers after it.
    let learned = options.basis.kind == BasisKind::Learned;
    let bases = fit::bases(&lessons, config, options, &|share| (run.progress)(share / 2.0));
    // With crossbars that hold something else, every tile is fitted to what it holds.
    let (bases, held, unit) = match &options.written {
        None => (bases.clone(), bases, 1.0),
        Some(written) => written.of_tiles(&bases, config)?,
    };
    let (total, mut done) = (lessons.iter().map(|l| l.target.weight.len()).sum::<usize>().max(1), 0);
    let mut layers: Vec<FittedLayer> = Vec::with_capacity(patches.len());
    for (i, step) in fused.iter().enumerate() {
        let Some(MatrixLayer { name, shape, groups, .. }) = model.graph.matrix_layer(step.node) else { continue };
        let (weight, bias) = (model.parameters.values(&name, "weight"), model.parameters.values(&name, "bias"));
        let raw = i + 1 == fused.len() && step.clip.is_none() && groups == 1;
        let (input, output) = (codes[step.inputs[0]], codes[i + 1]);
        let cut = Subvectors::new(shape.depth(), config.rows());
        let layer_options = options.of_layer(&name);
        for group in 0..groups {
            let kernels = group * shape.kernels..(group + 1) * shape.kernels;
            let patches = &patches[layers.len()];
            let moments = options.weighted.then(|| calibrate::moments(patches, cut));
            let weight = &weight[kernels.start * shape.depth()..kernels.end * shape.depth()];
            let target = Target { weight, depth: shape.depth(), moments: moments.as_deref() };
            let fit = run.fit_layer(&target, &held, options.tiles, layer_options)?;
            done += weight.len();
            let share = done as f64 / total as f64;
            (run.progress)(if learned { 0.5 + share / 2.0 } else { share });
            let mut fitted = FittedLayer {
                name: if groups == 1 { name.clone() } else { format!("{name}-group{group}") },
                shape,
                code: layer_options.code,
                coefficients: fit.coefficients,
                scale: fit.scale.into_iter().map(|scale| scale * unit).collect(),
                bias: kernels.map(|k| bias.get(k).map_or(0.0, |&b| f64::from(b))).collect(),
                groups: fit.groups,
                input,
                output: (!raw).then_some(output),
                range: (!raw).then(|| integer::range(&output, step.clip)),
                gain: 0,
                clipped_share: 0.0,
                weight_signal: fit.signal,
                weight_error: fit.error,
            };
            let problem = GainProblem {
                cut,
                bases: &bases,
                items: &fitted.items(&bases[0]),
                scale: &fitted.scale,
                input,
                adc_bits: config.adc_bits(),
            };
            let gain = problem.choose(patches);
            (fitted.gain, fitted.clipped_share) = (gain.gain, gain.clipped_share);
            layers.push(fitted);
        }
    }
    let shape = model.graph.input_shape();
    let Code { scale, bits, signed } = codes[0];
    let input = Input { shape, bits, signed, scale };
    Ok(Fitted { name: model.graph.name, bases, adc_bits: config.adc_bits(), input, steps, layers })
}

/// Weights of every group of every matrix layer, in the order of the fitted layers.
fn lessons<'a>(model: &'a Model, options: &FitOptions) -> Vec<Lesson<'a>> {
    let layers = model.graph.matrix_layers();
    let lessons = layers.iter().flat_map(|layer| {
        let (weight, depth) = (model.parameters.values(&layer.name, "weight"), layer.shape.depth());
        let options = *options.of_layer(&layer.name);
        let groups = weight.chunks_exact((layer.shape.kernels * depth).max(1)).take(layer.groups);
        groups.map(move |weight| Lesson { target: Target::new(weight, depth), options })
    });
    lessons.collect()
}

/// Maps and schedules a fitted network for the tiles and lanes of `config`. A layer with more kernels than the chip holds at once
/// runs in blocks of kernels.
///
/// # Errors
/// The fit is damaged or for another crossbar, a group of a grouped convolution does not fit the chip's memories, scales exceed the requantize step,
/// or a psum could overflow.
pub fn lower(fitted: &Fitted, config: &ChipConfig, options: ScheduleOptions) -> Result<Compiled, Error> {
    fitted.check()?;
    let basis = &fitted.bases[0];
    let found = (basis.rows, basis.columns, fitted.adc_bits);
    let wanted = (config.rows(), config.columns(), config.adc_bits());
    if found != wanted || fitted.planes() > config.coefficient_planes() {
        let describe = |(rows, columns, adc): (usize, usize, usize), planes| {
            format!("{rows} rows, {columns} columns, {adc}-bit ADC, {planes} coefficient planes")
        };
        return Err(Error::chip(
            format!("network {}", fitted.name),
            format!(
                "fitted for {}; the chip has {}",
                describe(found, fitted.planes()),
                describe(wanted, config.coefficient_planes())
            ),
            "fit the network for this chip",
        ));
    }
    let bases = fitted.bases.len();
    if !config.tiles().is_multiple_of(bases) {
        return Err(Error::chip(
            format!("network {}", fitted.name),
            format!("fitted for {bases} different crossbars, and core.tiles = {}", config.tiles()),
            format!("set core.tiles to a multiple of {bases}, or fit the network with one basis for all crossbars"),
        ));
    }
    let fitted = &*blocks::split(fitted, config)?;
    let mut layers = Vec::with_capacity(fitted.layers.len());
    let mut reports = Vec::with_capacity(fitted.layers.len());
    for layer in &fitted.layers {
        let items = layer.items(basis);
        let Arrangement { tiles, home, schedule, block_positions, cycles } =
            map::arrange(layer, &items, bases, config, options)?;
        let lower_bound = schedule.iter().map(|s| s.lower_bound).sum();
        let lowered = LayerProgram {
            name: layer.name.clone(),
            shape: layer.shape,
            input_bits: layer.input.bits,
            signed: layer.input.signed,
            gain: layer.gain,
            tiles,
            block_positions,
            home,
            slots: schedule.into_iter().map(|s| s.slots).collect(),
            requantize: requantize(layer)?,
        };
        reports.push(layer_report(layer, &lowered, lower_bound, cycles, config));
        layers.push(lowered);
    }
    let program = Program {
        name: fitted.name.clone(),
        geometry: Geometry::from(config),
        basis: fitted.program_bases(config.tiles()),
        input: fitted.input,
        steps: fitted.steps.clone(),
        layers,
    };
    program.check(config)?;
    let sum = |of: fn(&FittedLayer) -> f64| fitted.layers.iter().map(of).sum::<f64>();
    let report = Report {
        network: fitted.name.clone(),
        snr_db: snr_db(sum(|l| l.weight_signal), sum(|l| l.weight_error)),
        slots: reports.iter().map(|r| r.slots).sum(),
        slots_lower_bound: reports.iter().map(|r| r.slots_lower_bound).sum(),
        contest_slots: reports.iter().map(|r| r.contest_slots).sum(),
        cycles: reports.iter().map(|r| r.cycles).sum(),
        layers: reports,
    };
    Ok(Compiled { program, report })
}

fn layer_report(
    layer: &FittedLayer,
    lowered: &LayerProgram,
    slots_lower_bound: usize,
    cycles: u64,
    config: &ChipConfig,
) -> LayerReport {
    let found = Contention::new(lowered, config);
    let slots = || lowered.slots.iter().flatten().flatten();
    LayerReport {
        name: layer.name.clone(),
        snr_db: snr_db(layer.weight_signal, layer.weight_error),
        input: layer.input,
        output: layer.output,
        gain: layer.gain,
        clipped_share: layer.clipped_share,
        coefficient_digits: found.column_use.iter().sum(),
        coefficients_nonzero: layer.nonzeros(),
        coefficients: layer.coefficients.len(),
        items: slots().map(|slot| slot.items.iter().flatten().count()).sum(),
        slots: found.slots,
        slots_lower_bound,
        contest_slots: found.contest_slots(),
        contests: found.contests,
        slots_per_subvector: lowered.slots.iter().map(Vec::len).collect(),
        cycles,
        block_positions: lowered.block_positions,
        blocks: layer.shape.positions().div_ceil(lowered.block_positions),
    }
}
