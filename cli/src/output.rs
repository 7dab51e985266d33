//! Output folders: everything is written to a hidden folder beside, and moved into place only when all of it is there.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Error;

/// Stages that Ctrl-C must remove. Whoever changes files of the output holds this, so that Ctrl-C comes before or after, not between.
static STAGES: Mutex<Vec<Stage>> = Mutex::new(Vec::new());

/// A hidden folder beside the output.
#[derive(Clone, Debug, PartialEq)]
struct Stage {
    folder: PathBuf,
    /// Folders above that were made for it, the innermost first.
    made: Vec<PathBuf>,
}

impl Stage {
    fn new(target: &Path) -> Result<Self, Error> {
        let name = target.file_name().map_or_else(|| "out".into(), |n| n.to_string_lossy().into_owned());
        let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let made = parent.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists());
        let folder = parent.join(format!(".{name}.{}.part", std::process::id()));
        let stage = Stage { folder, made: made.map(Path::to_path_buf).collect() };
        let mut stages = stages();
        stages.push(stage.clone());
        fs::create_dir_all(&stage.folder).map_err(|e| {
            stage.remove();
            stages.retain(|s| *s != stage);
            Error::output(target, &e)
        })?;
        Ok(stage)
    }

    /// Removes it, and what was made for it and holds nothing else.
    fn remove(&self) {
        let _ = fs::remove_dir_all(&self.folder);
        for folder in &self.made {
            let _ = fs::remove_dir(folder);
        }
    }
}

fn stages() -> MutexGuard<'static, Vec<Stage>> {
    STAGES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder of output that appears as a whole or not at all.
#[derive(Debug)]
pub struct Staged {
    stage: Stage,
    target: PathBuf,
    stale: Vec<PathBuf>,
}

impl Staged {
    /// Prepares to fill the folder `target`.
    ///
    /// # Errors
    /// The folder above cannot be written.
    pub fn new(target: &Path) -> Result<Self, Error> {
        if target.exists() && !target.is_dir() {
            return Err(Error::output(target, &io::Error::other("it is a file, a folder is needed")));
        }
        Ok(Staged { stage: Stage::new(target)?, target: target.to_path_buf(), stale: Vec::new() })
    }

    /// Writes a file that will end up at `relative` in the target; its folder is made.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, relative: &str, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
        let _whole = stages();
        let path = self.stage.folder.join(relative);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, bytes))
            .map_err(|e| Error::output(&self.target.join(relative), &e))
    }

    /// What an earlier run left at `relative` in the target; `None` if there is nothing.
    pub fn earlier(&self, relative: &str) -> Option<Vec<u8>> {
        fs::read(self.target.join(relative)).ok()
    }

    /// Lets go of what an earlier run left at `relative` in the target.
    pub fn remove(&mut self, relative: &str) {
        self.stale.push(self.target.join(relative));
    }

    /// Moves everything into place. Files of the same names are replaced, stale ones removed; other files stay.
    ///
    /// # Errors
    /// A file cannot be moved or removed.
    pub fn publish(self) -> Result<(), Error> {
        let _whole = stages();
        let moved = move_into(&self.stage.folder, &self.target);
        moved
            .and_then(|()| self.stale.iter().try_for_each(fs::remove_file))
            .map_err(|e| Error::output(&self.target, &e))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        drop_stage(&self.stage);
    }
}

fn drop_stage(stage: &Stage) {
    let mut stages = stages();
    stage.remove();
    stages.retain(|s| s != stage);
}

/// A file that another library writes bit by bit; it appears when it is complete.
#[derive(Debug)]
pub struct StagedFile {
    stage: Stage,
    target: PathBuf,
}

impl StagedFile {
    /// Prepares to write the file `target`.
    ///
    /// # Errors
    /// The folder cannot be written, or something else than a file is there.
    pub fn new(target: &Path) -> Result<Self, Error> {
        if target.exists() && !target.is_file() {
            return Err(Error::output(target, &io::Error::other("it is there and is no ordinary file")));
        }
        Ok(StagedFile { stage: Stage::new(target)?, target: target.to_path_buf() })
    }

    /// Where to write it.
    pub fn path(&self) -> PathBuf {
        self.stage.folder.join(self.target.file_name().unwrap_or_default())
    }

    /// Where it ends up.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Moves the file into place.
    ///
    /// # Errors
    /// It is not there or cannot be moved.
    pub fn publish(self) -> Result<(), Error> {
        let _whole = stages();
        fs::rename(self.path(), &self.target).map_err(|e| Error::output(&self.target, &e))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        drop_stage(&self.stage);
    }
}

/// Writes one file, all or nothing.
///
/// # Errors
/// The file cannot be written; what was there stays.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let _whole = stages();
    basisn_arch::file::write_whole(path, bytes).map_err(|e| Error::output(path, &e))
}

fn move_into(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            move_into(&entry.path(), &target)?;
        } else {
            fs::rename(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Lets Ctrl-C end the program with one message and without half-written output.
pub fn clean_up_on_interrupt() {
    // Without a handler Ctrl-C still ends the program; only a hidden folder would stay.
    let _ = ctrlc::set_handler(|| {
        let why = "  at:    Ctrl-C\n  cause: the run was ended from outside";
        leave(
            &format!("\nerror: interrupted\n{why}\n  fix:   run the command again; no half-written output is left"),
            1,
        )
    });
}

/// Ends the program from anywhere, with one message and without half-written output.
pub fn leave(message: &str, code: u8) -> ! {
    // Held to the end: another thread that fails meanwhile waits here and stays silent.
    let stages = stages();
    for stage in stages.iter() {
        stage.remove();
    }
    if !message.is_empty() {
        // There is nobody left to tell that standard error is full.
        let _ = writeln!(io::stderr(), "{message}");
    }
    std::process::exit(code.into())
}

/// Prints a line on standard output. A reader that has gone away (`| head`) ends the program quietly.
pub fn line(text: std::fmt::Arguments) {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => leave("", 0),
        Err(e) => leave(&format!("error: {}", Error::output(Path::new("standard output"), &e)), 1),
    }
}

/// `println!` that does not panic.
macro_rules! say {
    () => { $crate::output::line(format_args!("")) };
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}
pub(crate) use say;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_appears_as_a_whole_and_foreign_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("rtl");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("mine.v"), "module mine; endmodule").unwrap();
        fs::write(target.join("old.v"), "old").unwrap();
        let mut staged = Staged::new(&target).unwrap();
        staged.write("core.v", "new").unwrap();
        staged.write("sim/macro.v", "body").unwrap();
        assert_eq!(staged.earlier("old.v").unwrap(), b"old");
        staged.remove("old.v");
        assert!(!target.join("core.v").exists());
        staged.publish().unwrap();
        assert_eq!(fs::read_to_string(target.join("core.v")).unwrap(), "new");
        assert!(
            target.join("sim/macro.v").exists() && target.join("mine.v").exists() && !target.join("old.v").exists()
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no stage left");
    }

    #[test]
    fn an_abandoned_stage_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let staged = Staged::new(&folder.path().join("a")).unwrap();
        staged.write("x", "y").unwrap();
        drop(staged);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_in_the_way_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        fs::write(&target, "").unwrap();
        let error = Staged::new(&target).unwrap_err().to_string();
        assert!(error.contains("it is a file"), "{error}");
    }
}
