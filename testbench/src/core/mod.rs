//! Drives one generated core: AXI4-Lite registers, AXI4-Stream slot, activation and result streams, with monitors on every handshake.

use basisn_arch::registers as reg;
use basisn_arch::{ChipConfig, Counters};
use verilated::{Input, Model, Output, WideInput, WideOutput};

use crate::Error;
use crate::axi_lite::{AxiLite, Response};

mod layers;
mod streams;

/// A running core.
#[derive(Debug)]
pub struct Core {
    model: Model,
    config: ChipConfig,
    ports: Ports,
    /// Most pulses of a cell.
    pub(crate) max_pulses: u64,
}

#[derive(Debug)]
struct Ports {
    reset: Input,
    axil: AxiLite,
    slot_valid: Input,
    slot_ready: Output,
    slot_data: WideInput,
    slot_last: Input,
    activation_valid: Input,
    activation_ready: Output,
    activation_data: WideInput,
    activation_last: Input,
    result_valid: Output,
    result_ready: Input,
    result_data: WideOutput,
    result_last: Output,
    /// With more than one result a beat.
    result_keep: Option<WideOutput>,
    irq: Output,
}

/// What a core gave for a layer.
#[derive(Clone, Debug, Default)]
pub struct LayerResult {
    /// Results in the order of the result stream.
    pub values: Vec<i64>,
    /// Clock cycle, since reset, at which each result was transferred.
    pub at_cycle: Vec<u64>,
    /// Answers to the writes that came while the layer ran.
    pub answers: Vec<Response>,
    /// Counters of the layer.
    pub counters: Counters,
    /// Codes of each lane at either end of the ADC's range.
    pub saturated: Vec<u64>,
}

impl Core {
    /// Takes a fresh model through reset and checks that it is the core of this configuration.
    ///
    /// # Errors
    /// A port is missing, or the identification registers do not fit.
    pub fn new(mut model: Model, config: &ChipConfig) -> Result<Self, Error> {
        let ports = Ports {
            reset: model.input("reset")?,
            axil: AxiLite::new(&mut model)?,
            slot_valid: model.input("s_axis_slot_tvalid")?,
            slot_ready: model.output("s_axis_slot_tready")?,
            slot_data: model.wide_input("s_axis_slot_tdata")?,
            slot_last: model.input("s_axis_slot_tlast")?,
            activation_valid: model.input("s_axis_act_tvalid")?,
            activation_ready: model.output("s_axis_act_tready")?,
            activation_data: model.wide_input("s_axis_act_tdata")?,
            activation_last: model.input("s_axis_act_tlast")?,
            result_valid: model.output("m_axis_out_tvalid")?,
            result_ready: model.input("m_axis_out_tready")?,
            result_data: model.wide_output("m_axis_out_tdata")?,
            result_keep: (config.drain_width() > 1).then(|| model.wide_output("m_axis_out_tkeep")).transpose()?,
            result_last: model.output("m_axis_out_tlast")?,
            irq: model.output("irq")?,
        };
        // Inputs start with random values, too.
        for port in [ports.slot_valid, ports.activation_valid, ports.result_ready] {
            model.set(port, 0);
        }
        model.set(ports.reset, 1);
        model.run(3)?;
        model.set(ports.reset, 0);
        let mut core = Core { model, config: config.clone(), ports, max_pulses: 1 };
        core.identify()?;
        Ok(core)
    }

    /// Completes the trace that the model writes, if any.
    ///
    /// # Errors
    /// The trace could not be written.
    pub fn close_trace(&mut self) -> Result<(), Error> {
        Ok(self.model.trace_close()?)
    }

    fn identify(&mut self) -> Result<(), Error> {
        let (geometry0, geometry1) = (reg::geometry0(&self.config), reg::geometry1(&self.config));
        for (address, name, expected) in [
            (reg::ID, "ID", reg::ID_VALUE),
            (reg::GEOMETRY0, "GEOMETRY0", geometry0),
            (reg::GEOMETRY1, "GEOMETRY1", geometry1),
        ] {
            let got = self.read(address)?;
            if got != expected {
                return Err(
                    self.broken("identification", format!("{name} reads 0x{got:08x}, 0x{expected:08x} expected"))
                );
            }
        }
        Ok(())
    }

    /// The model, for traces.
    pub fn model(&mut self) -> &mut Model {
        &mut self.model
    }

    /// Clock cycles since the model was made.
    pub fn cycle(&self) -> u64 {
        self.model.cycle()
    }

    /// Writes a register. Returns in the cycle of the response, which is the first after the write's effect; what comes next shares it.
    ///
    /// # Errors
    /// The core refuses the write or does not answer in time, or the simulation fails.
    pub fn write(&mut self, address: u32, value: u32) -> Result<(), Error> {
        match self.respond_to_write(address, value, 0xf)? {
            Response::Okay => Ok(()),
            refused => Err(self.broken("register write", format!("0x{address:02x} answers {refused:?}"))),
        }
    }

    /// Reads a register.
    ///
    /// # Errors
    /// The core refuses the read or does not answer in time, or the simulation fails.
    pub fn read(&mut self, address: u32) -> Result<u32, Error> {
        match self.respond_to_read(address)? {
            (Response::Okay, value) => Ok(value),
            (refused, _) => Err(self.broken("register read", format!("0x{address:02x} answers {refused:?}"))),
        }
    }

    /// Writes the bytes of a register whose strobes are 1 and gives the answer.
    ///
    /// # Errors
    /// No answer in time, or the simulation fails.
    pub fn respond_to_write(&mut self, address: u32, value: u32, strobes: u32) -> Result<Response, Error> {
        // A cell's write may have to wait for the one before, with all its pulses.
        let limit = 1000 + self.config.program_verify_cycles(self.max_pulses);
        self.ports.axil.write(&mut self.model, address, value, strobes, limit)
    }

    /// Reads a register and gives the answer with the data.
    ///
    /// # Errors
    /// No answer in time, or the simulation fails.
    pub fn respond_to_read(&mut self, address: u32) -> Result<(Response, u32), Error> {
        self.ports.axil.read(&mut self.model, address)
    }

    /// Whether the interrupt is raised.
    ///
    /// # Errors
    /// The simulation fails.
    pub fn interrupt(&mut self) -> Result<bool, Error> {
        self.model.settle()?;
        Ok(self.model.get(self.ports.irq) == 1)
    }

    fn place(&self, name: &str) -> String {
        format!("{name}, cycle {}", self.model.cycle())
    }

    pub(crate) fn broken(&self, name: &str, cause: String) -> Error {
        Error::Protocol { at: self.place(name), cause }
    }
}
