//! The exact solver of wire resistance: Kirchhoff's current law at every node of the crossbar.
//!
//! Every cell sits between a node of its wordline and a node of its bitline. Wordlines are driven at their first bitline, bitlines end
//! below their last row in the virtual ground of a lane, or nowhere if the column is open. Unselected wordlines are held at 0 V, so the
//! network is linear in its sources: a lane's current is a weighted sum of the wordline voltages, whatever the wires.
//!
//! The network is that of Chen, A comprehensive crossbar array model with solutions for line resistance, IEEE Trans. Electron Devices 60 (2013),
//! with linear cells. The matrix is symmetric and positive definite; conjugate gradients solve it, preconditioned by all wordlines and bitlines taken
//! alone (tridiagonal, solved exactly), which leaves only the weak coupling through the cells.

/// Ohms below which a wire counts as this, so that an ideal wire is a number.
const LEAST_OHM: f64 = 1e-6;

/// A crossbar as a resistor network.
#[derive(Clone, Debug)]
pub struct Network {
    /// Rows.
    pub rows: usize,
    /// Bitlines: two for each column of a differential crossbar.
    pub bitlines: usize,
    /// Conductances in uS, `[row * bitlines + bitline]`.
    pub g_us: Vec<f64>,
    /// Bitlines that end in a virtual ground.
    pub connected: Vec<bool>,
    /// Resistance of the wordline from one bitline to the next.
    pub wordline_ohm: f64,
    /// Resistance of the bitline from one row to the next.
    pub bitline_ohm: f64,
    /// Resistance of a wordline's driver, before the first piece of wire.
    pub driver_ohm: f64,
    /// Resistance of a switch, after the last piece of wire.
    pub switch_ohm: f64,
}

/// Currents in uA for sources in V.
#[derive(Clone, Debug)]
pub struct Currents {
    /// Out of every driver.
    pub rows: Vec<f64>,
    /// Into every bitline's end; 0 for open ones.
    pub bitlines: Vec<f64>,
}

/// A tridiagonal matrix with constant off-diagonal, factored.
struct Line {
    /// Reciprocal pivots.
    pivots: Vec<f64>,
    off: f64,
}

impl Line {
    fn new(diagonal: &[f64], off: f64) -> Self {
        let mut pivots = Vec::with_capacity(diagonal.len());
        let mut last = 0.0;
        for d in diagonal {
            last = 1.0 / (d - off * off * last);
            pivots.push(last);
        }
        Line { pivots, off }
    }

    fn solve(&self, x: &mut [f64]) {
        for i in 1..x.len() {
            x[i] -= self.off * x[i - 1] * self.pivots[i - 1];
        }
        let mut after = 0.0;
        for (x, pivot) in x.iter_mut().zip(&self.pivots).rev() {
            *x = (*x - self.off * after) * pivot;
            after = *x;
        }
    }
}

/// Diagonal of a line: loads, its wire to both sides, and what holds one end.
fn diagonal(loads: impl Iterator<Item = f64>, count: usize, wire: f64, first: f64, last: f64) -> Vec<f64> {
    let sides = |i: usize| wire * f64::from(u8::from(i > 0) + u8::from(i + 1 < count));
    let end = |i: usize| if i == 0 { first } else { 0.0 } + if i + 1 == count { last } else { 0.0 };
    // A floating node without cells needs something to stand on.
    loads.enumerate().map(|(i, g)| g + sides(i) + end(i) + 1e-12).collect()
}

impl Network {
    /// Conductances in uS: wordline, bitline, driver with its wire, switch with its wire.
    fn wires_us(&self) -> [f64; 4] {
        let us = |ohm: f64| 1e6 / ohm.max(LEAST_OHM);
        [
            us(self.wordline_ohm),
            us(self.bitline_ohm),
            us(self.driver_ohm + self.wordline_ohm),
            us(self.switch_ohm + self.bitline_ohm),
        ]
    }

    fn switch_us(&self, bitline: usize) -> f64 {
        if self.connected[bitline] { self.wires_us()[3] } else { 0.0 }
    }

    /// Every wordline alone, all bitlines at 0 V; bitlines that are not in `loads` load nothing.
    fn wordline(&self, row: usize, loads: &[bool]) -> Line {
        let [wire, _, driver, _] = self.wires_us();
        let g = &self.g_us[row * self.bitlines..(row + 1) * self.bitlines];
        let loads = g.iter().zip(loads).map(|(&g, &on)| if on { g } else { 0.0 });
        Line::new(&diagonal(loads, self.bitlines, wire, driver, 0.0), -wire)
    }

    fn bitline(&self, bitline: usize, switch_us: f64) -> Line {
        let wire = self.wires_us()[1];
        let loads = (0..self.rows).map(|row| self.g_us[row * self.bitlines + bitline]);
        Line::new(&diagonal(loads, self.rows, wire, 0.0, switch_us), -wire)
    }

