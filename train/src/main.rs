//! `basisn-train`: trains a network on labelled images and writes its weights or coefficients.

mod command;
mod progress;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use basisn_arch::ChipConfig;
use basisn_compiler::map::homes;
use basisn_compiler::{Compiled, Dataset, Fitted, Graph, Model, ScheduleOptions, lower};
use basisn_models::rram::{Device, MacroModel};
use basisn_train::agreement::{self, Agreement};
use basisn_train::chip::{accuracies, measured};
use basisn_train::options::Options;
use basisn_train::plan::Plan;
use basisn_train::report::{CoefficientPart, page};
use basisn_train::search::Task;
use basisn_train::train::{End, Training};
use basisn_train::{Error, checkpoint, export, files};
use clap::Parser;
use serde::Serialize;

use command::Arguments;
use progress::{AfterEpoch, Progress};

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
struct CoefficientReport {
    slots_per_subvector: f64,
    slots: usize,
    cycles: u64,
    snr_db: f64,
    nonzero: f64,
    gains: Vec<u32>,
    test: Agreement,
    validation: Option<Agreement>,
    chips: Vec<ChipReport>,
}

/// Chips with errors.
#[derive(Serialize)]
struct ChipReport {
    model: String,
    accuracies: Vec<f64>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let (graph, dataset) = Dataset::with_network(&arguments.network, &arguments.data)?;
    let options = arguments.options(&dataset);
    let (plan, sensitivity) = (arguments.save_plan.as_ref(), arguments.save_sensitivity.as_ref());
    let files = [Some(&arguments.out), arguments.log.as_ref(), arguments.report.as_ref(), plan, sensitivity];
    for file in files.into_iter().flatten() {
        check_folder(file)?;
    }
    match &arguments.from {
        None => {
            let mut training = Training::float(&graph, &dataset, options)?;
            let seconds = train(arguments, &mut training, None)?;
            let test = training.score(&dataset.test, false)?;
            let text = provenance(&graph, &training, test.accuracy());
            files::save(&arguments.out, &export::weights(&training)?, "basisn_training", text)?;
            if let Some(path) = &arguments.report {
                files::write(path, page(&graph.name, &training, test.accuracy(), None).as_bytes())?;
            }
            finish(arguments, &training, test.accuracy(), test.of, None, seconds)
        }
        Some(from) => train_coefficients(arguments, options, from, graph, &dataset),
    }
}

fn train_coefficients(
    arguments: &Arguments,
    options: Options,
    from: &Path,
    graph: Graph,
    dataset: &Dataset,
) -> Result<(), Error> {
    let name = graph.name.clone();
    let float = Model::load(graph, from)?;
    let config = ChipConfig::load(&arguments.config)?;
    let models: Vec<Arc<MacroModel>> =
        arguments.test_on.iter().map(|name| Ok(Arc::new(MacroModel::load(name)?))).collect::<Result<_, Error>>()?;
    let mut basis = arguments.basis_options()?;
    if arguments.target_cycles.is_some() || arguments.target_accuracy.is_some() {
        let task = Task { float: &float, dataset, config: &config, basis: &basis, options: &options };
        basis.coding.plan = search(arguments, task)?;
    }
    let mut training = Training::basis(&float, dataset, &config, basis, options)?;
    if let Some(path) = &arguments.fitted {
        training.start_from(&Fitted::load(path)?, &path.display().to_string())?;
    }
    let export = |training: &Training| export::fitted(training, &float);
    let device = match &arguments.refit_on {
        None => None,
        Some(model) => Some(Device { model: Arc::new(MacroModel::load(model)?), seed: arguments.chip }),
    };
    if let Some(device) = &device {
        let fitted = export(&training)?;
        let homes: Vec<Vec<u32>> = fitted
            .layers
            .iter()
            .map(|layer| homes(layer.shape.kernels, layer.groups.as_deref(), fitted.bases.len(), &config))
            .collect();
        let levels = fitted.bases.first().map_or(&[][..], |basis| &basis.levels);
        training.refit_on(measured(&config, device, levels), &homes);
    }
    let lowered = |training: &Training| -> Result<Compiled, Error> {
        Ok(lower(&export(training)?, &config, ScheduleOptions::default())?)
    };
    let compared = |training: &Training, images: &[usize]| {
        agreement::compare(training, &lowered(training)?.program, &config, device.as_ref(), dataset, images)
    };
    let after_epoch = |training: &Training| {
        let agreement = compared(training, &training.split.validation)?;
        Ok(Some(format!("  {:.2} % on golden, {}", 100.0 * agreement.accuracy(), differences(&agreement))))
    };
    let seconds = train(arguments, &mut training, arguments.golden_every_epoch.then(|| Box::new(after_epoch) as _))?;

    let (fitted, compiled) = (export(&training)?, lowered(&training)?);
    let validation = match training.split.validation.as_slice() {
        [] => None,
        images => Some(compared(&training, images)?),
    };
    let test = compared(&training, &dataset.test)?;
    let mut chips = Vec::new();
    for (name, model) in arguments.test_on.iter().zip(&models) {
        let seeds = arguments.test_chips();
        let accuracies = accuracies(&compiled.program, &config, model, seeds, dataset, &dataset.test)?;
        chips.push(ChipReport { model: name.clone(), accuracies });
    }
    fitted.save(&arguments.out)?;
    if let Some(path) = &arguments.report {
        let part = CoefficientPart { fitted: &fitted, compiled: &compiled, test: &test };
        files::write(path, page(&name, &training, test.accuracy(), Some(&part)).as_bytes())?;
    }
    let (accuracy, images) = (test.accuracy(), test.images);
    let report = CoefficientReport { chips, ..coefficient_report(&training, &compiled, test, validation) };
    finish(arguments, &training, accuracy, images, Some(report), seconds)
}

