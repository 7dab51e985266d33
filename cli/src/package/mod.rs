//! The files of a core as an IP block. Every file but the manifest is made from the configuration alone, so a block can be made again.
//!
//! | folder | what |
//! |---|---|
//! | `rtl/` | one Verilog module a file |
//! | `sim/` | bodies of the RRAM macro, and a testbench with its vectors |
//! | `syn/` | the macro as a black box; Liberty stubs of macro and memories; SDC, XDC, LPF |

mod bench;
mod core_file;
mod manifest;

use basisn_arch::{ChipConfig, registers};
use basisn_models::verilog::{Body, macro_body};

use crate::Error;
use crate::output::Staged;

/// Top module of every block.
pub const TOP: &str = "basisn_core";

/// One file: its path in the block, and its contents.
pub type File = (String, String);

/// Paths that the lists of files need; the groups are those of the FuseSoC core.
struct Groups {
    rtl: Vec<String>,
    portable: String,
    black_box: String,
    testbench: String,
    vectors: Vec<String>,
    constraints: Vec<String>,
}

/// All files of a block.
///
/// # Errors
/// The generator refuses the configuration.
pub fn files(config: &ChipConfig) -> Result<Vec<File>, Error> {
    let rtl = basisn_hdl::generate_core(config)?;
    let body = |folder: &str, body: Body| (format!("{folder}/{}.v", config.macro_name()), macro_body(config, body));
    let (portable, black_box) = (body("sim/portable", Body::Portable), body("syn", Body::BlackBox));
    let (testbench, vectors) = bench::files(config)?;
    let constraints = basisn_hdl::generate_constraints(config, &basisn_hdl::Technology::default())?;
    let constraints: Vec<File> =
        constraints.into_iter().map(|file| (format!("syn/{}", file.name), file.text)).collect();
    let groups = Groups {
        rtl: rtl.iter().map(|file| format!("rtl/{}", file.name)).collect(),
        portable: portable.0.clone(),
        black_box: black_box.0.clone(),
        testbench: testbench.0.clone(),
        vectors: vectors.iter().map(|file| file.0.clone()).collect(),
        constraints: constraints.iter().map(|file| file.0.clone()).collect(),
    };
    let mut files: Vec<File> = groups.rtl.iter().cloned().zip(rtl.into_iter().map(|file| file.text)).collect();
    files.extend([portable, body("sim/dpi", Body::Dpi), black_box, testbench]);
    files.extend(vectors);
    // Only where the chip's read latency and interval are long enough for it.
    if let Ok(text) = basisn_models::verilog::fpga_body(config) {
        files.push((format!("sim/fpga/{}.v", config.macro_name()), text));
    }
    files.extend(constraints);
    files.extend(
        [
            ("registers.h", registers::c_header()),
            ("registers.md", registers::markdown()),
            ("registers.rdl", registers::system_rdl(config)),
            ("registers.rs", registers::rust_module()),
            ("filelist.f", filelist(&groups)),
            ("basisn.core", core_file::text(config, &groups)),
        ]
        .map(|(name, text)| (name.to_string(), text)),
    );
    files.push(("manifest.json".into(), manifest::text(config, &files)));
    Ok(files)
}

/// The synthesizable files in the form that Verilator, Icarus and commercial tools read; paths are relative to the block.
fn filelist(groups: &Groups) -> String {
    let head = format!(
        "// Read in the folder of this file. Add one body of the macro: {} (simulation) or\n// {} (synthesis).\n",
        groups.portable, groups.black_box
    );
    head + &groups.rtl.join("\n") + "\n"
}

/// Writes a block below `folder` of an output; gives the paths in the block. Files of an earlier block that this one lacks are
/// removed, unless somebody has changed them.
///
/// # Errors
/// The generator refuses the configuration, or a file cannot be written.
pub fn write(config: &ChipConfig, staged: &mut Staged, folder: &str) -> Result<Vec<String>, Error> {
    let files = files(config)?;
    for (path, text) in &files {
        staged.write(&format!("{folder}{path}"), text)?;
    }
    let earlier = staged.earlier(&format!("{folder}manifest.json")).unwrap_or_default();
    for (path, hash) in manifest::hashes(&earlier) {
        let stale = files.iter().all(|(kept, _)| *kept != path);
        let path = format!("{folder}{path}");
        if stale && staged.earlier(&path).is_some_and(|bytes| manifest::hash(&bytes) == hash) {
            staged.remove(&path);
        }
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}
