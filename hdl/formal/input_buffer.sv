// Proves: no bank is read while it is written, and a full one is not written; a taken beat goes to one memory, at one address.
// How:    induction 2
// Holds:  for reads of full banks only, a release with a read, and no start during a layer: sequencer and registers.
`include "reset.svh"

wire [1:0] f_filling = activation_valid && activation_ready ? 2'b01 << load_bank : 2'b00;
wire [1:0] f_reading = input_read ? 2'b01 << read_bank : 2'b00;

always @(*) begin
    if (input_read) assume (bank_full && !start);
    if (bank_release) assume (input_read);
    if (start) assume (!activation_valid);
    // A stopped layer's beats are taken and thrown away, which is no filling.
    assume (!discard && !flush);
    assume (block_positions >= 1 && block_positions <= 1 << $bits(input_position));
    assume (positions >= 1);
end

always @(*) if (f_started) begin
    assert ((f_filling & f_reading) == 0);
    assert ((f_filling & full) == 0);
    if (f_filling != 0 && input_read) assert (write_address != read_address);
    assert ((set_full & clear_full) == 0);
    assert (activation_ready == (loading && (full & (2'b01 << load_bank)) == 0));
    assert (bank_full == ((full & (2'b01 << read_bank)) != 0));
end
