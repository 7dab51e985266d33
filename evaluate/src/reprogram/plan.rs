//! Which tiles stay, how often a layer is replicated, and how large a round is: the plan with the shortest time of a few hundred.

use super::Options;
use super::schedule::{Limits, Phase, Time, play};

/// One matrix, as far as a plan is concerned; times are those of a whole batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matrix {
    /// Crossbars that one copy takes, in parts where columns are packed.
    pub crossbars: f64,
    /// A part of it takes whole crossbars.
    pub whole: bool,
    /// Positions of the batch.
    pub positions: usize,
    /// Time of one position on one copy.
    pub position_ns: f64,
    /// Time to write one of its crossbars.
    pub write_ns: f64,
    /// Time for the registers of a phase.
    pub setup_ns: f64,
    /// Time of the work on single values after it.
    pub elementwise_ns: f64,
    /// Cells of one copy.
    pub cells: f64,
    /// Bits of its weights that stream in from off-chip.
    pub bits: f64,
    /// Bits of its weights.
    pub stored_bits: f64,
    /// Bits of activations that pass the edge of the chip.
    pub spill_bits: f64,
}

/// A plan and what comes of it, for a whole batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Plan {
    /// Its time.
    pub time: Time,
    /// Crossbars written.
    pub written: f64,
    /// Cells of the tiles that are written, unchanged ones included.
    pub written_cells: f64,
    /// Weight bits that stream in.
    pub written_bits: f64,
    /// Crossbars whose contents stay.
    pub kept: f64,
    /// Copies of what is written.
    pub copies: f64,
}

/// Shares of the crossbars that take turns, largest part of them for one round, and weights of writing against computing.
const ROTATING: [f64; 4] = [1.0, 0.75, 0.5, 0.25];
const ROUND: [f64; 3] = [1.0, 0.5, 0.25];
const PATIENCE: [f64; 6] = [0.0, 1.0 / 16.0, 0.25, 1.0, 4.0, f64::INFINITY];

/// The fastest plan.
pub fn best(matrices: &[Matrix], crossbars: f64, options: &Options, at_once: f64, bits_per_ns: f64) -> Plan {
    let total: f64 = matrices.iter().map(|m| m.crossbars).sum();
    if total <= crossbars {
        return all_fits(matrices, crossbars, options, bits_per_ns);
    }
    let one = |allowed: bool, all: &'static [f64], only: &'static [f64]| if allowed { all } else { only };
    let concessions = &options.concessions;
    let mut best: Option<Plan> = None;
    for &rotating in one(concessions.keep_tiles, &ROTATING, &[1.0]) {
        let rotating = (rotating * crossbars).ceil().max(1.0);
        for &round in one(concessions.overlap, &ROUND, &[1.0]) {
            let round = (round * rotating).ceil().max(1.0);
            for &patience in one(concessions.replicate, &PATIENCE, &[f64::INFINITY]) {
                let limits = Limits { crossbars: rotating, at_once, bits_per_ns, overlap: concessions.overlap };
                let plan = try_plan(matrices, crossbars - rotating, round, patience, &limits);
                if best.is_none_or(|b| plan.time.period_ns < b.time.period_ns) {
                    best = Some(plan);
                }
            }
        }
    }
    best.unwrap_or_default()
}

/// Time to compute on `copies` copies.
fn compute_ns(m: &Matrix, copies: f64, bits_per_ns: f64) -> f64 {
    ((m.positions as f64 / copies).ceil() * m.position_ns).max(m.spill_bits / bits_per_ns) + m.setup_ns
}

/// Copies with which computing and `patience` times writing together take least.
fn copies(m: &Matrix, limit: f64, crossbars: f64, patience: f64) -> f64 {
    let most = (limit / m.crossbars).floor().min(m.positions as f64).max(1.0);
    let compute = m.positions as f64 * m.position_ns;
    // compute / copies + copies * crossbars of one copy / all crossbars * writing
    let writing = patience * m.write_ns * m.crossbars / crossbars;
    if m.write_ns == 0.0 || writing == 0.0 { most } else { (compute / writing).sqrt().floor().clamp(1.0, most) }
}

fn try_plan(matrices: &[Matrix], keep: f64, round: f64, patience: f64, limits: &Limits) -> Plan {
    let mut plan = Plan { kept: keep, ..Plan::default() };
    let mut left = keep;
    let mut phases = Vec::with_capacity(matrices.len());
    let mut once = 0.0;
    // From the last layer: it has the most weights and the fewest positions, so it gains least from copies.
    for m in matrices.iter().rev() {
        let parts = (m.crossbars / round).ceil().max(1.0);
        let mut size = m.crossbars / parts;
        if m.whole {
            size = size.ceil();
        }
        let bits = m.bits / parts;
        for part in 0..parts as usize {
            let stays = left.min(size);
            left -= stays;
            // What is in parts, or partly there already, has one copy.
            let alone = parts > 1.0 || stays > 0.0;
            let n = if alone { 1.0 } else { copies(m, round, limits.crossbars, patience) };
            let share = (size - stays) / size;
            // Phases are made from the last: the first of a matrix is followed by the work on its results.
            let after = if part == 0 { m.elementwise_ns } else { 0.0 };
            phases.push(Phase {
                crossbars: n * size * share,
                write_ns: m.write_ns,
                bits: bits * share,
                compute_ns: compute_ns(m, n, limits.bits_per_ns) + after,
            });
            once += size * share;
            plan.written += n * size * share;
            plan.written_cells += n * m.cells / parts * share;
            plan.written_bits += m.stored_bits / parts * share;
        }
    }
    phases.reverse();
    plan.copies = plan.written / once.max(f64::MIN_POSITIVE);
    plan.time = play(&phases, limits);
    plan
}

/// Every weight has a place: nothing is written, and what is left over holds copies.
fn all_fits(matrices: &[Matrix], crossbars: f64, options: &Options, bits_per_ns: f64) -> Plan {
    let compute = |m: &Matrix| m.positions as f64 * m.position_ns;
    let with = |price: f64, m: &Matrix| {
        let most = (m.positions as f64).max(1.0);
        (compute(m) / (price * m.crossbars)).sqrt().floor().clamp(1.0, most)
    };
    let taken = |price: f64| matrices.iter().map(|m| with(price, m) * m.crossbars).sum::<f64>();
    let (mut low, mut high) = (1e-12f64, 1e18f64);
    for _ in 0..100 {
        let middle = (low * high).sqrt();
        if taken(middle) <= crossbars { high = middle } else { low = middle }
    }
    let price = if options.concessions.replicate { high } else { f64::INFINITY };
    let period_ns = matrices.iter().map(|m| compute_ns(m, with(price, m), bits_per_ns) + m.elementwise_ns).sum();
    let used: f64 = matrices.iter().map(|m| with(price, m) * m.crossbars).sum();
    let once: f64 = matrices.iter().map(|m| m.crossbars).sum();
    Plan { time: Time { period_ns, compute_ns: period_ns }, kept: used, copies: used / once, ..Plan::default() }
}
