//! What must hold before a chip runs a program. A program that passes cannot overflow, collide or name what isn't there.

use std::collections::BTreeSet;

use super::{Geometry, LayerProgram, Program, Requantize, StepOp};
use crate::{ChipConfig, ConvShape, Error, Shape, Slot, Window};

/// Largest extent of a shape; keeps every product of shapes far from overflow.
const EXTENT_MAX: usize = 1 << 16;
/// Largest number of values of a layer's input, output or weights.
const VALUES_MAX: usize = 1 << 31;
const NAMES: &str = "names are unique, and have letters, digits, `_`, `-` and `.` only, no `.` in front";
const FIX: &str = "compile the network again; the image is damaged or was written by a faulty tool";

pub(super) fn program(program: &Program, config: &ChipConfig) -> Result<(), Error> {
    let chip = Geometry::from(config);
    if program.geometry != chip {
        return Err(Error::image(
            "geometry",
            format!("compiled for {}, and the chip has {}", describe(&program.geometry), describe(&chip)),
            "compile the network for this chip, or name the chip that it was compiled for",
        ));
    }
    basis(program, config)?;
    if program.layers.is_empty() {
        return Err(Error::image("layers", "there are none", "compile a network with at least one layer"));
    }
    let mut names = BTreeSet::new();
    for layer in &program.layers {
        if !names.insert(&layer.name) || !is_name(&layer.name) {
            return Err(bad(layer, NAMES.into()));
        }
        shape(layer)?;
        if !(1..=config.tiles()).contains(&layer.tiles) {
            return Err(bad(layer, format!("it uses {} of {} tiles", layer.tiles, config.tiles())));
        }
        limits(layer, config)?;
        requantize(&layer.requantize, layer.shape.kernels).map_err(|cause| bad(layer, cause))?;
        slots(layer, &config.using(layer.tiles))?;
    }
    steps(program)
}

/// Whether a layer can be called so: tools name files after layers.
pub fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(allowed)
}

fn describe(g: &Geometry) -> String {
    format!(
        "{} tiles of {} x {} {}-bit cells, {} lanes, {}-bit ADC",
        g.tiles, g.rows, g.columns, g.cell_bits, g.lanes, g.adc_bits
    )
}

fn bad(layer: &LayerProgram, cause: String) -> Error {
    Error::image(format!("layer {}", layer.name), cause, FIX)
}

/// Range of an input integer of a layer.
pub(crate) fn input_range(layer: &LayerProgram) -> (i32, i32) {
    range(layer.input_bits, layer.signed)
}

/// Smallest and largest integer of `bits` bits, 1..8.
pub(super) fn range(bits: usize, signed: bool) -> (i32, i32) {
    let bits = bits.clamp(1, 8);
    if signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
}

fn basis(program: &Program, config: &ChipConfig) -> Result<(), Error> {
    let max = config.level_max();
    let size = config.rows() * config.columns();
    let blocks = program.basis.len();
    let level = |l: &i8| l.unsigned_abs() <= max.unsigned_abs() && (config.cell_bits() > 1 || *l != 0);
    let ok = (blocks == 1 || blocks == config.tiles())
        && program.basis.iter().all(|b| b.len() == size && b.iter().all(level));
    if ok {
        return Ok(());
    }
    Err(Error::image(
        "basis",
        format!(
            "not 1 or {} blocks of {size} levels, each -{max}..{max}{}",
            config.tiles(),
            if config.cell_bits() == 1 { ", without 0" } else { "" }
        ),
        "compile the network for this chip",
    ))
}

/// Names are unique; steps use every layer once, in order; every step can read what it is given.
fn steps(program: &Program) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    let mut next = 0;
    for step in &program.steps {
        let refuse = |cause: &str| Err(Error::image(format!("step {}", step.name), cause, FIX));
        if !names.insert(&step.name) || !is_name(&step.name) {
            return refuse(NAMES);
        }
        if let StepOp::Matrix { first, groups } = step.op {
            if first != next {
                return refuse("steps use the layers in another order");
            }
            next = first.saturating_add(groups);
        }
    }
    if next != program.layers.len() {
        return Err(Error::image("steps", format!("they use {next} of {} layers", program.layers.len()), FIX));
    }
    program.values().map(|_| ())
}

