//! What a module's statements write and connect.

use super::expression::Expr;

/// Something that may be written: a local, an output, a register's next value, a child's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    pub(crate) name: String,
    pub(crate) width: usize,
    pub(crate) mistake: Option<String>,
}

impl Net {
    pub(crate) fn new(name: String, width: usize) -> Net {
        Net { name, width, mistake: None }
    }

    /// The value as far as it has been set by the statements before the use.
    pub fn read(&self) -> Expr {
        match &self.mistake {
            Some(cause) => Expr::poison(self.width, cause.clone()),
            None => Expr::signal(self.name.clone(), self.width),
        }
    }

    /// Width in bits.
    pub fn width(&self) -> usize {
        self.width
    }
}

/// A register with synchronous reset to 0; it keeps its value where its next value is not set.
#[derive(Clone, Debug)]
pub struct Register {
    pub(crate) name: String,
    pub(crate) width: usize,
}

impl Register {
    /// The registered value.
    pub fn q(&self) -> Expr {
        Expr::signal(format!("{}$q", self.name), self.width)
    }

    /// The next value.
    pub fn d(&self) -> Net {
        Net::new(format!("{}$d", self.name), self.width)
    }
}

/// A memory with one write port and one registered read port; a read of the word that is being written gives the old word.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Store `write_data` at `write_address`.
    pub write_enable: Net,
    /// Address of the word to be stored.
    pub write_address: Net,
    /// The word to be stored.
    pub write_data: Net,
    /// Read; without it `read_data` keeps its value.
    pub read_enable: Net,
    /// Address of the word to be read.
    pub read_address: Net,
    /// The word read in the cycle before.
    pub read_data: Expr,
}

/// A child module or black box; its inputs must all be set.
#[derive(Clone, Debug)]
pub struct Instance {
    pub(crate) name: String,
    pub(crate) inputs: Vec<(String, usize)>,
    pub(crate) outputs: Vec<(String, usize)>,
}

impl Instance {
    /// The child's input of that name.
    pub fn input(&self, port: &str) -> Net {
        match self.inputs.iter().find(|(name, _)| name == port) {
            Some((_, width)) => Net::new(format!("{}${port}", self.name), *width),
            None => {
                let mistake = Some(format!("instance {} has no input {port}", self.name));
                Net { name: format!("{}${port}", self.name), width: 1, mistake }
            }
        }
    }

    /// The child's output of that name.
    pub fn output(&self, port: &str) -> Expr {
        match self.outputs.iter().find(|(name, _)| name == port) {
            Some((_, width)) => Expr::signal(format!("{}${port}", self.name), *width),
            None => Expr::poison(1, format!("instance {} has no output {port}", self.name)),
        }
    }
}

/// A module whose body comes from elsewhere: the macro. It always has the inputs `clock` and `reset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlackBox {
    pub(crate) module_name: String,
    pub(crate) inputs: Vec<(String, usize)>,
    pub(crate) outputs: Vec<(String, usize)>,
}

impl BlackBox {
    /// A black box that has only `clock` and `reset` yet.
    pub fn new(module_name: impl Into<String>) -> BlackBox {
        BlackBox { module_name: module_name.into(), inputs: Vec::new(), outputs: Vec::new() }
    }

    /// Adds an input.
    pub fn input(mut self, name: &str, width: usize) -> BlackBox {
        self.inputs.push((name.into(), width));
        self
    }

    /// Adds an output.
    pub fn output(mut self, name: &str, width: usize) -> BlackBox {
        self.outputs.push((name.into(), width));
        self
    }
}
