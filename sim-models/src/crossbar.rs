//! The ideal RRAM macro: cells, switches, lane sums and ADC.

use basisn_arch::Geometry;

use crate::arithmetic::adc_code;

/// Lanes that are summed together: one or two vector registers.
const GROUP: usize = 8;
/// Rows whose sums are looked up together.
const ROWS: usize = 4;

/// Sums over four rows for each of their 16 wordline patterns, for a group of lanes.
type Table = [[i32; GROUP]; 1 << ROWS];

/// A crossbar with its switches and ADCs, without any non-ideality.
///
/// The switches of a slot stay for many reads, so [`IdealMacro::set_switches`] tabulates the sums of every four rows once, and a
/// read adds one entry of each table.
#[derive(Clone, Debug)]
pub struct IdealMacro {
    rows: usize,
    columns: usize,
    lanes: usize,
    adc_bits: usize,
    cell_bits: usize,
    level_max: i32,
    /// `levels[column * rows + row]`
    levels: Vec<i8>,
    switches: Vec<i8>,
    /// `tables[lane / GROUP * rows.div_ceil(ROWS) + row / ROWS][pattern][lane % GROUP]`; bit k of the pattern is row `k` of the four.
    tables: Vec<Table>,
    /// `combined[lane * rows + row]`: sum of the row's cells on the lane's columns, with polarity.
    combined: Vec<i16>,
}

impl IdealMacro {
    /// A macro whose cells are unwritten (level 0) and whose columns are open; takes `&ChipConfig` or a [`Geometry`].
    pub fn new(geometry: impl Into<Geometry>) -> Self {
        let g = geometry.into();
        IdealMacro {
            rows: g.rows,
            columns: g.columns,
            lanes: g.lanes,
            adc_bits: g.adc_bits,
            cell_bits: g.cell_bits,
            level_max: g.level_max(),
            levels: vec![0; g.rows * g.columns],
            switches: vec![0; g.columns],
            tables: vec![[[0; GROUP]; 1 << ROWS]; g.lanes.div_ceil(GROUP) * g.rows.div_ceil(ROWS)],
            combined: vec![0; g.lanes * g.rows],
        }
    }

    /// Writes a cell. A level out of range becomes the nearest that a cell can hold; a cell that isn't there stays so.
    pub fn program(&mut self, row: usize, column: usize, level: i32) {
        if row >= self.rows || column >= self.columns {
            return;
        }
        let level = level.clamp(-self.level_max, self.level_max);
        let cell = &mut self.levels[column * self.rows + row];
        let change = level - i32::from(*cell);
        *cell = level as i8;
        if let Some((lane, sign)) = connection(self.switches[column], self.lanes) {
            let table = &mut self.tables[lane / GROUP * self.rows.div_ceil(ROWS) + row / ROWS];
            for (pattern, sums) in table.iter_mut().enumerate() {
                if pattern >> (row % ROWS) & 1 == 1 {
                    sums[lane % GROUP] += sign * change;
                }
            }
        }
    }

    /// Writes all cells from row-major levels.
    pub fn program_all(&mut self, levels: &[i8]) {
        for (cell, &level) in levels.iter().enumerate() {
            self.program(cell / self.columns, cell % self.columns, i32::from(level));
        }
    }

    /// Sets the switches: for every column 0 (open) or `lane + 1`, negated for negative polarity, as in
    /// [`basisn_arch::Slot::switches`]. Columns that are not given or name no lane are open.
    pub fn set_switches(&mut self, switches: &[i8]) {
        self.switches.fill(0);
        for (own, given) in self.switches.iter_mut().zip(switches) {
            *own = *given;
        }
        self.combine();
        self.tabulate();
    }

