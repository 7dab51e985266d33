//! Wire resistance in the lane rows: the fast approximation, or the exact solver.
//!
//! With unselected wordlines at 0 V the crossbar is a linear network, so a lane's current is a weighted sum of the active rows, and the
//! weights are all that wire resistance changes.
//!
//! *Fast*: every cell counts `G p q`, where p is the voltage that reaches it along its wordline when all connected bitlines are at
//! 0 V, and q the share of its current that reaches the end of its bitline when all wordlines are held; each is one tridiagonal solve. What is left out is
//! the coupling of wordlines through bitlines. `sim-models/tests/ir_drop.rs` holds its error against the exact solver.
//!
//! *Exact*: by reciprocity the currents in the wordlines' drivers with a lane's bitlines at +-1 V are the weights of its rows.

use basisn_arch::Geometry;

use super::cell::{Cells, fixed_sum};
use super::config::Encoding;
use super::lanes::connection;
use super::nodal::Network;

/// The bitlines of a tile, and what of them does not depend on the switches.
#[derive(Clone, Debug)]
pub struct Bitlines {
    network: Network,
    /// Share of a cell's current that reaches the end of its bitline, `[bitline * rows + row]`; empty if the solver is exact.
    reach: Vec<f64>,
    encoding: Encoding,
    level_us: f64,
}

impl Bitlines {
    /// The network of written cells; `None` if no wire has any resistance.
    pub fn new(cells: &Cells, geometry: &Geometry) -> Option<Self> {
        let (w, encoding) = (&cells.model().wires, cells.model().cell.encoding);
        if w.wordline_ohm == 0.0 && w.bitline_ohm == 0.0 && w.driver_ohm == 0.0 && w.switch_ohm == 0.0 {
            return None;
        }
        let (rows, columns) = (geometry.rows, geometry.columns);
        let mut g_us = Vec::new();
        for row in 0..rows {
            match encoding {
                Encoding::Differential => g_us.extend((0..columns).flat_map(|column| cells.pair_us(row, column))),
                Encoding::OffsetColumn => {
                    g_us.extend((0..columns).map(|column| cells.pair_us(row, column)[0]));
                    g_us.push(cells.pair_us(row, 0)[1]);
                }
            }
        }
        let bitlines = g_us.len() / rows;
        let network = Network {
            rows,
            bitlines,
            g_us,
            connected: vec![true; bitlines],
            wordline_ohm: w.wordline_ohm,
            bitline_ohm: w.bitline_ohm,
            driver_ohm: w.driver_ohm,
            switch_ohm: w.switch_ohm,
        };
        let reach = if w.exact { Vec::new() } else { (0..bitlines).flat_map(|b| network.bitline_alone(b)).collect() };
        Some(Bitlines { network, reach, encoding, level_us: cells.level_us() })
    }

    /// Bitlines of a column: what is added, what is subtracted.
    fn pair(&self, column: usize) -> [usize; 2] {
        match self.encoding {
            Encoding::Differential => [2 * column, 2 * column + 1],
            Encoding::OffsetColumn => [column, self.network.bitlines - 1],
        }
    }

    /// Weights of every lane's rows, `[lane * rows + row]` in 2^-8 level, for a setting of the switches.
    pub fn weights(&self, switches: &[i8], lanes: usize) -> Vec<i32> {
        let (rows, bitlines) = (self.network.rows, self.network.bitlines);
        let mut connected = vec![false; bitlines];
        // How often each lane adds each bitline.
        let mut counts = vec![0.0; lanes * bitlines];
        for (column, &switch) in switches.iter().enumerate() {
            let Some((lane, sign)) = connection(switch, lanes) else { continue };
            let [plus, minus] = self.pair(column);
            (connected[plus], connected[minus]) = (true, true);
            counts[lane * bitlines + plus] += f64::from(sign);
            counts[lane * bitlines + minus] -= f64::from(sign);
        }
        let mut sums = vec![0.0; lanes * rows];
        if self.reach.is_empty() {
            let network = Network { connected, ..self.network.clone() };
            for (counts, sums) in counts.chunks_exact(bitlines).zip(sums.chunks_exact_mut(rows)) {
                if counts.iter().any(|&c| c != 0.0) {
                    let currents = network.solve(&vec![0.0; rows], counts).rows;
                    sums.iter_mut().zip(currents).for_each(|(sum, current)| *sum = -current);
                }
            }
        } else {
            for row in 0..rows {
                let voltage = self.network.wordline_alone(row, &connected);
                let current =
                    |b: usize| voltage[b] * self.network.g_us[row * bitlines + b] * self.reach[b * rows + row];
                let currents: Vec<f64> = (0..bitlines).map(current).collect();
                for (lane, counts) in counts.chunks_exact(bitlines).enumerate() {
                    sums[lane * rows + row] =
                        counts.iter().zip(&currents).map(|(count, current)| count * current).sum();
                }
            }
        }
        sums.into_iter().map(|us| fixed_sum(us / self.level_us)).collect()
    }
}