/// The plan that meets the target, which is also told and written.
fn search(arguments: &Arguments, task: Task) -> Result<Plan, Error> {
    let sensitivity = task.measure()?;
    if let Some(path) = &arguments.save_sensitivity {
        files::write(path, sensitivity.to_csv().as_bytes())?;
    }
    let point = match (arguments.target_cycles, arguments.target_accuracy) {
        (Some(cycles), _) => sensitivity.within(cycles)?,
        (None, target) => task.reach(&sensitivity, target.unwrap_or(0.0), arguments.search_epochs)?,
    };
    let plan = sensitivity.plan(&point);
    let text = format!("# {} clock cycles an image\n{}", point.cycles, plan.to_toml());
    eprint!("{text}");
    if let Some(path) = &arguments.save_plan {
        files::write(path, text.as_bytes())?;
    }
    Ok(plan)
}

/// Runs the epochs with everything around them; the seconds they took.
fn train<'a>(
    arguments: &Arguments,
    training: &mut Training<'a>,
    after_epoch: Option<AfterEpoch<'a>>,
) -> Result<f64, Error> {
    let path = arguments.checkpoint();
    if arguments.resume {
        checkpoint::load(&path, training)?;
    }
    let mut progress = Progress::new(training, path.clone(), arguments.log.clone(), after_epoch);
    let end = training.run(&mut progress);
    progress.finish();
    match end? {
        End::Stopped if training.epochs.is_empty() => Err(Error::Interrupted {
            cause: "the run was ended from outside, in the first epoch".into(),
            fix: "run the command again; nothing was written".into(),
        }),
        End::Stopped => Err(Error::Interrupted {
            cause: format!("the run was ended from outside, after {} epochs", training.epochs.len()),
            fix: format!("run the command again with --resume; {} is where it was", path.display()),
        }),
        End::Finished | End::EarlyStop => {
            training.finish()?;
            // It may be that no epoch was left to do and the file is gone already.
            let _ = std::fs::remove_file(&path);
            Ok(training.epochs.iter().map(|epoch| epoch.seconds).sum())
        }
    }
}

fn coefficient_report(
    training: &Training,
    compiled: &Compiled,
    test: Agreement,
    validation: Option<Agreement>,
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
        chips: Vec::new(),
    }
}

fn finish(
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
    if arguments.json {
        let text = serde_json::to_string(&report)
            .map_err(|e| Error::Write { at: "standard output".into(), cause: e.to_string() })?;
        println!("{text}");
        return Ok(());
    }
    let right = (test_accuracy * test_images as f64).round();
    println!("held-out accuracy {:.2} % ({right} of {test_images} images)", 100.0 * test_accuracy);
    if let Some(c) = &report.coefficients {
        println!(
            "on the golden reference; training graph and golden reference: {} of {test_images} images",
            differences(&c.test)
        );
        for difference in c.validation.iter().chain([&c.test]).flat_map(|agreement| &agreement.differences) {
            println!(
                "  image {}: training {}, golden {}, label {}",
                difference.image, difference.training, difference.golden, difference.label
            );
        }
        println!(
            "{:.2} slots a subvector, {} cycles an image, {:.1} % of the coefficients are not zero, {:.1} dB",
            c.slots_per_subvector,
            c.cycles,
            100.0 * c.nonzero,
            c.snr_db
        );
        for chip in &c.chips {
            let mean = chip.accuracies.iter().sum::<f64>() / chip.accuracies.len().max(1) as f64;
            let least = chip.accuracies.iter().copied().fold(f64::INFINITY, f64::min);
            println!(
                "{}: {:.2} % on average of {} chips, {:.2} % on the worst",
                chip.model,
                100.0 * mean,
                chip.accuracies.len(),
                100.0 * least
            );
        }
    }
    println!(
        "{} epochs in {seconds:.1} s, epoch {} kept, in {}",
        report.epochs,
        report.kept_epoch,
        arguments.out.display()
    );
    Ok(())
}

fn differences(agreement: &Agreement) -> String {
    match agreement.differences.len() {
        0 => "no difference".into(),
        1 => "1 difference".into(),
        count => format!("{count} differences"),
    }
}

/// What the weights file says about its own making.
fn provenance(graph: &Graph, training: &Training, test_accuracy: f64) -> String {
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

/// Refuses an output folder that is not there before the training, not after it.
fn check_folder(out: &Path) -> Result<(), Error> {
    match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => Err(Error::Write {
            at: out.display().to_string(),
            cause: format!("the folder {} is not there", folder.display()),
        }),
        _ => Ok(()),
    }
}
