//! What synthesis needs besides the Verilog: timing and area of the hard blocks, and the constraints of the core's ports.
//!
//! | file | what |
//! |---|---|
//! | `technology` | feature size and clock that the numbers are for |
//! | `liberty` | Liberty stubs of RRAM macro and memories with their areas ([`basisn_arch::hard_blocks`]), so that paths into and out of them are timed |
//! | `ports` | SDC for ASIC flows, XDC for Vivado, LPF for nextpnr |

mod liberty;
mod ports;
mod technology;

use basisn_arch::{ChipConfig, HardBlocks};

use crate::{EmittedFile, Error};

pub use technology::Technology;

/// Liberty stubs of the macro and of the memories; SDC, XDC and LPF of `basisn_core`.
///
/// # Errors
/// As [`crate::generate_core`].
pub fn generate_constraints(config: &ChipConfig, technology: &Technology) -> Result<Vec<EmittedFile>, Error> {
    let core = crate::rtl::core(config);
    let blocks = HardBlocks::typical()?.at_feature_nm(technology.feature_nm);
    let mut files = vec![liberty::rram_macro(config, &blocks, technology)];
    for (words, width) in crate::emit::memories(&core)? {
        files.push(liberty::memory(words, width, &blocks, technology));
    }
    files.extend([ports::sdc(&core, technology), ports::xdc(&core, technology), ports::lpf(technology)]);
    Ok(files)
}
