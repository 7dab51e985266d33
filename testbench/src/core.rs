//! Drives one generated core: register port, slot, activation and result streams, with monitors on every handshake.

use basisn_arch::registers as reg;
use basisn_arch::{ChipConfig, Program};
use verilated::{Input, Model, Output, WideInput};

use crate::{Error, LayerStimulus, Stalls};

/// A running core.
#[derive(Debug)]
pub struct Core {
    model: Model,
    config: ChipConfig,
    ports: Ports,
}

#[derive(Debug)]
struct Ports {
    reset: Input,
    reg_valid: Input,
    reg_ready: Output,
    reg_write: Input,
    reg_address: Input,
    reg_write_data: Input,
    reg_read_data: Output,
    slot_valid: Input,
    slot_ready: Output,
    slot_data: WideInput,
    activation_valid: Input,
    activation_ready: Output,
    activation_data: WideInput,
    result_valid: Output,
    result_ready: Input,
    result_data: Output,
    result_last: Output,
}

/// The performance counters after a layer, in clock cycles and reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Cycles from start to the last result.
    pub cycles: u64,
    /// Reads that every macro made.
    pub reads: u64,
    /// Cycles without a read because a slot was not loaded.
    pub wait_slots: u64,
    /// Cycles without a read because activations were not loaded.
    pub wait_activations: u64,
    /// Cycles without a read because results had to leave first.
    pub wait_results: u64,
    /// Cycles without a read because a macro was not ready.
    pub wait_macro: u64,
}

impl Counters {
    /// Reads as a share of the cycles of `cores` cores, 0..1.
    pub fn issued(&self, cores: usize) -> f64 {
        self.reads as f64 / (self.cycles.max(1) * cores.max(1) as u64) as f64
    }

    /// Two cores that work at the same time: the slower one's cycles, the sum of everything else.
    pub fn beside(&self, other: &Counters) -> Counters {
        Counters {
            cycles: self.cycles.max(other.cycles),
            reads: self.reads + other.reads,
            wait_slots: self.wait_slots + other.wait_slots,
            wait_activations: self.wait_activations + other.wait_activations,
            wait_results: self.wait_results + other.wait_results,
            wait_macro: self.wait_macro + other.wait_macro,
        }
    }
}

/// What a core gave for a layer.
#[derive(Clone, Debug, Default)]
pub struct LayerResult {
    /// Results in the order of the result stream.
    pub values: Vec<i64>,
    /// Clock cycle, since reset, at which each result was transferred.
    pub at_cycle: Vec<u64>,
    /// Counters of the layer.
    pub counters: Counters,
}

