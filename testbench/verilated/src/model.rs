//! One running model: ports, clocking, traces.

use crate::handle::{Input, Output, Place, WideInput, WideOutput, mask};
use crate::library::{Loaded, Sim};
use crate::ports::{Direction, PortInfo, closest};
use crate::{Error, Result, fst};
use std::ffi::{CStr, CString, c_void};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Statuses of the shim.
const FINISHED: i32 = 1;
const STOPPED: i32 = 2;
const TRACE_FAILED: i32 = 3;

/// A running instance of a [`Library`](crate::Library)'s module.
///
/// # Clocking
/// A cycle is a low phase of the clock followed by its rising edge; [`Model::cycle`] counts rising edges.
///
/// - [`Model::settle`]: clock low, evaluate. Outputs that depend on inputs without a register between show the inputs
///   set before. One evaluation. May be called any number of times in a cycle.
/// - [`Model::tick`]: the rising edge. Registers take the inputs set before. If there was no `settle` since the last
///   edge, the low phase is evaluated first. Afterwards the clock stays high and the outputs show the new registers
///   with the old inputs; the falling edge happens in the next `settle` or `tick`.
///
/// So a cycle costs two evaluations, whether `settle` is called once or not at all. Inputs may still change between
/// `settle` and `tick`: the edge sees the last values.
///
/// Traces show the low phase of cycle *n* at time 2*n* and its high phase at time 2*n*+1.
///
/// # Handles
/// Handles are small copies that work with the model which gave them, and only while it lives: every access goes
/// through the model. Access with a handle of another model panics.
pub struct Model {
    sim: NonNull<Sim>,
    number: u64,
    addresses: Vec<NonNull<u8>>,
    library: Arc<Loaded>,
    trace: Option<PathBuf>,
}

// SAFETY: the C++ model belongs to this value alone and may be used from any one thread at a time; what Verilator keeps
// for each thread is set at each entry by the shim.
unsafe impl Send for Model {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("top", &self.library.top).field("cycle", &self.cycle()).finish_non_exhaustive()
    }
}

