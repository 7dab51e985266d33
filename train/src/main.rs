//! `basisn-train`: trains a network on labelled images and writes its weights or coefficients.

mod command;
mod outcome;
mod progress;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use basisn_arch::ChipConfig;
use basisn_compiler::{Compiled, Dataset, Fitted, Graph, Model, ScheduleOptions, lower};
use basisn_models::rram::{Device, MacroModel};
use basisn_train::agreement;
use basisn_train::chip::{accuracies, measured, tiles_of};
use basisn_train::options::Options;
use basisn_train::plan::Plan;
use basisn_train::report::{CoefficientPart, page};
use basisn_train::search::Task;
use basisn_train::train::{End, Training};
use basisn_train::{Error, checkpoint, export, files};
use clap::Parser;

use command::Arguments;
use outcome::{ChipReport, Refit, coefficient_report, differences, finish, provenance};
use progress::{AfterEpoch, Progress};

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
    let mut before = None;
    if let Some(device) = &device {
        let fitted = export(&training)?;
        let tiles = tiles_of(&fitted, &lower(&fitted, &config, ScheduleOptions::default())?.program);
        let levels = fitted.bases.first().map_or(&[][..], |basis| &basis.levels);
        training.refit_on(measured(&config, device, levels), tiles);
        // Only told, at the end: no choice depends on it.
        before = Some(training.score(&dataset.test, true)?);
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
    let refit = match before {
        None => None,
        Some(before) => Some(Refit { before, after: training.score(&dataset.test, true)? }),
    };
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
    let report = coefficient_report(&training, &compiled, test, validation, chips, refit);
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
