//! A chip in real time: the configuration counts clock cycles, the constants give the nanoseconds of a read.

use basisn_arch::ChipConfig;

use crate::{Error, Values};

/// A chip with the period of its clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Chip {
    /// Its configuration.
    pub config: ChipConfig,
    /// Period of the clock: the read cycle of the crossbars over the read interval.
    pub clock_ns: f64,
}

impl Chip {
    /// A chip whose crossbars take one read in the read cycle of `values`.
    pub fn new(config: &ChipConfig, values: &Values) -> Self {
        Chip { config: config.clone(), clock_ns: values.read_cycle_ns / config.read_interval_cycles() as f64 }
    }

    /// The same clock with crossbars of another read cycle; where the configuration cannot count that many clock cycles, or a
    /// read would be shorter than one, the clock changes.
    ///
    /// # Errors
    /// None in the ranges of a configuration.
    pub fn with_read_cycle(&self, read_cycle_ns: f64) -> Result<Self, Error> {
        let wanted = (read_cycle_ns / self.clock_ns).round();
        let interval = wanted.clamp(1.0, 64.0) as usize;
        let after = self.config.read_latency_cycles().saturating_sub(self.config.read_interval_cycles());
        let change = |config: ChipConfig, key, value| config.with(key, value).map_err(|e| Error::from_arch(&e));
        let config = change(self.config.clone(), "crossbar.read_interval_cycles", interval)?;
        let config = change(config, "crossbar.read_latency_cycles", (interval + after).clamp(1, 64))?;
        let clock_ns = if wanted == interval as f64 { self.clock_ns } else { read_cycle_ns / interval as f64 };
        Ok(Chip { config, clock_ns })
    }

    /// The same tiles in more or fewer cores: `crossbars` in all.
    ///
    /// # Errors
    /// They do not fill whole cores, or there are more cores than a chip can have.
    pub fn with_crossbars(&self, crossbars: usize) -> Result<Self, Error> {
        let tiles = self.config.tiles().min(crossbars.max(1));
        if crossbars == 0 || !crossbars.is_multiple_of(tiles) {
            return Err(Error::workload(
                format!("{crossbars} crossbars"),
                format!("a core has {tiles} tiles, and cores are whole"),
                format!("give a multiple of {tiles}"),
            ));
        }
        let config = self.config.with("core.tiles", tiles).and_then(|c| c.with("chip.cores", crossbars / tiles));
        Ok(Chip { config: config.map_err(|e| Error::from_arch(&e))?, clock_ns: self.clock_ns })
    }

    /// A chip with one key of the configuration changed.
    ///
    /// # Errors
    /// The configuration refuses it.
    pub fn with(&self, key: &str, value: usize) -> Result<Self, Error> {
        Ok(Chip { config: self.config.with(key, value).map_err(|e| Error::from_arch(&e))?, clock_ns: self.clock_ns })
    }

    /// Crossbars of all cores.
    pub fn crossbars(&self) -> usize {
        self.config.cores() * self.config.tiles()
    }

    /// Cells of a crossbar: two for every column and row.
    pub fn cells(&self) -> usize {
        2 * self.config.rows() * self.config.columns()
    }
}
