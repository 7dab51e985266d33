//! `basisn generate`: the IP block of a chip.

use std::path::PathBuf;

use basisn_arch::ChipConfig;
use clap::Args;

use crate::output::{Staged, say};
use crate::{Error, package};

/// Write a core as an IP block: Verilog, macro bodies, register map, testbench, FuseSoC core.
#[derive(Args)]
#[command(after_help = "Example:\n  basisn generate --config digits --out ip/")]
pub struct Arguments {
    /// Chip configuration: a TOML file, or a preset (tiny, digits, paper)
    #[arg(long)]
    config: String,
    /// Folder for the IP block
    #[arg(long)]
    out: PathBuf,
    /// Print the list of files as JSON
    #[arg(long)]
    json: bool,
}

/// Writes the files.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let config = ChipConfig::load(&arguments.config)?;
    let mut staged = Staged::new(&arguments.out)?;
    let files = package::write(&config, &mut staged, "")?;
    staged.publish()?;
    if arguments.json {
        say!("{}", serde_json::json!({ "out": arguments.out, "top": package::TOP, "files": files }));
    } else {
        say!("{}: {} files, top module {}", arguments.out.display(), files.len(), package::TOP);
    }
    Ok(())
}
