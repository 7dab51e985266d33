//! From modules to files.

use crate::build::Module;
use crate::error::Error;

/// One emitted file: one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmittedFile {
    /// File name, `<module>.v`.
    pub name: String,
    /// Verilog.
    pub text: String,
}

/// The Verilog of a module and of all modules below it, children first.
pub fn generate(top: &Module) -> Result<Vec<EmittedFile>, Error> {
    let statements = top.finish()?;
    let block = crate::build::block::HdlBlock::of_module(top, &statements);
    let text = rust_hdl::core::module_defines::generate_verilog(&block);
    Ok(vec![EmittedFile { name: format!("{}.v", top.name), text }])
}
