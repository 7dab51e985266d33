//! What a training ends with, for people and for machines.

use std::io::{ErrorKind, Write};

use basisn_compiler::{Compiled, Graph};
use basisn_train::Error;
use basisn_train::agreement::{Agreement, Difference};
use basisn_train::train::{Score, Training};
use serde::Serialize;

use crate::command::Arguments;

/// The result for machines.
#[derive(Serialize)]
struct Report {
    test_accuracy: f64,
    test_images: usize,
    validation_accuracy: Option<f64>,
    train_loss: f64,
    epochs: usize,
    kept_epoch: usize,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    coefficients: Option<CoefficientReport>,
}

/// What there is to say of coefficients.
#[derive(Serialize)]
pub struct CoefficientReport {
    slots_per_subvector: f64,
    slots: usize,
    cycles: u64,
    snr_db: f64,
    nonzero: f64,
    gains: Vec<u32>,
    test: Agreement,
    validation: Option<Agreement>,
    chips: Vec<ChipReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refit: Option<Refit>,
}

/// Held-out images on the one chip that a refit was for, by the training graph with the ADC in the loop.
#[derive(Clone, Copy, Serialize)]
pub struct Refit {
    /// With the coefficients that it went on from.
    pub before: Score,
    /// With its own.
    pub after: Score,
}

/// Chips with errors.
#[derive(Serialize)]
pub struct ChipReport {
    pub model: String,
    pub accuracies: Vec<f64>,
}

/// Slots, cycles and coefficients of the compiled program.
pub fn coefficient_report(
    training: &Training,
    compiled: &Compiled,
    test: Agreement,
    validation: Option<Agreement>,
    chips: Vec<ChipReport>,
    refit: Option<Refit>,
) -> CoefficientReport {
    let layers = || compiled.program.layers.iter().zip(&compiled.report.layers);
    let weighted: usize = layers().map(|(layer, report)| layer.shape.positions() * report.slots).sum();
    let subvectors: usize = layers().map(|(layer, _)| layer.shape.positions() * layer.slots.len()).sum();
    let sum =
        |of: fn(&basisn_compiler::report::LayerReport) -> usize| compiled.report.layers.iter().map(of).sum::<usize>();
    CoefficientReport {
        slots_per_subvector: weighted as f64 / subvectors as f64,
        slots: compiled.report.slots,
        cycles: compiled.report.cycles,
        snr_db: compiled.report.snr_db,
        nonzero: sum(|l| l.coefficients_nonzero) as f64 / sum(|l| l.coefficients) as f64,
        gains: training.model.layers.iter().filter_map(|layer| layer.basis.as_ref()).map(|basis| basis.gain).collect(),
        test,
        validation,
        chips,
        refit,
    }
}

/// Prints the result.
///
/// # Errors
/// Standard output cannot be written.
pub fn finish(
    arguments: &Arguments,
    training: &Training,
    test_accuracy: f64,
    test_images: usize,
    coefficients: Option<CoefficientReport>,
    seconds: f64,
) -> Result<(), Error> {
    let kept = training.kept();
    let report = Report {
        test_accuracy,
        test_images,
        validation_accuracy: kept.and_then(|epoch| epoch.validation).map(|score| score.accuracy()),
        train_loss: training.epochs.last().map_or(0.0, |epoch| epoch.train_loss),
        epochs: training.epochs.len(),
        kept_epoch: kept.map_or(0, |epoch| epoch.number),
        seconds,
        coefficients,
    };
    let text = if arguments.json {
        serde_json::to_string(&report).map_err(|e| unwritable(&e))?
    } else {
        in_words(&report, arguments)
    };
    match writeln!(std::io::stdout(), "{text}") {
        // A reader that has gone away (`| head`) has seen enough.
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(unwritable(&e)),
        _ => Ok(()),
    }
}

fn unwritable(cause: &dyn std::fmt::Display) -> Error {
    Error::Write { at: "standard output".into(), cause: cause.to_string() }
}

/// The result for people.
fn in_words(report: &Report, arguments: &Arguments) -> String {
    let (accuracy, images) = (report.test_accuracy, report.test_images);
    let right = (accuracy * images as f64).round();
    let mut lines = vec![format!("held-out accuracy {:.2} % ({right} of {images} images)", 100.0 * accuracy)];
    if let Some(c) = &report.coefficients {
        lines.push(format!(
            "on the golden reference; training graph and golden reference: {} of {images} images",
            differences(&c.test)
        ));
        for difference in c.validation.iter().chain([&c.test]).flat_map(|agreement| &agreement.differences) {
            let Difference { image, training, golden, label } = difference;
            lines.push(format!("  image {image}: training {training}, golden {golden}, label {label}"));
        }
        lines.push(format!(
            "{:.2} slots a subvector, {} cycles an image, {:.1} % of the coefficients are not zero, {:.1} dB",
            c.slots_per_subvector,
            c.cycles,
            100.0 * c.nonzero,
            c.snr_db
        ));
        if let Some(Refit { before, after }) = &c.refit {
            lines.push(format!(
                "on this chip before the refit: {} of {} images right, cross entropy {:.4}; after it: {}, {:.4}",
                before.right, before.of, before.loss, after.right, after.loss
            ));
        }
        for chip in &c.chips {
            let mean = chip.accuracies.iter().sum::<f64>() / chip.accuracies.len().max(1) as f64;
            let least = chip.accuracies.iter().copied().fold(f64::INFINITY, f64::min);
            lines.push(format!(
                "{}: {:.2} % on average of {} chips, {:.2} % on the worst",
                chip.model,
                100.0 * mean,
                chip.accuracies.len(),
                100.0 * least
            ));
        }
    }
    let (epochs, seconds, kept) = (report.epochs, report.seconds, report.kept_epoch);
    lines.push(format!("{epochs} epochs in {seconds:.1} s, epoch {kept} kept, in {}", arguments.out.display()));
    lines.join("\n")
}

/// How many images differ, in words.
pub fn differences(agreement: &Agreement) -> String {
    match agreement.differences.len() {
        0 => "no difference".into(),
        1 => "1 difference".into(),
        count => format!("{count} differences"),
    }
}

/// What the weights file says about its own making.
pub fn provenance(graph: &Graph, training: &Training, test_accuracy: f64) -> String {
    #[derive(Serialize)]
    struct Provenance<'a> {
        network: &'a str,
        seed: u64,
        epochs: usize,
        test_accuracy: f64,
    }
    let provenance =
        Provenance { network: &graph.name, seed: training.options.seed, epochs: training.epochs.len(), test_accuracy };
    serde_json::to_string(&provenance).unwrap_or_default()
}
