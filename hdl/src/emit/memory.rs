//! Memories: hand-written Verilog in the form that synthesis tools map to one memory.

use super::EmittedFile;
use super::render::header;
use crate::build::address_bits;

/// A memory with a write port and a registered read port.
pub(super) fn memory(words: usize, width: usize) -> EmittedFile {
    let name = format!("memory_{words}x{width}");
    let head = header(
        &format!("stores {words} words of {width} bits; one write port, one read port."),
        "1 cycle from read_enable to read_data.",
        "none: a write or a read in every cycle in which its enable is high.",
        "read_data holds its value without read_enable; a read of the word that is being written gives the old word.",
    );
    let range = |bits: usize| if bits == 1 { String::new() } else { format!("[{}:0] ", bits - 1) };
    let (address, data) = (range(address_bits(words)), range(width));
    let text = format!(
        "{head}module {name} (
    input  wire clock,
    input  wire write_enable,
    input  wire {address}write_address,
    input  wire {data}write_data,
    input  wire read_enable,
    input  wire {address}read_address,
    output reg  {data}read_data
);
    reg {data}store [0:{last}];

    always @(posedge clock) begin
        if (write_enable) store[write_address] <= write_data;
        if (read_enable) read_data <= store[read_address];
    end
endmodule
",
        last = words - 1
    );
    EmittedFile { name: format!("{name}.v"), text }
}
