//! The time of a plan: phases compute one after the other, and crossbars are written as soon as they are free.

use std::collections::VecDeque;

/// Tiles that are in the crossbars at the same time and compute together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Phase {
    /// Crossbars that must be written; those whose contents stay are not counted.
    pub crossbars: f64,
    /// Time to write one of them.
    pub write_ns: f64,
    /// Bits that stream in from off-chip.
    pub bits: f64,
    /// Time to compute.
    pub compute_ns: f64,
}

/// What limits writing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Crossbars that take turns.
    pub crossbars: f64,
    /// Crossbars that are written at the same time.
    pub at_once: f64,
    /// Bits from off-chip in one ns.
    pub bits_per_ns: f64,
    /// Writing and computing may overlap.
    pub overlap: bool,
}

/// Time of one inference after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Time {
    /// From the end of one inference to the end of the next.
    pub period_ns: f64,
    /// Of this, computing.
    pub compute_ns: f64,
}

/// Plays three inferences in a row and gives the time between the last ones.
///
/// Crossbars become free in the order in which they were used, so a queue of (how many, since when) is enough.
pub fn play(phases: &[Phase], limits: &Limits) -> Time {
    let mut free: VecDeque<(f64, f64)> = VecDeque::from([(limits.crossbars, 0.0)]);
    let (mut end, mut gate, mut room) = (0.0f64, 0.0f64, limits.crossbars);
    let (mut channel, mut drivers) = (0.0f64, 0.0f64);
    let mut ends = Vec::with_capacity(3);
    for _ in 0..3 {
        for phase in phases {
            let mut ready = 0.0;
            if phase.crossbars > 0.0 {
                let mut begin = take(&mut free, phase.crossbars);
                if !limits.overlap {
                    // A round is written when the one before is done with computing.
                    if phase.crossbars > room + 1e-9 {
                        (gate, room) = (end, limits.crossbars);
                    }
                    room -= phase.crossbars;
                    begin = begin.max(gate);
                }
                let mut write_ns = phase.write_ns;
                if limits.at_once < limits.crossbars {
                    begin = begin.max(drivers);
                    write_ns *= (phase.crossbars / limits.at_once).max(1.0);
                    drivers = begin + write_ns;
                }
                channel = channel.max(begin) + phase.bits / limits.bits_per_ns;
                ready = channel.max(begin + write_ns);
            }
            end = end.max(ready) + phase.compute_ns;
            if phase.crossbars > 0.0 {
                free.push_back((phase.crossbars, end));
            }
        }
        ends.push(end);
    }
    Time { period_ns: (ends[2] - ends[0]) / 2.0, compute_ns: phases.iter().map(|p| p.compute_ns).sum() }
}

/// Takes crossbars from the front of the queue; gives the time from which all of them are free.
fn take(free: &mut VecDeque<(f64, f64)>, mut count: f64) -> f64 {
    let mut since = 0.0;
    while let Some((there, at)) = free.front_mut() {
        since = *at;
        if *there > count + 1e-9 {
            *there -= count;
            break;
        }
        count -= *there;
        free.pop_front();
        if count <= 1e-9 {
            break;
        }
    }
    since
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { crossbars: 2.0, at_once: 100.0, bits_per_ns: f64::INFINITY, overlap: true };

    fn phase(crossbars: f64, write_ns: f64, compute_ns: f64) -> Phase {
        Phase { crossbars, write_ns, compute_ns, bits: 0.0 }
    }

    #[test]
    fn writing_hides_behind_computing_where_crossbars_are_spare() {
        // Two crossbars in turn: while one computes for 10 the other is written in 7.
        let phases = [phase(1.0, 7.0, 10.0), phase(1.0, 7.0, 10.0)];
        assert_eq!(play(&phases, &LIMITS).period_ns, 20.0);
        assert_eq!(play(&phases, &Limits { crossbars: 1.0, ..LIMITS }).period_ns, 34.0);
        // Without overlap both are written at once, then compute one after the other.
        assert_eq!(play(&phases, &Limits { overlap: false, ..LIMITS }).period_ns, 27.0);
        // Writing takes longer than computing: it sets the pace of each crossbar.
        let slow = [phase(1.0, 30.0, 10.0), phase(1.0, 30.0, 10.0)];
        assert_eq!(play(&slow, &LIMITS).period_ns, 40.0);
    }

    #[test]
    fn drivers_and_the_edge_of_the_chip_limit_writing() {
        let phases = [phase(2.0, 5.0, 10.0)];
        assert_eq!(play(&phases, &LIMITS).period_ns, 15.0);
        assert_eq!(play(&phases, &Limits { at_once: 1.0, ..LIMITS }).period_ns, 20.0);
        let streamed = [Phase { bits: 100.0, ..phases[0] }];
        assert_eq!(play(&streamed, &Limits { bits_per_ns: 5.0, ..LIMITS }).period_ns, 30.0);
    }

    #[test]
    fn what_stays_is_not_written() {
        assert_eq!(play(&[phase(0.0, 9.0, 4.0), phase(2.0, 1.0, 3.0)], &LIMITS).period_ns, 7.0);
    }
}
