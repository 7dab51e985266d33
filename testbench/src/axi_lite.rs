//! An AXI4-Lite master that asks for one thing at a time, and takes every response at once.

use verilated::{Input, Model, Output};

use crate::Error;

/// The answer to an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// Done.
    Okay,
    /// Refused, without effect.
    SlaveError,
    /// A code that the core never gives.
    Other(u64),
}

impl From<u64> for Response {
    fn from(code: u64) -> Self {
        match code {
            0 => Response::Okay,
            2 => Response::SlaveError,
            code => Response::Other(code),
        }
    }
}

/// The ports `s_axil_*`.
#[derive(Debug)]
pub(crate) struct AxiLite {
    awaddr: Input,
    awvalid: Input,
    awready: Output,
    wdata: Input,
    wstrb: Input,
    wvalid: Input,
    wready: Output,
    bresp: Output,
    bvalid: Output,
    araddr: Input,
    arvalid: Input,
    arready: Output,
    rdata: Output,
    rresp: Output,
    rvalid: Output,
}

/// A write that has no answer yet: whether its address and its data have been taken.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    taken: [bool; 2],
}

impl AxiLite {
    /// Finds the ports; the master asks for nothing yet.
    pub fn new(model: &mut Model) -> Result<Self, Error> {
        for (port, value) in [("awprot", 0), ("arprot", 0), ("bready", 1), ("rready", 1)] {
            let port = model.input(&format!("s_axil_{port}"))?;
            model.set(port, value);
        }
        let ports = AxiLite {
            awaddr: model.input("s_axil_awaddr")?,
            awvalid: model.input("s_axil_awvalid")?,
            awready: model.output("s_axil_awready")?,
            wdata: model.input("s_axil_wdata")?,
            wstrb: model.input("s_axil_wstrb")?,
            wvalid: model.input("s_axil_wvalid")?,
            wready: model.output("s_axil_wready")?,
            bresp: model.output("s_axil_bresp")?,
            bvalid: model.output("s_axil_bvalid")?,
            araddr: model.input("s_axil_araddr")?,
            arvalid: model.input("s_axil_arvalid")?,
            arready: model.output("s_axil_arready")?,
            rdata: model.output("s_axil_rdata")?,
            rresp: model.output("s_axil_rresp")?,
            rvalid: model.output("s_axil_rvalid")?,
        };
        for port in [ports.awvalid, ports.wvalid, ports.arvalid] {
            model.set(port, 0);
        }
        Ok(ports)
    }

    /// Asks for a write; returns in the cycle of the response.
    pub fn write(
        &self,
        model: &mut Model,
        address: u32,
        value: u32,
        strobes: u32,
        limit: u64,
    ) -> Result<Response, Error> {
        model.set(self.awaddr, u64::from(address));
        model.set(self.wdata, u64::from(value));
        model.set(self.wstrb, u64::from(strobes));
        hand_over(model, address, [(self.awvalid, self.awready), (self.wvalid, self.wready)])?;
        wait(model, address, self.bvalid, limit)?;
        Ok(model.get(self.bresp).into())
    }

    /// Asks for a write that goes on beside the streams.
    pub fn ask(&self, model: &mut Model, address: u32, value: u32) -> Asked {
        model.set(self.awaddr, u64::from(address));
        model.set(self.wdata, u64::from(value));
        model.set(self.wstrb, 0xf);
        model.set(self.awvalid, 1);
        model.set(self.wvalid, 1);
        Asked::default()
    }

    /// The answer, if it is there. To be called once a cycle, after the model has settled.
    pub fn answer(&self, model: &mut Model, asked: &mut Asked) -> Option<Response> {
        asked.taken[0] |= model.get(self.awready) == 1;
        asked.taken[1] |= model.get(self.wready) == 1;
        (model.get(self.bvalid) == 1).then(|| model.get(self.bresp).into())
    }

    /// Withdraws what was taken in the cycle before. To be called once a cycle, before the model settles.
    pub fn withdraw(&self, model: &mut Model, asked: &Asked) {
        for (taken, valid) in asked.taken.iter().zip([self.awvalid, self.wvalid]) {
            if *taken {
                model.set(valid, 0);
            }
        }
    }

    /// Asks for a read; returns in the cycle of the response.
    pub fn read(&self, model: &mut Model, address: u32) -> Result<(Response, u32), Error> {
        model.set(self.araddr, u64::from(address));
        hand_over(model, address, [(self.arvalid, self.arready)])?;
        wait(model, address, self.rvalid, PATIENCE)?;
        Ok((model.get(self.rresp).into(), model.get(self.rdata) as u32))
    }
}

/// Cycles within which the core takes an address and answers a read.
const PATIENCE: u64 = 1000;

/// Holds each valid until its ready; returns after the last transfer.
fn hand_over<const N: usize>(model: &mut Model, address: u32, channels: [(Input, Output); N]) -> Result<(), Error> {
    let mut open = [true; N];
    for (valid, _) in channels {
        model.set(valid, 1);
    }
    for _ in 0..PATIENCE {
        model.settle()?;
        let ready = channels.map(|(_, ready)| model.get(ready) == 1);
        model.tick()?;
        for ((open, ready), (valid, _)) in open.iter_mut().zip(ready).zip(channels) {
            if *open && ready {
                *open = false;
                model.set(valid, 0);
            }
        }
        if !open.contains(&true) {
            return Ok(());
        }
    }
    Err(hang(model, address, PATIENCE, "the core does not take the address or the data"))
}

/// Ticks until `valid`, which is looked at before the first tick.
fn wait(model: &mut Model, address: u32, valid: Output, limit: u64) -> Result<(), Error> {
    for _ in 0..limit {
        model.settle()?;
        if model.get(valid) == 1 {
            return Ok(());
        }
        model.tick()?;
    }
    Err(hang(model, address, limit, "the core does not answer"))
}

fn hang(model: &Model, address: u32, cycles: u64, state: &str) -> Error {
    Error::Hang { at: format!("register 0x{address:02x}, cycle {}", model.cycle()), cycles, state: state.into() }
}
