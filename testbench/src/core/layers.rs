//! Layers of a core: descriptor, streams with monitors on every handshake, counters, recovery.

use basisn_arch::Counters;
use basisn_arch::registers::{self as reg, ErrorCode};

use super::streams::{Beats, ResultBeat, Writes, set_bytes};
use super::{Core, LayerResult};
use crate::{Error, LayerStimulus, Stalls};

impl Core {
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
}
