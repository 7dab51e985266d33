//! Names that every tool accepts, each with one meaning.

use std::collections::{BTreeMap, BTreeSet};

use super::parse::Statement;
use super::tokens::Token;
use crate::error::Error;

/// Reserved in Verilog-2001 or in SystemVerilog, which many tools read instead.
const KEYWORDS: &str = " always always_comb always_ff always_latch and alias assert assign assume automatic before begin \
    bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config \
    const constraint context continue cover covergroup coverpoint cross deassign default defparam design disable dist do \
    edge else end endcase endclass endclocking endconfig endfunction endgenerate endgroup endinterface endmodule \
    endpackage endprimitive endprogram endproperty endspecify endsequence endtable endtask enum event eventually expect \
    export extends extern final first_match for force foreach forever fork forkjoin function generate genvar global \
    highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies import incdir include initial inout input \
    inside instance int integer interconnect interface intersect join join_any join_none large let liblist library local \
    localparam logic longint macromodule matches medium modport module nand negedge nettype new nexttime nmos nor \
    noshowcancelled not notif0 notif1 null or output package packed parameter pmos posedge primitive priority program \
    property protected pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase \
    randsequence rcmos real realtime ref reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 \
    s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal showcancelled signed small \
    soft solve specify specparam static string strong strong0 strong1 struct super supply0 supply1 sync_accept_on \
    sync_reject_on table tagged task this throughout time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand \
    trior trireg type typedef union unique unique0 unsigned until until_with untyped use uwire var vectored virtual void \
    wait wait_order wand weak weak0 weak1 while wildcard wire with within wor xnor xor ";

/// What is wrong with an identifier, if anything.
pub(super) fn mistake(name: &str) -> Option<&'static str> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Some("a name has letters, digits and underscores, a letter first")
    } else if KEYWORDS.contains(&format!(" {name} ")) {
        Some("it is a reserved word")
    } else {
        None
    }
}

/// From Rust-HDL's names to emitted ones; no two nets or instances share one.
pub(super) struct Names<'a> {
    module: &'a str,
    emitted: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl<'a> Names<'a> {
    pub(super) fn new(module: &'a str) -> Names<'a> {
        Names { module, emitted: BTreeMap::new(), taken: BTreeSet::new() }
    }

    fn error(&self, name: &str, cause: &str) -> Error {
        Error::Name { module: self.module.into(), name: name.into(), cause: cause.into() }
    }

    /// A name that is no net's: an instance.
    pub(super) fn take(&mut self, name: &str) -> Result<(), Error> {
        match mistake(name) {
            Some(cause) => Err(self.error(name, cause)),
            None if !self.taken.insert(name.into()) => Err(self.error(name, "two things have this name")),
            None => Ok(()),
        }
    }

    /// A net's name in both forms.
    pub(super) fn add(&mut self, generated: &str, emitted: String) -> Result<String, Error> {
        self.take(&emitted)?;
        self.emitted.insert(generated.into(), emitted.clone());
        Ok(emitted)
    }

    pub(super) fn get(&self, generated: &str) -> Result<String, Error> {
        self.emitted.get(generated).cloned().ok_or_else(|| self.error(generated, "it is not declared"))
    }

    /// Renames all nets of the statements.
    pub(super) fn rename(&self, statements: &mut [Statement]) -> Result<(), Error> {
        for statement in statements {
            match statement {
                Statement::Set { net, value, .. } => {
                    *net = self.get(net)?;
                    self.rename_value(value)?;
                }
                Statement::If { condition, then, otherwise } => {
                    self.rename_value(condition)?;
                    self.rename(then)?;
                    self.rename(otherwise)?;
                }
            }
        }
        Ok(())
    }

    fn rename_value(&self, value: &mut [Token]) -> Result<(), Error> {
        for token in value {
            if let Token::Name(name) = token {
                *name = self.get(name)?;
            }
        }
        Ok(())
    }
}