    /// Sums of the levels on each lane, `[lane * rows + row]`, for a setting of the switches that need not be the present one.
    pub fn lane_rows(&self, switches: &[i8]) -> Vec<i32> {
        let mut sums = vec![0; self.lanes * self.rows];
        for (&switch, levels) in switches.iter().zip(self.levels.chunks_exact(self.rows)) {
            let Some((lane, sign)) = connection(switch, self.lanes) else { continue };
            let sums = &mut sums[lane * self.rows..(lane + 1) * self.rows];
            sums.iter_mut().zip(levels).for_each(|(sum, &level)| *sum += sign * i32::from(level));
        }
        sums
    }

    /// Adds up the columns of each lane. A sum of 512 levels of at most 15 fits.
    fn combine(&mut self) {
        self.combined.fill(0);
        for (&switch, levels) in self.switches.iter().zip(self.levels.chunks_exact(self.rows)) {
            let Some((lane, sign)) = connection(switch, self.lanes) else { continue };
            let sums = &mut self.combined[lane * self.rows..(lane + 1) * self.rows];
            if sign > 0 {
                sums.iter_mut().zip(levels).for_each(|(sum, &level)| *sum += i16::from(level));
            } else {
                sums.iter_mut().zip(levels).for_each(|(sum, &level)| *sum -= i16::from(level));
            }
        }
    }

    fn tabulate(&mut self) {
        let groups = self.tables.chunks_exact_mut(self.rows.div_ceil(ROWS));
        for (tables, lanes) in groups.zip(self.combined.chunks(GROUP * self.rows)) {
            for (four, table) in tables.iter_mut().enumerate() {
                let mut rows = [[0; GROUP]; ROWS];
                for (lane, sums) in lanes.chunks_exact(self.rows).enumerate() {
                    for (row, &sum) in rows.iter_mut().zip(&sums[four * ROWS..]) {
                        row[lane] = i32::from(sum);
                    }
                }
                for pattern in 1..table.len() {
                    let (others, row) = (table[pattern & (pattern - 1)], rows[pattern.trailing_zeros() as usize]);
                    table[pattern] = std::array::from_fn(|lane| others[lane] + row[lane]);
                }
            }
        }
    }

    /// Lane sums `z = sum over the lane's columns of +-(x . V[:, c])`, one for each lane; bit `r % 64` of word `r / 64` of
    /// `wordlines` is row r.
    pub fn lane_sums(&self, wordlines: &[u64], sums: &mut [i32]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: this processor has AVX2.
            unsafe { self.add_entries_avx2(wordlines, sums) };
            return;
        }
        self.add_entries(wordlines, sums);
    }

    /// The same text compiled for AVX2, where an entry is one register.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn add_entries_avx2(&self, wordlines: &[u64], sums: &mut [i32]) {
        self.add_entries(wordlines, sums);
    }

    #[inline(always)]
    fn add_entries(&self, wordlines: &[u64], sums: &mut [i32]) {
        let groups = self.tables.chunks_exact(self.rows.div_ceil(ROWS));
        for (tables, sums) in groups.zip(sums.chunks_mut(GROUP)) {
            let mut totals = [0i32; GROUP];
            for (&word, tables) in wordlines.iter().zip(tables.chunks(64 / ROWS)) {
                let mut rest = word;
                for table in tables {
                    let entry = &table[(rest & 0xf) as usize];
                    rest >>= ROWS;
                    for (total, sum) in totals.iter_mut().zip(entry) {
                        *total += sum;
                    }
                }
            }
            for (sum, total) in sums.iter_mut().zip(totals) {
                *sum = total;
            }
        }
    }

    /// One read: the ADC code of every lane.
    pub fn read(&self, wordlines: &[u64], gain: u32, codes: &mut [i32]) {
        self.lane_sums(wordlines, codes);
        for code in codes.iter_mut().take(self.lanes) {
            *code = adc_code(*code, gain, self.adc_bits);
        }
    }

    /// Level of a cell; 0 for one that isn't there.
    pub fn level(&self, row: usize, column: usize) -> i32 {
        let there = row < self.rows && column < self.columns;
        if there { self.levels[column * self.rows + row].into() } else { 0 }
    }

    /// The geometry, of one tile.
    pub fn geometry(&self) -> Geometry {
        Geometry {
            tiles: 1,
            rows: self.rows,
            columns: self.columns,
            cell_bits: self.cell_bits,
            lanes: self.lanes,
            adc_bits: self.adc_bits,
        }
    }

    /// Lanes L.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Columns C.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Rows R.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bits of an ADC code.
    pub fn adc_bits(&self) -> usize {
        self.adc_bits
    }
}

