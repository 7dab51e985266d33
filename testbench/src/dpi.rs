//! Connects the Rust macro model to the DPI body of a verilated library.

use basisn_models::dpi::{self, DpiTable};
use verilated::Library;

use crate::Error;

/// C++ text that the library must be built with.
pub fn shim() -> &'static str {
    dpi::shim()
}

/// Tells a library where the Rust model is. Must be done before the first model of the library starts.
///
/// # Errors
/// The library was built without [`shim`].
pub fn connect(library: &Library) -> Result<(), Error> {
    // SAFETY: `shim` defines the function with this type, and it is called while the library is loaded.
    let set: extern "C" fn(*const DpiTable) = unsafe { library.symbol(dpi::SETTER) }?;
    let table = dpi::table();
    set(&raw const table);
    Ok(())
}