/// Extents of an image and of a window over it: positive and small enough that no product overflows.
pub(super) fn extents(shape: &Shape, w: &Window) -> Result<(), String> {
    let extents = [[shape.channels, shape.height], [shape.width, 1], w.kernel, w.stride, w.dilation];
    let ok = extents.as_flattened().iter().all(|e| (1..=EXTENT_MAX).contains(e))
        && w.padding.iter().all(|p| *p <= EXTENT_MAX)
        && product([shape.channels, shape.height, shape.width]) <= VALUES_MAX;
    if ok { Ok(()) } else { Err(format!("the shape {shape} or the window {w:?} is out of range")) }
}

fn product(extents: [usize; 3]) -> usize {
    extents.iter().fold(1, |p, &e| p.saturating_mul(e))
}

fn shape(layer: &LayerProgram) -> Result<(), Error> {
    let s = &layer.shape;
    if in_range(s) { Ok(()) } else { Err(bad(layer, format!("the shape {s:?} is out of range"))) }
}

/// Whether a layer's shape has positions, and its sizes stay far from overflow.
pub fn in_range(s: &ConvShape) -> bool {
    let input = Shape::new(s.in_channels, s.in_height, s.in_width);
    let [height, width] = s.window.kernel;
    extents(&input, &s.window).is_ok()
        && (1..=EXTENT_MAX).contains(&s.kernels)
        && product([s.in_channels, height, width]) <= VALUES_MAX
        && s.positions() > 0
        && product([s.kernels, s.out_height(), s.out_width()]) <= VALUES_MAX
}

fn limits(layer: &LayerProgram, config: &ChipConfig) -> Result<(), Error> {
    let refuse = |key: &str, limit: usize, need: usize, what: &str| {
        Err(Error::image(
            format!("layer {}", layer.name),
            format!("{what}: {need} needed, the chip has {key} = {limit}"),
            format!("use a chip with {key} of at least {need}"),
        ))
    };
    if layer.input_bits > config.input_bits() {
        return refuse("arithmetic.input_bits", config.input_bits(), layer.input_bits, "input planes");
    }
    let kernels = layer.shape.kernels;
    // A home beyond all limits must not become a size.
    let places = layer.places().max(kernels);
    if places > config.kernels() {
        return refuse("core.kernels", config.kernels(), places, "requantize parameters");
    }
    if !config.has_parameters(layer.tiles, places) {
        let room = config.parameter_words() * config.drain_width();
        let cause = format!(
            "{places} places on {} of {} tiles need {} requantize parameters with the gaps between, and there is room for {room}",
            layer.tiles,
            config.tiles(),
            config.parameter_place(layer.tiles, places - 1) + 1
        );
        return Err(Error::image(
            format!("layer {}", layer.name),
            cause,
            "use more tiles, or a chip with more core.kernels",
        ));
    }
    if layer.block_positions > config.position_block() {
        return refuse("core.position_block", config.position_block(), layer.block_positions, "positions of a block");
    }
    if layer.input_bits == 0 || layer.block_positions == 0 || layer.gain > 7 {
        return Err(bad(
            layer,
            format!(
                "input bits {}, block of {} positions, gain {}",
                layer.input_bits, layer.block_positions, layer.gain
            ),
        ));
    }
    let words = 2 * places.div_ceil(layer.tiles * config.lanes()) * layer.block_positions;
    if words > config.psum_words() {
        return refuse("core.psum_words", config.psum_words(), words, "partial sums of a lane");
    }
    let mut seen = vec![false; places];
    for &q in &layer.home {
        match seen.get_mut(q as usize) {
            Some(s) if !*s => *s = true,
            _ => return Err(bad(layer, format!("home {q} is given twice"))),
        }
    }
    if layer.home.len() != kernels {
        return Err(bad(layer, format!("{} homes for {kernels} kernels", layer.home.len())));
    }
    Ok(())
}

