//! Feature size and clock.

/// What the numbers of Liberty stubs and constraints are for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Technology {
    /// Feature size in nm.
    pub feature_nm: f64,
    /// Clock period in ns in SDC.
    pub clock_ns: f64,
    /// Clock frequency in MHz in XDC and LPF.
    pub fpga_mhz: f64,
}

impl Default for Technology {
    /// 180 nm, as the free standard cells of `scripts/synth`, 200 MHz; 50 MHz in an FPGA.
    fn default() -> Self {
        Self { feature_nm: 180.0, clock_ns: 5.0, fpga_mhz: 50.0 }
    }
}

impl Technology {
    /// Delay in ns of `count` inverters that drive four like themselves each: the delay of logic that holds from node to
    /// node, about 0.5 ns per um of feature size (Ho, Mai, Horowitz, "The future of wires", 2001).
    pub fn fo4_ns(&self, count: f64) -> f64 {
        count * 0.5e-3 * self.feature_nm
    }
}