impl Model {
    pub(crate) fn start(
        library: Arc<Loaded>,
        seed: u32,
        user_data: *mut c_void,
        argument: Option<&CStr>,
    ) -> Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let functions = library.functions;
        let argument = argument.map_or(std::ptr::null(), CStr::as_ptr);
        // SAFETY: the function belongs to this library, which `library` keeps loaded; it copies the argument.
        let sim = NonNull::new(unsafe { (functions.new)(seed, user_data, argument) })
            .ok_or_else(|| library.failed("the model's constructor failed"))?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut model = Model { sim, number, addresses: Vec::new(), library, trace: None };
        let mut addresses = vec![std::ptr::null_mut(); model.library.ports.len()];
        // SAFETY: the shim writes as many addresses as its table has rows.
        unsafe { (functions.ports)(sim.as_ptr(), addresses.as_mut_ptr()) };
        model.addresses = addresses.into_iter().filter_map(NonNull::new).collect();
        if let Some(name) = model.library.clock.clone() {
            let clock = model.place(&name, Direction::Input)?;
            model.check_width(&name, clock, 1, "a clock has one bit", "name the clock port by Build::clock")?;
            if let Some(index) = model.index(&name) {
                // SAFETY: a one-bit port is stored in a byte that lives as long as the model.
                unsafe { (functions.clock)(sim.as_ptr(), model.addresses[index].as_ptr()) };
            }
        }
        Ok(model)
    }

    /// The ports of the module.
    pub fn ports(&self) -> &[PortInfo] {
        &self.library.ports
    }

    /// Takes a handle of an input of up to 64 bits.
    pub fn input(&self, name: &str) -> Result<Input> {
        Ok(Input(self.narrow(name, Direction::Input, "use wide_input")?))
    }

    /// Takes a handle of an output of up to 64 bits.
    pub fn output(&self, name: &str) -> Result<Output> {
        Ok(Output(self.narrow(name, Direction::Output, "use wide_output")?))
    }

    /// Takes a handle of an input of any width.
    pub fn wide_input(&self, name: &str) -> Result<WideInput> {
        Ok(WideInput(self.place(name, Direction::Input)?))
    }

    /// Takes a handle of an output of any width.
    pub fn wide_output(&self, name: &str) -> Result<WideOutput> {
        Ok(WideOutput(self.place(name, Direction::Output)?))
    }

    /// Sets an input to the low bits of `value`, as an assignment in Verilog does.
    ///
    /// # Panics
    /// If the handle is another model's; so do all accesses.
    #[inline]
    pub fn set(&mut self, port: Input, value: u64) {
        // SAFETY: `own` checks that the place is in this model, which is borrowed mutably.
        unsafe { self.own(port.0).write(value) }
    }

    /// The value of a port, without sign extension.
    #[inline]
    pub fn get(&self, port: impl Into<Output>) -> u64 {
        // SAFETY: `own` checks that the place is in this model, which is borrowed.
        unsafe { self.own(port.into().0).read() }
    }

    /// The value of a port in two's complement.
    #[inline]
    pub fn get_signed(&self, port: impl Into<Output>) -> i64 {
        let port = port.into();
        let unused = 64 - port.width_bits();
        (self.get(port) << unused) as i64 >> unused
    }

    /// Sets the `width_bits` (up to 64) bits from bit `lsb` upwards; the others keep their values.
    ///
    /// # Panics
    /// If the field is not within the port.
    #[inline]
    pub fn set_field(&mut self, port: WideInput, lsb: u32, width_bits: u32, value: u64) {
        let place = self.own(port.0);
        check_field(place, lsb, width_bits);
        let (first, shift) = ((lsb / 32) as usize, lsb % 32);
        let bits = u128::from(mask(width_bits)) << shift;
        let value = u128::from(value) << shift;
        for word in 0..3 {
            // SAFETY: the place is in this model, which is borrowed mutably.
            unsafe { place.merge_word(first + word, (value >> (32 * word)) as u32, (bits >> (32 * word)) as u32) };
        }
    }

    /// The `width_bits` (up to 64) bits from bit `lsb` upwards.
    ///
    /// # Panics
    /// If the field is not within the port.
    #[inline]
    pub fn field(&self, port: impl Into<WideOutput>, lsb: u32, width_bits: u32) -> u64 {
        let place = self.own(port.into().0);
        check_field(place, lsb, width_bits);
        let (first, shift) = ((lsb / 32) as usize, lsb % 32);
        // SAFETY: the place is in this model, which is borrowed.
        let word = |n| u128::from(unsafe { place.word(first + n) }) << (32 * n);
        ((word(0) | word(1) | word(2)) >> shift) as u64 & mask(width_bits)
    }

    /// Sets all words of a port, the lowest first; bits above its width are dropped.
    ///
    /// # Panics
    /// If the number of words is not [`WideInput::word_count`].
    pub fn set_words(&mut self, port: WideInput, words: &[u32]) {
        let place = self.own(port.0);
        assert_eq!(words.len(), place.word_count(), "number of words of a port of {} bits", place.width_bits);
        for (index, word) in words.iter().enumerate() {
            // SAFETY: the place is in this model, which is borrowed mutably.
            unsafe { place.merge_word(index, *word, u32::MAX) };
        }
    }

    /// Copies all words of a port, the lowest first.
    ///
    /// # Panics
    /// If the number of words is not [`WideOutput::word_count`].
    pub fn read_words(&self, port: impl Into<WideOutput>, words: &mut [u32]) {
        let place = self.own(port.into().0);
        assert_eq!(words.len(), place.word_count(), "number of words of a port of {} bits", place.width_bits);
        for (index, word) in words.iter_mut().enumerate() {
            // SAFETY: the place is in this model, which is borrowed.
            *word = unsafe { place.word(index) };
        }
    }

    /// All words of a port, the lowest first.
    pub fn words(&self, port: impl Into<WideOutput>) -> Vec<u32> {
        let port = port.into();
        let mut words = vec![0; port.word_count()];
        self.read_words(port, &mut words);
        words
    }

    /// The low phase of the clock: outputs follow the inputs.
    #[inline]
    pub fn settle(&mut self) -> Result<()> {
        // SAFETY: `sim` lives until drop and is borrowed mutably.
        let status = unsafe { (self.library.functions.settle)(self.sim.as_ptr()) };
        self.checked(status)
    }

    /// The rising edge of the clock, after the low phase where `settle` did not do it; without a clock, one evaluation.
    #[inline]
    pub fn tick(&mut self) -> Result<()> {
        // SAFETY: `sim` lives until drop and is borrowed mutably.
        let status = unsafe { (self.library.functions.tick)(self.sim.as_ptr()) };
        self.checked(status)
    }

    /// A number of cycles with unchanged inputs; ends early at `$finish`.
    pub fn run(&mut self, cycles: u64) -> Result<()> {
        // SAFETY: `sim` lives until drop and is borrowed mutably.
        let status = unsafe { (self.library.functions.run)(self.sim.as_ptr(), cycles) };
        self.checked(status)
    }

    /// Completed cycles.
    pub fn cycle(&self) -> u64 {
        // SAFETY: `sim` lives until drop; the shim only reads.
        unsafe { (self.library.functions.cycle)(self.sim.as_ptr()) }
    }

    /// Whether the design called `$finish`.
    pub fn finished(&self) -> bool {
        // SAFETY: `sim` lives until drop; the shim only reads.
        unsafe { (self.library.functions.status)(self.sim.as_ptr()) == FINISHED }
    }

    /// Writes a trace to `path` from here on, in the format chosen by [`Build::trace`](crate::Build::trace). A trace
    /// that is open is closed first.
    pub fn trace_to(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let refuse = |cause: &str, fix| Error::Trace { at: path.display().to_string(), cause: cause.into(), fix };
        let no_file = || refuse("the file cannot be created", "check the path and its permissions");
        let text = path.to_str().and_then(|text| CString::new(text).ok()).ok_or_else(no_file)?;
        std::fs::File::create(path).map_err(|_| no_file())?;
        // SAFETY: `sim` lives until drop and is borrowed mutably; the path is a C string.
        let open = unsafe { (self.library.functions.trace_open)(self.sim.as_ptr(), text.as_ptr()) } != 0;
        if !open {
            let _ = std::fs::remove_file(path);
            let fix = "build it with Build::trace(Trace::Fst) or Trace::Vcd";
            return Err(refuse("the library was built without traces", fix));
        }
        // Known before the check: the trace's header may be more than the disk has room for.
        self.trace = Some(path.to_path_buf());
        // SAFETY: `sim` lives until drop and is borrowed mutably.
        self.checked(unsafe { (self.library.functions.status)(self.sim.as_ptr()) })
    }

    /// Writes out what the open trace holds back.
    pub fn trace_flush(&mut self) -> Result<()> {
        // SAFETY: `sim` lives until drop and is borrowed mutably.
        let status = unsafe { (self.library.functions.trace_flush)(self.sim.as_ptr()) };
        self.checked(status)
    }

    /// Completes the open trace and checks that it is whole. Dropping the model completes it too, but cannot tell that
    /// the disk was full.
    pub fn trace_close(&mut self) -> Result<()> {
        // SAFETY: `sim` lives until drop and is borrowed mutably.
        let status = unsafe { (self.library.functions.trace_close)(self.sim.as_ptr()) };
        self.checked(status)?;
        match self.trace.take() {
            Some(path) => fst::check_whole(&path).map_err(|error| trace_error(&path, error.to_string())),
            None => Ok(()),
        }
    }

    #[inline]
    fn own(&self, place: Place) -> Place {
        assert!(place.model == self.number, "a port handle was used with another model than its own");
        place
    }

    #[inline]
    fn checked(&self, status: i32) -> Result<()> {
        if status >= STOPPED { Err(self.stopped(status)) } else { Ok(()) }
    }

    #[cold]
    fn stopped(&self, status: i32) -> Error {
        // SAFETY: the message lives in the C++ side of this model, and is copied at once.
        let message = unsafe { CStr::from_ptr((self.library.functions.message)(self.sim.as_ptr())) };
        let cause = message.to_string_lossy().trim().to_string();
        match (&self.trace, status) {
            (Some(path), TRACE_FAILED) => trace_error(path, cause),
            _ => Error::Stopped { cycle: self.cycle(), cause },
        }
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.library.ports.iter().position(|port| port.name == name)
    }

    fn place(&self, name: &str, wanted: Direction) -> Result<Place> {
        let top = || self.library.top.clone();
        let index = self.index(name).ok_or_else(|| Error::UnknownPort {
            name: name.to_string(),
            top: top(),
            known: closest(name, self.library.ports.iter().map(|port| port.name.as_str())),
        })?;
        let PortInfo { direction, width_bits, .. } = self.library.ports[index];
        if direction != wanted && direction != Direction::Inout {
            let (is, wanted) = (direction.name(), wanted.name());
            return Err(Error::PortDirection { name: name.to_string(), top: top(), is, wanted });
        }
        Ok(Place::new(self.addresses[index], self.number, width_bits))
    }

    fn narrow(&self, name: &str, wanted: Direction, fix: &'static str) -> Result<Place> {
        let place = self.place(name, wanted)?;
        self.check_width(name, place, 64, "this handle holds up to 64 bits", fix)?;
        Ok(place)
    }

    fn check_width(&self, name: &str, place: Place, most: u32, cause: &'static str, fix: &'static str) -> Result<()> {
        if place.width_bits <= most {
            return Ok(());
        }
        let (name, top) = (name.to_string(), self.library.top.clone());
        Err(Error::PortWidth { name, top, width_bits: place.width_bits, cause, fix })
    }
}

fn trace_error(path: &Path, cause: String) -> Error {
    Error::Trace { at: path.display().to_string(), cause, fix: "choose a folder that has room, or run fewer cycles" }
}

#[inline]
fn check_field(place: Place, lsb: u32, width_bits: u32) {
    let end = u64::from(lsb) + u64::from(width_bits);
    assert!(
        width_bits <= 64 && end <= u64::from(place.width_bits),
        "the field of {width_bits} bits from bit {lsb} is not within the port of {} bits",
        place.width_bits
    );
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: `sim` came from `new` and is deleted once; the library is still loaded.
        unsafe { (self.library.functions.delete)(self.sim.as_ptr()) }
    }
}
