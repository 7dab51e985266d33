//! A built model, loaded into this process.

use crate::ports::PortInfo;
use crate::{Error, Model, Result, shim};
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The C++ side of a model.
#[repr(C)]
pub(crate) struct Sim {
    _private: [u8; 0],
}

/// The functions of the shim, as declared in `shim.cpp`.
#[derive(Clone, Copy)]
pub(crate) struct Functions {
    pub new: unsafe extern "C" fn(u32, *mut c_void, *const c_char) -> *mut Sim,
    pub delete: unsafe extern "C" fn(*mut Sim),
    pub clock: unsafe extern "C" fn(*mut Sim, *mut u8),
    pub settle: unsafe extern "C" fn(*mut Sim) -> i32,
    pub tick: unsafe extern "C" fn(*mut Sim) -> i32,
    pub run: unsafe extern "C" fn(*mut Sim, u64) -> i32,
    pub cycle: unsafe extern "C" fn(*const Sim) -> u64,
    pub status: unsafe extern "C" fn(*const Sim) -> i32,
    pub message: unsafe extern "C" fn(*const Sim) -> *const c_char,
    pub trace_open: unsafe extern "C" fn(*mut Sim, *const c_char) -> i32,
    pub trace_flush: unsafe extern "C" fn(*mut Sim) -> i32,
    pub trace_close: unsafe extern "C" fn(*mut Sim) -> i32,
    pub ports: unsafe extern "C" fn(*mut Sim, *mut *mut u8) -> u32,
    port_table: unsafe extern "C" fn() -> *const c_char,
}

/// A loaded library with what its models share. Models hold it, so the code stays loaded while one lives.
pub(crate) struct Loaded {
    pub functions: Functions,
    pub top: String,
    pub clock: Option<String>,
    pub ports: Vec<PortInfo>,
    path: PathBuf,
    cached: bool,
    library: libloading::Library,
}

/// A verilated module, built and loaded: makes [`Model`]s. Cheap to clone.
#[derive(Clone)]
pub struct Library(Arc<Loaded>);

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").field("top", &self.0.top).field("path", &self.0.path).finish_non_exhaustive()
    }
}

impl Library {
    pub(crate) fn load(path: PathBuf, top: String, clock: Option<String>, cached: bool) -> Result<Self> {
        // SAFETY: the file was built by this crate from Verilator's output; its initialisers only set up C++ statics.
        let library =
            unsafe { libloading::Library::new(&path) }.map_err(|error| load_error(&path, &with_source(&error)))?;
        // SAFETY: the cache key includes the shim's text, so the functions have the types that `Functions` gives them.
        let functions =
            unsafe { Functions::find(&library) }.map_err(|error| load_error(&path, &with_source(&error)))?;
        // SAFETY: the shim returns a string literal, which lives as long as the library.
        let table = unsafe { CStr::from_ptr((functions.port_table)()) };
        let ports = shim::parse_table(&table.to_string_lossy())
            .ok_or_else(|| load_error(&path, &"the table of ports cannot be read"))?;
        Ok(Library(Arc::new(Loaded { functions, top, clock, ports, path, cached, library })))
    }

    /// Whether the library was in the cache, so that nothing was built.
    pub fn cached(&self) -> bool {
        self.0.cached
    }

    /// The library's file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The ports of the module.
    pub fn ports(&self) -> &[PortInfo] {
        &self.0.ports
    }

    /// A model with all registers zero; the same as `instance().start()`.
    pub fn instantiate(&self) -> Result<Model> {
        self.instance().start()
    }

    /// A model with options.
    pub fn instance(&self) -> Instance<'_> {
        Instance { library: self, seed: 0, user_data: std::ptr::null_mut(), argument: None }
    }

    /// Looks up a symbol, such as a setter declared `extern "C"` in the shim source.
    ///
    /// Callbacks must be in place before the first model is made, as `initial` blocks may call them.
    ///
    /// # Safety
    /// `T` must be a function pointer of the symbol's true type, and must not be called after this library and all its
    /// models are gone.
    pub unsafe fn symbol<T: Copy>(&self, name: &str) -> Result<T> {
        // SAFETY: the caller vouches for the type and for the time of use.
        let symbol = unsafe { self.0.library.get::<T>(name) }
            .map_err(|error| load_error(&self.0.path, &format!("symbol {name}: {}", with_source(&error))))?;
        Ok(*symbol)
    }
}

/// Options of a model that is about to start; from [`Library::instance`].
#[derive(Debug, Clone)]
pub struct Instance<'a> {
    library: &'a Library,
    seed: u32,
    user_data: *mut c_void,
    argument: Option<CString>,
}

impl Instance<'_> {
    /// An argument such as `+name=value`, which `$value$plusargs` finds.
    ///
    /// # Errors
    /// The argument has a zero byte.
    pub fn argument(mut self, argument: &str) -> Result<Self> {
        let text = CString::new(argument).map_err(|_| self.library.0.failed("an argument has a zero byte"))?;
        self.argument = Some(text);
        Ok(self)
    }

    /// Starts with random register contents instead of zeros: a design that lacks a reset then shows it. Seed 0 stands
    /// for zeros.
    pub fn random_state(mut self, seed: u32) -> Self {
        // Verilator takes the seed as a non-zero `int`.
        self.seed = if seed == 0 { 0 } else { (seed & 0x7fff_ffff).max(1) };
        self
    }

    /// A pointer that the shim source gets from `verilated_user_data()` while this model is evaluated, for callbacks
    /// with a state of their own for each model. It must be valid while the model lives; this crate never follows it.
    pub fn user_data(mut self, pointer: *mut c_void) -> Self {
        self.user_data = pointer;
        self
    }

    /// Makes the model.
    pub fn start(self) -> Result<Model> {
        Model::start(Arc::clone(&self.library.0), self.seed, self.user_data, self.argument.as_deref())
    }
}

impl Loaded {
    pub fn failed(&self, cause: &str) -> Error {
        load_error(&self.path, &cause)
    }
}

impl Functions {
    /// # Safety
    /// The library must be built with this crate's shim.
    unsafe fn find(library: &libloading::Library) -> std::result::Result<Self, libloading::Error> {
        macro_rules! find {
            ($($field:ident),*) => {
                // SAFETY: by the contract of `find`, each symbol has the type of its field.
                unsafe { Functions { $($field: *library.get(concat!("vrl_", stringify!($field)))?),* } }
            };
        }
        Ok(find!(
            new,
            delete,
            clock,
            settle,
            tick,
            run,
            cycle,
            status,
            message,
            trace_open,
            trace_flush,
            trace_close,
            ports,
            port_table
        ))
    }
}

fn load_error(path: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::Load { at: path.display().to_string(), cause: cause.to_string() }
}

/// The loader's own message is the source of the error that reports it.
fn with_source(error: &libloading::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
