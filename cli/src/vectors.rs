//! `basisn simulate --dump-vectors`: what each core gets and gives, layer by layer, with an index; the format is in docs/hardware.md.

use basisn_arch::{ChipConfig, Program};
use basisn_models::{NetRun, golden, steps};
use basisn_testbench::{LayerStimulus, vectors};
use serde::Serialize;

use crate::Error;
use crate::output::Staged;

/// `vectors.json`.
#[derive(Serialize)]
struct Index {
    config: std::collections::BTreeMap<&'static str, usize>,
    /// The register writes that put the basis into the crossbars.
    program: &'static str,
    runs: Vec<Run>,
}

/// One layer on one core, in the order of work.
#[derive(Serialize)]
struct Run {
    image: usize,
    layer: String,
    core: usize,
    folder: String,
}

/// Writes the vectors of all images.
///
/// # Errors
/// A file cannot be written.
pub fn write(
    staged: &Staged,
    config: &ChipConfig,
    program: &Program,
    images: &[Vec<i32>],
    golden: &[NetRun<golden::LayerRun>],
) -> Result<(), Error> {
    let mut index = Index { config: config.entries().collect(), program: "program.hex", runs: Vec::new() };
    staged.write(index.program, vectors::program(program))?;
    for (image, (input, results)) in images.iter().zip(golden).enumerate() {
        steps::run(program, input, |number, input| {
            let (layer, values) = (&program.layers[number], results.of_layer(program, number));
            let patches = layer.shape.im2col(input);
            let positions = layer.shape.positions();
            for (core, share) in config.shares(positions).into_iter().enumerate() {
                let stimulus = LayerStimulus::new(config, layer, &patches, share);
                let expected = stimulus.in_stream_order(values, positions);
                let folder = format!("image_{image}/{}/core_{core}", layer.name);
                for (name, text) in vectors::layer(config, &stimulus, Some(&expected)) {
                    staged.write(&format!("{folder}/{name}"), text)?;
                }
                index.runs.push(Run { image, layer: layer.name.clone(), core, folder });
            }
            Ok::<_, Error>((values.to_vec(), ()))
        })?;
    }
    // Strings and integers always have a form in JSON.
    staged.write("vectors.json", serde_json::to_string_pretty(&index).unwrap_or_default() + "\n")
}
