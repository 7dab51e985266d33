//! Rust-HDL's text made into one readable file per distinct module.
//!
//! | file | what |
//! |---|---|
//! | `collect` | the distinct modules below a top, children first; a name stands for one module |
//! | `parse`, `tokens` | Rust-HDL's text, line by line; an unknown form is refused |
//! | `fold` | registers into their parent, clock and reset connected directly |
//! | `names` | names that every tool accepts, each with one meaning |
//! | `schedule` | independent processes: `assign` where a net has one value |
//! | `render` | the text, with header and without anything unread |
//! | `memory` | the memories' text |

mod collect;
mod fold;
mod memory;
mod names;
mod parse;
mod render;
mod schedule;
mod tokens;

use std::collections::BTreeSet;

use rust_hdl::core::check_error::{CheckError, check_all};
use rust_hdl::core::module_defines::generate_verilog;

use crate::build::Module;
use crate::build::block::HdlBlock;
use crate::error::Error;
use collect::{Definition, collect};

/// One emitted file: one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmittedFile {
    /// File name, `<module>.v`.
    pub name: String,
    /// Verilog.
    pub text: String,
}

/// The Verilog of a module and of all modules below it, children first.
pub(crate) fn generate(top: Module) -> Result<Vec<EmittedFile>, Error> {
    let mut files = Vec::new();
    for definition in collect(top)? {
        match definition {
            Definition::Module(module) => files.push(emit_module(&module)?),
            Definition::Memory { words, width } => files.push(memory::memory(words, width)),
            Definition::BlackBox(_) => {}
        }
    }
    Ok(files)
}

/// Words and width of the distinct memories of a module and of all modules below it.
pub(crate) fn memories(top: &Module) -> Result<Vec<(usize, usize)>, Error> {
    let memory = |definition| match definition {
        Definition::Memory { words, width } => Some((words, width)),
        _ => None,
    };
    Ok(collect(top.clone())?.into_iter().filter_map(memory).collect())
}

/// One module through Rust-HDL: its checks, its generator; then the passes of this folder.
fn emit_module(module: &Module) -> Result<EmittedFile, Error> {
    let block = HdlBlock::of_module(module, &module.finish()?);
    check_all(&block).map_err(|finding| Error::Check { module: module.name.clone(), cause: words(&finding) })?;
    let text = generate_verilog(&block);
    let parsed = parse::Parser::parse(&module.name, &text)?;
    let mut folded = fold::fold(&module.name, &parsed)?;
    let parts: BTreeSet<&str> = module.parts.iter().map(String::as_str).collect();
    schedule::inline_slices(&mut folded.statements, &parts);
    let processes = schedule::schedule(&folded.statements);
    let text = render::module(&module.name, &module.header, &folded, &processes)?;
    Ok(EmittedFile { name: format!("{}.v", module.name), text })
}

fn words(finding: &CheckError) -> String {
    let (what, mut nets): (_, Vec<String>) = match finding {
        CheckError::OpenSignal(map) => ("not connected", map.values().map(|net| net.name.clone()).collect()),
        CheckError::LogicLoops(list) => ("in a loop", list.iter().map(|net| net.name.clone()).collect()),
        CheckError::WritesToInputs(list) => ("an input, written", list.iter().map(|net| net.name.clone()).collect()),
    };
    nets.sort();
    format!("{what}: {}", nets.join(", "))
}