    /// Voltages along a wordline driven with 1 V, bitlines at 0 V where `loads`, open elsewhere.
    pub fn wordline_alone(&self, row: usize, loads: &[bool]) -> Vec<f64> {
        let mut v = vec![0.0; self.bitlines];
        v[0] = self.wires_us()[2];
        self.wordline(row, loads).solve(&mut v);
        v
    }

    /// Voltages along a bitline whose end is at 1 V, all wordlines at 0 V.
    pub fn bitline_alone(&self, bitline: usize) -> Vec<f64> {
        let switch = self.wires_us()[3];
        let mut v = vec![0.0; self.rows];
        v[self.rows - 1] = switch;
        self.bitline(bitline, switch).solve(&mut v);
        v
    }

    /// All currents, with drivers at `rows_v` and the ends of connected bitlines at `ends_v`; in uA.
    pub fn solve(&self, rows_v: &[f64], ends_v: &[f64]) -> Currents {
        let (r, b) = (self.rows, self.bitlines);
        let [_, _, driver, _] = self.wires_us();
        let all = vec![true; b];
        let wordlines: Vec<_> = (0..r).map(|row| self.wordline(row, &all)).collect();
        let bitlines: Vec<_> = (0..b).map(|bitline| self.bitline(bitline, self.switch_us(bitline))).collect();
        let precondition = |x: &[f64]| {
            let mut y = x.to_vec();
            let (words, bits) = y.split_at_mut(r * b);
            wordlines.iter().zip(words.chunks_exact_mut(b)).for_each(|(line, x)| line.solve(x));
            bitlines.iter().zip(bits.chunks_exact_mut(r)).for_each(|(line, x)| line.solve(x));
            y
        };
        let mut residual = vec![0.0; 2 * r * b];
        for (row, v) in rows_v.iter().enumerate() {
            residual[row * b] = driver * v;
        }
        for (bitline, v) in ends_v.iter().enumerate() {
            residual[r * b + bitline * r + r - 1] = self.switch_us(bitline) * v;
        }
        let mut x = vec![0.0; 2 * r * b];
        let mut z = precondition(&residual);
        let mut direction = z.clone();
        let mut energy = dot(&residual, &z);
        let goal = energy * 1e-26;
        for _ in 0..10 * (r + b) {
            if energy <= goal {
                break;
            }
            let product = self.multiply(&direction);
            let step = energy / dot(&direction, &product);
            x.iter_mut().zip(&direction).for_each(|(x, d)| *x += step * d);
            residual.iter_mut().zip(&product).for_each(|(r, p)| *r -= step * p);
            z = precondition(&residual);
            let next = dot(&residual, &z);
            direction.iter_mut().zip(&z).for_each(|(d, z)| *d = z + next / energy * *d);
            energy = next;
        }
        Currents {
            rows: rows_v.iter().enumerate().map(|(row, v)| driver * (v - x[row * b])).collect(),
            bitlines: (0..b).map(|c| self.switch_us(c) * (x[r * b + c * r + r - 1] - ends_v[c])).collect(),
        }
    }

    /// Kirchhoff's current law: the current out of every node at these voltages, sources at 0 V.
    fn multiply(&self, x: &[f64]) -> Vec<f64> {
        let (r, b) = (self.rows, self.bitlines);
        let [wordline, bitline, driver, _] = self.wires_us();
        let mut y = vec![0.0; x.len()];
        let (words, bits) = x.split_at(r * b);
        for (row, u) in words.chunks_exact(b).enumerate() {
            for c in 0..b {
                let (at, below) = (row * b + c, c * r + row);
                let current = self.g_us[at] * (u[c] - bits[below]);
                y[at] += current + 1e-12 * u[c];
                y[r * b + below] += 1e-12 * bits[below] - current;
                if c + 1 < b {
                    let wire = wordline * (u[c] - u[c + 1]);
                    y[at] += wire;
                    y[at + 1] -= wire;
                }
                if row + 1 < r {
                    let wire = bitline * (bits[below] - bits[below + 1]);
                    y[r * b + below] += wire;
                    y[r * b + below + 1] -= wire;
                }
            }
            y[row * b] += driver * u[0];
        }
        for c in 0..b {
            let end = c * r + r - 1;
            y[r * b + end] += self.switch_us(c) * bits[end];
        }
        y
    }

    /// Current of every bitline for each volt on each wordline without any wire resistance, the limit of wide wires, in uA.
    pub fn ideal(&self, rows_v: &[f64]) -> Vec<f64> {
        let sum =
            |c: usize| rows_v.iter().enumerate().map(|(row, v)| v * self.g_us[row * self.bitlines + c]).sum::<f64>();
        (0..self.bitlines).map(|c| if self.connected[c] { sum(c) } else { 0.0 }).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
