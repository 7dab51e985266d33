//! What a user sees while training runs, and what is written after every epoch.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use basisn_train::train::{Epoch, Training, Watch};
use basisn_train::{Error, checkpoint, files};
use indicatif::{ProgressBar, ProgressStyle};

/// Something to do after every epoch.
pub type AfterEpoch<'a> = Box<dyn Fn(&Training) -> Result<Option<String>, Error> + 'a>;

/// The epoch table on standard error, with a bar below it on a terminal; checkpoint and log.
pub struct Progress<'a> {
    bar: ProgressBar,
    checkpoint: PathBuf,
    log: Option<PathBuf>,
    after_epoch: Option<AfterEpoch<'a>>,
    interrupted: Arc<AtomicBool>,
}

impl<'a> Progress<'a> {
    /// Prints the heading. `after_epoch` may add a remark to an epoch's row.
    pub fn new(
        training: &Training,
        checkpoint: PathBuf,
        log: Option<PathBuf>,
        after_epoch: Option<AfterEpoch<'a>>,
    ) -> Self {
        let epochs = training.options.epochs as u64;
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(epochs) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:40} epoch {pos} of {len}, {eta} left {msg}") {
            bar.set_style(style);
        }
        bar.set_position(training.epochs.len() as u64);
        let basis = if training.basis.is_some() { "   slots  contests" } else { "" };
        bar.suspend(|| eprintln!("epoch  learning rate        loss  accuracy  validation{basis}"));
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        // Without a handler Ctrl-C still ends the program; the checkpoint of the last epoch is there.
        let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
        Progress { bar, checkpoint, log, after_epoch, interrupted }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Progress<'_> {
    fn step(&mut self, batch: usize, batches: usize, loss: f64) {
        self.bar.set_message(format!("(batch {batch} of {batches}, loss {loss:.4})"));
    }

    fn epoch(&mut self, training: &Training, epoch: &Epoch) -> Result<(), Error> {
        checkpoint::save(&self.checkpoint, training)?;
        if let Some(log) = &self.log {
            write_log(log, &training.epochs)?;
        }
        let remark = match &self.after_epoch {
            Some(run) => run(training)?.unwrap_or_default(),
            None => String::new(),
        };
        let validation = epoch.validation.map_or("-".into(), |score| format!("{:.2} %", 100.0 * score.accuracy()));
        let slots = epoch.slots.map_or(String::new(), |slots| format!("{slots:8.2}"));
        let contests = epoch.contests.map_or(String::new(), |contests| format!("{contests:10}"));
        let adc = if epoch.adc { "  ADC" } else { "" };
        self.bar.suspend(|| {
            eprintln!(
                "{:5}  {:13.2e}  {:10.4}  {:6.2} %  {validation:>10}{slots}{contests}{adc}{remark}",
                epoch.number,
                epoch.learning_rate,
                epoch.train_loss,
                100.0 * epoch.train_accuracy
            );
        });
        self.bar.inc(1);
        Ok(())
    }

    fn stop(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// All epochs, as CSV or JSON by the name of the file.
fn write_log(path: &Path, epochs: &[Epoch]) -> Result<(), Error> {
    if path.extension().is_some_and(|extension| extension == "json") {
        let text = serde_json::to_string_pretty(epochs)
            .map_err(|e| Error::Write { at: path.display().to_string(), cause: e.to_string() })?;
        return files::write(path, format!("{text}\n").as_bytes());
    }
    let mut text = String::from(
        "epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy,adc,slots,contests,seconds\n",
    );
    for e in epochs {
        let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let row = [
            e.number.to_string(),
            e.learning_rate.to_string(),
            e.train_loss.to_string(),
            e.train_accuracy.to_string(),
            optional(e.validation.map(|score| score.loss)),
            optional(e.validation.map(|score| score.accuracy())),
            e.adc.to_string(),
            optional(e.slots),
            e.contests.map_or(String::new(), |contests| contests.to_string()),
            format!("{:.3}", e.seconds),
        ];
        text.push_str(&row.join(","));
        text.push('\n');
    }
    files::write(path, text.as_bytes())
}
