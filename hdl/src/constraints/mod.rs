//! What synthesis needs besides the Verilog: timing and area of the hard blocks, and the constraints of the core's ports.
//!
//! | file | what |
//! |---|---|
//! | `technology` | feature size and clock that the numbers are for |
//! | `area` | area of the RRAM macro and of the memories, with sources |
//! | `liberty` | Liberty stubs of both, so that paths into and out of them are timed |
//! | `ports` | SDC for ASIC flows, XDC for Vivado, LPF for nextpnr |

mod area;
mod liberty;
mod ports;
mod technology;

use basisn_arch::ChipConfig;

use crate::{EmittedFile, Error};

pub use area::{MacroArea, macro_area, memory_area_um2};
pub use technology::Technology;

/// Liberty stubs of the macro and of the memories; SDC, XDC and LPF of `basisn_core`.
///
/// # Errors
/// As [`crate::generate_core`].
pub fn generate_constraints(config: &ChipConfig, technology: &Technology) -> Result<Vec<EmittedFile>, Error> {
    let core = crate::rtl::core(config);
    let mut files = vec![liberty::rram_macro(config, technology)];
    for (words, width) in crate::emit::memories(&core)? {
        files.push(liberty::memory(words, width, technology));
    }
    files.extend([ports::sdc(&core, technology), ports::xdc(&core, technology), ports::lpf(technology)]);
    Ok(files)
}
