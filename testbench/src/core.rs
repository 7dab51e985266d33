//! Drives one generated core: AXI4-Lite registers, AXI4-Stream slot, activation and result streams, with monitors on every handshake.

use basisn_arch::ChipConfig;
use basisn_arch::registers::{self as reg, ErrorCode};
use verilated::{Input, Model, Output, WideInput, WideOutput};

use crate::axi_lite::{Asked, AxiLite, Response};
use crate::{Counters, Error, LayerStimulus, Stalls};

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
        let lanes = 0..self.config.lanes() as u32;
        let mut counter = |address| self.read(address).map(u64::from);
        result.counters = Counters {
            cycles: counter(reg::CYCLES)?,
            reads: counter(reg::READS)?,
            wait_slots: counter(reg::WAIT_SLOTS)?,
            wait_activations: counter(reg::WAIT_ACTIVATIONS)?,
            wait_results: counter(reg::WAIT_RESULTS)?,
            wait_macro: counter(reg::WAIT_MACRO)?,
            slots: counter(reg::SLOTS)?,
            skipped_planes: counter(reg::SKIPPED_PLANES)?,
        };
        result.saturated = lanes.map(|lane| counter(reg::SATURATED + 4 * lane)).collect::<Result<_, _>>()?;
        Ok(result)
    }

    /// Clears the core: it stops what it does and forgets an error. Both input streams must have ended; results are thrown away.
    ///
    /// # Errors
    /// The core doesn't come to rest, or the simulation fails.
    pub fn clear(&mut self) -> Result<(), Error> {
        self.model.set(self.ports.result_ready, 1);
        self.write(reg::CONTROL, reg::CONTROL_CLEAR)?;
        let mut polls = 0;
        while self.read(reg::STATUS)? != 0 {
            polls += 1;
            if polls > 1000 {
                let state = "the core is still busy after a clear".to_string();
                return Err(Error::Hang { at: self.place("clear"), cycles: polls, state });
            }
        }
        self.model.set(self.ports.result_ready, 0);
        Ok(())
    }

    fn stream(&mut self, name: &str, stimulus: &LayerStimulus, stalls: &mut Stalls) -> Result<LayerResult, Error> {
        let beat = self.config.activation_stream_bytes();
        let mut slots = Beats::new(stimulus.slot_beats());
        let mut activations = Beats::new(stimulus.activations.len() / beat);
        let total = stimulus.results();
        let mut result = LayerResult::default();
        let mut held: Option<ResultBeat> = None;
        let mut idle = 0u64;
        let mut writes = Writes::new(self.model.cycle(), &stimulus.during);
        let mut ended = false;
        let p = &self.ports;
        // A core that has stopped still takes every beat.
        while !ended || slots.left() + activations.left() > 0 || writes.left() {
            if let Some(i) = slots.offer(stalls) {
                self.model.set_words(p.slot_data, stimulus.slot_beat(i));
                self.model.set(p.slot_last, u64::from(stimulus.slot_tlast.contains(&i)));
            }
            if let Some(i) = activations.offer(stalls) {
                set_bytes(&mut self.model, p.activation_data, &stimulus.activations[i * beat..(i + 1) * beat]);
                self.model.set(p.activation_last, u64::from(stimulus.activation_tlast.contains(&i)));
            }
            let take = !stalls.now();
            self.model.set(p.slot_valid, u64::from(slots.valid));
            self.model.set(p.activation_valid, u64::from(activations.valid));
            self.model.set(p.result_ready, u64::from(take));
            if writes.begin(&mut self.model, &p.axil) {
                // Who clears the core sends no more.
                slots.end();
                activations.end();
            }
            self.model.settle()?;
            let moved = slots.transfer(self.model.get(p.slot_ready) == 1)
                | activations.transfer(self.model.get(p.activation_ready) == 1);
            result.answers.extend(writes.answer(&mut self.model, &p.axil));
            let valid = self.model.get(p.result_valid) == 1;
            let beat_out = valid.then(|| ResultBeat::of(&self.model, p));
            if held.is_some() && held != beat_out {
                return Err(self.broken(name, "a result was withdrawn or changed while it waited".into()));
            }
            held = beat_out.filter(|_| !take);
            if let Some(beat_out) = beat_out.filter(|_| take) {
                if ended
                    || result.values.len()
                        > total + self.config.psum_words() * self.config.tiles() * self.config.lanes()
                {
                    return Err(self.broken(name, format!("results after the last one, or none with `last`: {total}")));
                }
                ended = beat_out.last;
                result.values.extend(beat_out.results());
                result.at_cycle.resize(result.values.len(), self.model.cycle());
            }
            self.model.tick()?;
            idle = if moved || valid { 0 } else { idle + 1 };
            // After a layer's regular end there is nothing to wait for.
            if idle > if ended { 100 } else { self.patience() } {
                break;
            }
        }
        self.model.set(p.slot_valid, 0);
        self.model.set(p.activation_valid, 0);
        self.model.set(p.result_ready, 0);
        let state = format!(
            "slot beats {}, activation beats {}, results {} of {total}",
            slots.progress(),
            activations.progress(),
            result.values.len()
        );
        // A layer that was stopped gives one beat more, with `last`; it has no result if it can say so.
        let error = self.read(reg::ERROR)?;
        if slots.left() + activations.left() > 0 {
            return Err(Error::Hang { at: self.place(name), cycles: idle, state });
        }
        if ended && (error != 0 || writes.cleared || result.values.len() < total) {
            if error == 0 && !writes.cleared {
                return Err(self.broken(name, format!("the core ended the layer early: {state}")));
            }
            let (code, place) = (ErrorCode::of(error), (error >> 8) as u8);
            let results = result.values.len() - usize::from(self.ports.result_keep.is_none());
            return Err(Error::Stopped { at: self.place(name), code, place, results });
        }
        if ended && result.values.len() > total {
            return Err(self.broken(name, format!("more results than the layer has: {state}")));
        }
        if !ended {
            return Err(Error::Hang { at: self.place(name), cycles: idle, state });
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

    pub(crate) fn broken(&self, name: &str, cause: String) -> Error {
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

/// What the result stream shows.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ResultBeat {
    data: [u64; MOST_RESULTS],
    count: usize,
    last: bool,
}

/// Most results of a beat.
const MOST_RESULTS: usize = 16;

impl ResultBeat {
    fn of(model: &Model, ports: &Ports) -> Self {
        let count = ports.result_keep.map_or(1, |keep| {
            (0..MOST_RESULTS)
                .take_while(|i| 8 * i < keep.width_bits() as usize && model.field(keep, 8 * *i as u32, 8) == 0xff)
                .count()
        });
        let mut data = [0; MOST_RESULTS];
        for (i, value) in data.iter_mut().take(count).enumerate() {
            *value = model.field(ports.result_data, 64 * i as u32, 64);
        }
        ResultBeat { data, count, last: model.get(ports.result_last) == 1 }
    }

    fn results(&self) -> impl Iterator<Item = i64> {
        self.data.into_iter().take(self.count).map(u64::cast_signed)
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

    /// Offers no beat after the one that is offered now.
    fn end(&mut self) {
        self.total = self.next + usize::from(self.valid);
    }

    fn left(&self) -> usize {
        self.total - self.next
    }

    fn progress(&self) -> String {
        format!("{} of {}", self.next, self.total)
    }
}

/// Register writes in the middle of a layer, one after the other.
struct Writes<'a> {
    from: u64,
    next: &'a [(u64, u32, u32)],
    asked: Option<Asked>,
    /// The core was told to clear.
    cleared: bool,
}

impl<'a> Writes<'a> {
    fn new(from: u64, writes: &'a [(u64, u32, u32)]) -> Self {
        // The answer to the start is still there in the first cycle.
        Writes { from: from + 1, next: writes, asked: None, cleared: false }
    }

    /// Before a cycle; tells whether the core is told to clear.
    fn begin(&mut self, model: &mut Model, axil: &AxiLite) -> bool {
        if let Some(asked) = &self.asked {
            axil.withdraw(model, asked);
        } else if let Some(&(cycle, address, value)) = self.next.first()
            && model.cycle() >= self.from + cycle
        {
            self.asked = Some(axil.ask(model, address, value));
            self.cleared |= address == reg::CONTROL && value & reg::CONTROL_CLEAR != 0;
            return self.cleared;
        }
        false
    }

    fn answer(&mut self, model: &mut Model, axil: &AxiLite) -> Option<Response> {
        let answer = axil.answer(model, self.asked.as_mut()?)?;
        self.asked = None;
        self.next = &self.next[1..];
        Some(answer)
    }

    fn left(&self) -> bool {
        self.asked.is_some()
    }
}
