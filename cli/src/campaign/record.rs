//! The trials that a folder holds: one JSON line each, written when the trial is done, so that an interrupted campaign goes on.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Campaign, Point, Trial};
use crate::Error;

const FILE: &str = "trials.jsonl";

/// Trials of a campaign, on disk and in memory.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    file: File,
    known: Vec<Trial>,
}

impl Records {
    /// Opens the records of a folder, or starts them.
    pub fn open(folder: &Path, campaign: &Campaign) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let fail = |e: std::io::Error| Error::output(&path, &e);
        fs::create_dir_all(folder).map_err(fail)?;
        let title = title(campaign)?;
        let mut known = Vec::new();
        if let Ok(text) = fs::read_to_string(&path) {
            let mut lines = text.lines();
            if lines.next().is_some_and(|first| first != title) {
                return Err(Error::Input {
                    at: path.display().to_string(),
                    cause: "the folder holds a campaign of another program, chip, model or set of images".into(),
                    fix: "name another folder with --out, or remove this one".into(),
                });
            }
            // What was being written when a run was cut off does not parse, and runs again.
            known.extend(lines.filter_map(|line| serde_json::from_str(line).ok()));
        }
        let mut text = title + "\n";
        known.iter().for_each(|trial| text.push_str(&line(trial)));
        basisn_arch::file::write_whole(&path, text.as_bytes()).map_err(fail)?;
        let file = OpenOptions::new().append(true).open(&path).map_err(fail)?;
        Ok(Records { path, file, known })
    }

    /// The trial of a point and seed, if it is there.
    pub fn find(&self, point: &Point, seed: u64) -> Option<Trial> {
        let same = |t: &&Trial| t.seed == seed && t.key.clone().zip(t.value) == point.sweep;
        self.known.iter().find(same).cloned()
    }

    /// Adds a trial.
    pub fn add(&mut self, trial: Trial) -> Result<Trial, Error> {
        self.file.write_all(line(&trial).as_bytes()).map_err(|e| Error::output(&self.path, &e))?;
        Ok(trial)
    }
}

fn line(trial: &Trial) -> String {
    serde_json::to_string(trial).unwrap_or_default() + "\n"
}

/// First line of the file: what all its trials share.
fn title(campaign: &Campaign) -> Result<String, Error> {
    let mut hash = Sha256::new();
    hash.update(campaign.program.to_bytes()?);
    hash.update(campaign.config.to_toml());
    hash.update(campaign.model.to_toml());
    hash.update(format!("{:?}", campaign.model.fault_map));
    campaign.images.iter().flatten().for_each(|x| hash.update(x.to_le_bytes()));
    campaign.labels.unwrap_or_default().iter().for_each(|label| hash.update(label.to_le_bytes()));
    let hash: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok(format!("{{\"campaign\":\"{hash}\"}}"))
}