/// Lane and sign of a column, `None` if it is open.
fn connection(switch: i8, lanes: usize) -> Option<(usize, i32)> {
    let lane = usize::from(switch.unsigned_abs()).checked_sub(1)?;
    (lane < lanes).then_some((lane, i32::from(switch.signum())))
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::random::{generator, seed};

    #[test]
    fn reads_equal_the_definition_for_all_cell_bits() {
        let seed = seed();
        println!("BASISN_SEED={seed}");
        let mut rng = generator(seed);
        let (mut low, mut high) = (0, 0);
        for cell_bits in 1..=5 {
            for (rows, columns, lanes, adc_bits) in
                [(16, 16, 4, 8), (24, 10, 1, 4), (130, 33, 19, 9), (256, 512, 64, 12)]
            {
                let g = Geometry { tiles: 1, rows, columns, cell_bits, lanes, adc_bits };
                let max = if cell_bits == 1 { 1i32 } else { (1 << (cell_bits - 1)) - 1 };
                let mut crossbar = IdealMacro::new(g);
                let mut levels = vec![0; rows * columns];
                let mut switches = vec![0i8; columns];
                for read in 0..6 {
                    // Cells are written before and after the switches are set.
                    for _ in 0..rows * columns {
                        let cell = rng.random_range(0..rows * columns);
                        // Some columns are uniform, so that sums reach the rails.
                        let level = if cell % columns % 4 == 0 { max } else { rng.random_range(-max..=max) };
                        levels[cell] = level;
                        crossbar.program(cell / columns, cell % columns, level);
                    }
                    if read % 2 == 0 {
                        let lane = lanes as i8;
                        switches.fill_with(|| rng.random_range(-lane..=lane));
                        crossbar.set_switches(&switches);
                    }
                    let wordlines: Vec<u64> = (0..rows.div_ceil(64)).map(|_| rng.random()).collect();
                    let gain = if read < 3 { 0 } else { rng.random_range(0..8) };
                    let mut codes = vec![0; lanes];
                    crossbar.read(&wordlines, gain, &mut codes);
                    for (lane, &code) in codes.iter().enumerate() {
                        let mut z = 0;
                        for column in 0..columns {
                            if usize::from(switches[column].unsigned_abs()) != lane + 1 {
                                continue;
                            }
                            let dot: i32 = (0..rows)
                                .filter(|r| wordlines[r / 64] >> (r % 64) & 1 == 1)
                                .map(|r| levels[r * columns + column])
                                .sum();
                            z += i32::from(switches[column].signum()) * dot;
                        }
                        assert_eq!(code, adc_code(z, gain, adc_bits), "lane {lane} of {g:?}");
                        low += usize::from(code == -(1 << (adc_bits - 1)));
                        high += usize::from(code == (1 << (adc_bits - 1)) - 1);
                    }
                }
            }
        }
        assert!(low > 0 && high > 0, "both rails are met: {low} {high}");
    }

    #[test]
    fn what_is_not_there_is_ignored() {
        let g = Geometry { tiles: 1, rows: 10, columns: 9, cell_bits: 3, lanes: 3, adc_bits: 8 };
        let mut crossbar = IdealMacro::new(g);
        crossbar.program(10, 0, 1);
        crossbar.program(0, 9, 1);
        crossbar.program(2, 0, -100);
        crossbar.set_switches(&[-1, 4, 100]);
        let mut codes = [9; 3];
        crossbar.read(&[u64::MAX, u64::MAX], 0, &mut codes);
        assert_eq!(codes, [3, 0, 0]);
    }
}
