//! `basisn generate`: Verilog for a chip.

use std::path::PathBuf;

use basisn_arch::{ChipConfig, registers};
use basisn_models::verilog::{Body, macro_body};
use clap::Args;

use crate::Error;
use crate::output::{Staged, say};

/// Emit the Verilog of a core, its register map, and the bodies of its RRAM macro.
#[derive(Args)]
#[command(after_help = "Example:\n  basisn generate --config digits --out rtl/")]
pub struct Arguments {
    /// Chip configuration: a TOML file, or a preset (tiny, digits, paper)
    #[arg(long)]
    config: String,
    /// Folder for the Verilog files
    #[arg(long)]
    out: PathBuf,
    /// Print the list of files as JSON
    #[arg(long)]
    json: bool,
}

/// Bodies of the macro and their folders.
pub const BODIES: [(&str, Body); 3] = [("blackbox", Body::BlackBox), ("portable", Body::Portable), ("dpi", Body::Dpi)];

/// Writes the files.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let config = ChipConfig::load(&arguments.config)?;
    let staged = Staged::new(&arguments.out)?;
    let files = write(&config, &staged, "")?;
    staged.publish()?;
    if arguments.json {
        say!("{}", serde_json::json!({ "out": arguments.out, "top": "basisn_core", "files": files }));
    } else {
        say!("{}: {} files, top module basisn_core", arguments.out.display(), files.len());
    }
    Ok(())
}

/// Writes the core, a list of its files, its register map in three forms, what synthesis needs and the macro bodies below `folder`; gives the names.
pub fn write(config: &ChipConfig, staged: &Staged, folder: &str) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for file in basisn_hdl::generate_core(config)? {
        staged.write(&format!("{folder}{}", file.name), &file.text)?;
        names.push(file.name);
    }
    staged.write(&format!("{folder}filelist.f"), names.join("\n") + "\n")?;
    names.push("filelist.f".into());
    let registers = [
        ("registers.h", registers::c_header()),
        ("registers.rdl", registers::system_rdl(config)),
        ("registers.md", registers::markdown()),
    ];
    for (name, text) in registers {
        staged.write(&format!("{folder}{name}"), text)?;
        names.push(name.into());
    }
    for file in basisn_hdl::generate_constraints(config, &basisn_hdl::Technology::default())? {
        let name = format!("syn/{}", file.name);
        staged.write(&format!("{folder}{name}"), file.text)?;
        names.push(name);
    }
    for (kind, body) in BODIES {
        let name = format!("macro/{kind}/{}.v", config.macro_name());
        staged.write(&format!("{folder}{name}"), macro_body(config, body))?;
        names.push(name);
    }
    Ok(names)
}
