//! The registers: layer descriptor, parameters, programming, state, interrupt, counters.

mod counters;
mod descriptor;
mod port;
mod programming;

use crate::build::{Header, Module, lit};
use basisn_arch::{ChipConfig, registers as map};
use port::Port;

const HEADER: Header = Header::new(
    "Registers of the core: describe and start a layer, store parameters, program cells, count.",
    "0 cycles to read data; 1 cycle from a write to its effect; start_request is high in the cycle of its write.",
    "write_ready is low only for a write to PROGRAM_LEVEL while the program controller isn't ready for it.",
    "A refused write has no effect. No cell is written and no layer started before a failed cell was taken.",
);

/// The registers of a core.
pub fn registers(config: &ChipConfig) -> Module {
    let mut m = Module::new("registers", HEADER);
    let mut port = Port::new(&mut m);
    for (address, value) in
        [(map::ID, map::ID_VALUE), (map::GEOMETRY0, map::geometry0(config)), (map::GEOMETRY1, map::geometry1(config))]
    {
        port.read(address, &[(0, &lit(u64::from(value), 32))]);
    }
    descriptor::descriptor(&mut m, &mut port, config);
    programming::parameters(&mut m, &mut port, config);
    let [cell_ready, programming] = ["cell_ready", "programming"].map(|name| m.input(name, 1));
    programming::programming(&mut m, &mut port, config, &cell_ready);
    programming::verification(&mut m, &mut port, config, &programming);
    let busy = counters::control(&mut m, &mut port, &programming);
    counters::counters(&mut m, &mut port, config, &busy);
    port.finish(&mut m, &cell_ready);
    m
}