/// Parameters of the requantize step for `channels` channels.
pub(super) fn requantize(r: &Requantize, channels: usize) -> Result<(), String> {
    let int48 = -(1i64 << 47)..1i64 << 47;
    let ok = r.multiplier.len() == channels
        && r.offset.len() == channels
        && r.offset.iter().all(|b| int48.contains(b))
        && (1..=46).contains(&r.shift)
        && r.low <= r.high;
    if ok { Ok(()) } else { Err("requantize parameters are out of range or not one for every kernel".into()) }
}

fn slots(layer: &LayerProgram, config: &ChipConfig) -> Result<(), Error> {
    let cut = layer.subvectors(config.rows());
    if layer.slots.len() != cut.count || layer.slots.iter().any(Vec::is_empty) {
        return Err(bad(layer, format!("{} subvectors with at least one slot each expected", cut.count)));
    }
    // Largest |psum|: every item at the most negative ADC code on every input plane.
    let item_max = ((1i64 << layer.input_bits) - 1) << (config.adc_bits() - 1);
    let mut psum_max = vec![0i64; layer.shape.kernels];
    for (s, subvector) in layer.slots.iter().enumerate() {
        for (i, tiles) in subvector.iter().enumerate() {
            if tiles.len() != config.tiles() {
                return Err(bad(layer, format!("subvector {s}, slot {i}: {} tiles", tiles.len())));
            }
            for (tile, slot) in tiles.iter().enumerate() {
                one_slot(layer, config, tile, slot)
                    .map_err(|e| bad(layer, format!("subvector {s}, slot {i}, tile {tile}: {e}")))?;
                for item in slot.items.iter().flatten() {
                    psum_max[item.kernel] += item_max << item.plane;
                }
            }
        }
    }
    if let Some((kernel, max)) = psum_max.iter().enumerate().find(|(_, m)| **m > i64::from(i32::MAX)) {
        return Err(Error::image(
            format!("layer {}, kernel {kernel}", layer.name),
            format!("the partial sum can reach {max}, and a psum has 32 bits"),
            "use fewer coefficient planes, fewer input bits or fewer ADC bits",
        ));
    }
    if layer.vacancies(config).is_none() {
        return Err(bad(layer, "a place without a kernel has no slot in which its lane could write its psum".into()));
    }
    if let Some(kernel) = psum_max.iter().position(|m| *m == 0) {
        return Err(bad(
            layer,
            format!("kernel {kernel} has no item; one without columns is needed to write its psum"),
        ));
    }
    Ok(())
}

fn one_slot(layer: &LayerProgram, config: &ChipConfig, tile: usize, slot: &Slot) -> Result<(), String> {
    let (tiles, lanes) = (config.tiles(), config.lanes());
    if slot.items.len() != lanes || slot.switches.len() != config.columns() {
        return Err(format!("{} lanes and {} columns", slot.items.len(), slot.switches.len()));
    }
    let home = |kernel: usize| (layer.home[kernel] as usize % tiles, layer.home[kernel] as usize / tiles % lanes);
    for (lane, item) in slot.items.iter().enumerate() {
        let Some(item) = item else { continue };
        if item.kernel >= layer.shape.kernels || item.plane >= config.coefficient_planes() {
            return Err(format!("lane {lane} names kernel {} and plane {}", item.kernel, item.plane));
        }
        let (home_tile, home_lane) = home(item.kernel);
        let merged = lane != home_lane;
        if home_tile != tile || merged && lane != (home_lane + 1) % lanes {
            return Err(format!(
                "lane {lane} runs kernel {}, whose home is tile {home_tile}, lane {home_lane}",
                item.kernel
            ));
        }
        if merged && slot.items[home_lane].is_none_or(|i| i.kernel != item.kernel) {
            return Err(format!(
                "lane {lane} merges into lane {home_lane}, which runs no item of kernel {}",
                item.kernel
            ));
        }
    }
    for (column, switch) in slot.switches.iter().enumerate() {
        let lane = usize::from(switch.unsigned_abs());
        if lane > 0 && slot.items.get(lane - 1).is_none_or(|i| i.is_none()) {
            return Err(format!("column {column} is on lane {}, which has no item", lane - 1));
        }
    }
    Ok(())
}