impl Core {
    /// Takes a fresh model through reset and checks that it is the core of this configuration.
    ///
    /// # Errors
    /// A port is missing, or the identification registers do not fit.
    pub fn new(mut model: Model, config: &ChipConfig) -> Result<Self, Error> {
        let ports = Ports {
            reset: model.input("reset")?,
            reg_valid: model.input("reg_valid")?,
            reg_ready: model.output("reg_ready")?,
            reg_write: model.input("reg_write")?,
            reg_address: model.input("reg_address")?,
            reg_write_data: model.input("reg_write_data")?,
            reg_read_data: model.output("reg_read_data")?,
            slot_valid: model.input("slot_valid")?,
            slot_ready: model.output("slot_ready")?,
            slot_data: model.wide_input("slot_data")?,
            activation_valid: model.input("activation_valid")?,
            activation_ready: model.output("activation_ready")?,
            activation_data: model.wide_input("activation_data")?,
            result_valid: model.output("result_valid")?,
            result_ready: model.input("result_ready")?,
            result_data: model.output("result_data")?,
            result_last: model.output("result_last")?,
        };
        model.set(ports.reset, 1);
        model.run(3)?;
        model.set(ports.reset, 0);
        let mut core = Core { model, config: config.clone(), ports };
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
        let c = &self.config;
        let geometry0 = (c.rows() | c.columns() << 16) as u32;
        let geometry1 = c.tiles() | c.lanes() << 8 | c.adc_bits() << 16 | c.cell_bits() << 20;
        let geometry1 = (geometry1 | c.input_bits() << 24 | c.coefficient_planes() << 28) as u32;
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

    /// Writes a register.
    ///
    /// # Errors
    /// The port is not ready in time, or the simulation fails.
    pub fn write(&mut self, address: u32, value: u32) -> Result<(), Error> {
        self.access(address, Some(value)).map(|_| ())
    }

    /// Reads a register.
    ///
    /// # Errors
    /// The port is not ready in time, or the simulation fails.
    pub fn read(&mut self, address: u32) -> Result<u32, Error> {
        self.access(address, None)
    }

    fn access(&mut self, address: u32, write: Option<u32>) -> Result<u32, Error> {
        let limit = 1000 + 2 * self.config.program_cycles() as u64;
        let p = &self.ports;
        self.model.set(p.reg_valid, 1);
        self.model.set(p.reg_write, u64::from(write.is_some()));
        self.model.set(p.reg_address, u64::from(address));
        self.model.set(p.reg_write_data, u64::from(write.unwrap_or(0)));
        for _ in 0..limit {
            self.model.settle()?;
            let ready = self.model.get(p.reg_ready) == 1;
            let data = self.model.get(p.reg_read_data) as u32;
            self.model.tick()?;
            if ready {
                self.model.set(p.reg_valid, 0);
                return Ok(data);
            }
        }
        let at = format!("register 0x{address:02x}, cycle {}", self.model.cycle());
        Err(Error::Hang { at, cycles: limit, state: "the register port is not ready".into() })
    }

    /// Writes the basis into the crossbars through the programming port. Gives the cycles that it took.
    ///
    /// # Errors
    /// The simulation fails or the port hangs.
    pub fn program(&mut self, program: &Program) -> Result<u64, Error> {
        let from = self.model.cycle();
        for (tile, levels) in program.basis.iter().enumerate() {
            let select = if program.basis.len() == 1 { reg::PROGRAM_ALL_TILES } else { tile as u32 };
            self.write(reg::PROGRAM_TILE, select)?;
            self.write(reg::PROGRAM_CELL, 0)?;
            for &level in levels {
                self.write(reg::PROGRAM_LEVEL, i32::from(level).cast_unsigned())?;
            }
        }
        Ok(self.model.cycle() - from)
    }

    /// Runs one layer: descriptor, start, streams until the last result, counters. `name` is for messages.
    ///
    /// # Errors
    /// A rule of a handshake is broken, the core hangs, or the simulation fails.
    pub fn run_layer(
        &mut self,
        name: &str,
        stimulus: &LayerStimulus,
        stalls: &mut Stalls,
    ) -> Result<LayerResult, Error> {
        for &(address, value) in &stimulus.registers {
            self.write(address, value)?;
        }
        let mut result = self.stream(name, stimulus, stalls)?;
        if self.read(reg::STATUS)? != 0 {
            return Err(self.broken(name, "busy after the last result".into()));
        }
        let mut counter = |address| self.read(address).map(u64::from);
        result.counters = Counters {
            cycles: counter(reg::CYCLES)?,
            reads: counter(reg::READS)?,
            wait_slots: counter(reg::WAIT_SLOTS)?,
            wait_activations: counter(reg::WAIT_ACTIVATIONS)?,
            wait_results: counter(reg::WAIT_RESULTS)?,
            wait_macro: counter(reg::WAIT_MACRO)?,
        };
        Ok(result)
    }

    fn stream(&mut self, name: &str, stimulus: &LayerStimulus, stalls: &mut Stalls) -> Result<LayerResult, Error> {
        let beat = self.config.activation_stream_bytes();
        let mut slots = Beats::new(stimulus.slot_beats());
        let mut activations = Beats::new(stimulus.activations.len() / beat);
        let total = stimulus.results();
        let mut result = LayerResult::default();
        let mut held: Option<u64> = None;
        let mut idle = 0u64;
        let p = &self.ports;
        while result.values.len() < total {
            if let Some(i) = slots.offer(stalls) {
                self.model.set_words(p.slot_data, stimulus.slot_beat(i));
            }
            if let Some(i) = activations.offer(stalls) {
                set_bytes(&mut self.model, p.activation_data, &stimulus.activations[i * beat..(i + 1) * beat]);
            }
            let take = !stalls.now();
            self.model.set(p.slot_valid, u64::from(slots.valid));
            self.model.set(p.activation_valid, u64::from(activations.valid));
            self.model.set(p.result_ready, u64::from(take));
            self.model.settle()?;
            let moved = slots.transfer(self.model.get(p.slot_ready) == 1)
                | activations.transfer(self.model.get(p.activation_ready) == 1);
            let valid = self.model.get(p.result_valid) == 1;
            let data = self.model.get(p.result_data);
            if held.is_some_and(|h| !valid || h != data) {
                return Err(self.broken(name, "a result was withdrawn or changed while it waited".into()));
            }
            held = (valid && !take).then_some(data);
            if valid && take {
                result.values.push(data.cast_signed());
                result.at_cycle.push(self.model.cycle());
                if (self.model.get(p.result_last) == 1) != (result.values.len() == total) {
                    return Err(
                        self.broken(name, format!("`last` is wrong at result {} of {total}", result.values.len()))
                    );
                }
            }
            self.model.tick()?;
            idle = if moved || valid { 0 } else { idle + 1 };
            if idle > self.patience() {
                let state = format!(
                    "slot beats {}, activation beats {}, results {} of {total}",
                    slots.progress(),
                    activations.progress(),
                    result.values.len()
                );
                return Err(Error::Hang { at: self.place(name), cycles: idle, state });
            }
        }
        self.model.set(p.slot_valid, 0);
        self.model.set(p.activation_valid, 0);
        self.model.set(p.result_ready, 0);
        if slots.left() + activations.left() > 0 {
            let cause = format!(
                "all results are out, and beats are left: slots {}, activations {}",
                slots.left(),
                activations.left()
            );
            return Err(self.broken(name, cause));
        }
        Ok(result)
    }

    /// Longest time without a transfer on any stream: all reads of a slot, with room for stalls.
    fn patience(&self) -> u64 {
        let c = &self.config;
        10_000 + 20 * (c.position_block() * c.input_bits() * c.read_interval_cycles()) as u64
    }

    fn place(&self, name: &str) -> String {
        format!("{name}, cycle {}", self.model.cycle())
    }

    fn broken(&self, name: &str, cause: String) -> Error {
        Error::Protocol { at: self.place(name), cause }
    }
}

fn set_bytes(model: &mut Model, port: WideInput, bytes: &[u8]) {
    for (i, chunk) in bytes.chunks(8).enumerate() {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        model.set_field(port, 64 * i as u32, 8 * chunk.len() as u32, u64::from_le_bytes(word));
    }
}

/// Beats of one stream into the core: once offered, a beat stays until it is taken.
struct Beats {
    next: usize,
    total: usize,
    valid: bool,
}

impl Beats {
    fn new(total: usize) -> Self {
        Beats { next: 0, total, valid: false }
    }

    /// The beat that is newly offered in this cycle.
    #[inline]
    fn offer(&mut self, stalls: &mut Stalls) -> Option<usize> {
        if self.valid || self.next == self.total || stalls.now() {
            return None;
        }
        self.valid = true;
        Some(self.next)
    }

    #[inline]
    fn transfer(&mut self, ready: bool) -> bool {
        let moved = self.valid && ready;
        if moved {
            self.valid = false;
            self.next += 1;
        }
        moved
    }

    fn left(&self) -> usize {
        self.total - self.next
    }

    fn progress(&self) -> String {
        format!("{} of {}", self.next, self.total)
    }
}
