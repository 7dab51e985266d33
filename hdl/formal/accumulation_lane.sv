// Proves: an update is the sum over the input planes of +-2^i * code, times 2^j of the item, plus the neighbour's if that is
//         merged: step 5 of the arithmetic contract, for all codes, 1 plane to all, with pauses anywhere, for ever.
// How:    induction 2
// Chip:   adc.bits 4
`include "reset.svh"

(* anyconst *) reg [3:0] f_planes;
reg f_collecting = 1'b0, f_complete = 1'b0, f_updating = 1'b0;
reg [3:0] f_next_weight;
reg signed [31:0] f_contract, f_contract_term;
reg f_contract_valid, f_contract_merge;
wire [3:0] f_weight = code_first_plane ? f_planes - 4'd1 : f_next_weight;
wire signed [31:0] f_value = $signed(code) <<< f_weight;

always @(*) begin
    assume (f_planes >= 1 && f_planes <= $bits(sum) - $bits(code));
    // What tag_delay and the slot words say.
    if (code_valid) assume (code_first_plane == !f_collecting);
    if (code_negative) assume (code_first_plane);
    assume (term_load == f_complete);
    assume (item_plane <= $bits(term) - $bits(sum));
end

always @(posedge clock) if (f_started) begin
    f_complete <= code_valid && f_weight == 0;
    if (code_valid) begin
        f_contract <= (code_first_plane ? 32'sd0 : f_contract) + (code_negative ? -f_value : f_value);
        f_next_weight <= f_weight - 4'd1;
        f_collecting <= f_weight != 0;
    end
    f_updating <= term_load;
    if (term_load) begin
        f_contract_term <= f_contract <<< item_plane;
        f_contract_valid <= item_valid;
        f_contract_merge <= item_merge;
    end
end

wire signed [31:0] f_high = 32'sd1 <<< ($bits(code) - 1);
wire signed [31:0] f_sum_now = $signed(sum);
wire [3:0] f_codes = f_collecting ? f_planes - 4'd1 - f_next_weight : f_planes;
always @(*) if (f_started) begin
    assert (update_valid == (f_updating && f_contract_valid && !f_contract_merge));
    if (f_updating) begin
        assert (merge == (f_contract_valid && f_contract_merge));
        assert ($signed(term) == f_contract_term);
        assert ($signed(update_value) == f_contract_term + (next_merge ? $signed(next_term) : 32'sd0));
    end
    // What makes it so: the lane holds the sum divided by the weight of its last code, within the range of so many codes.
    if (f_collecting) assert (f_next_weight < f_planes - 4'd1 && f_contract == f_sum_now <<< (f_next_weight + 4'd1));
    if (f_complete) assert (f_contract == f_sum_now && !f_collecting);
    if (f_collecting || f_complete) begin
        assert (f_sum_now <= f_high * ((32'sd1 <<< f_codes) - 32'sd1));
        assert (-f_sum_now <= f_high * ((32'sd1 <<< f_codes) - 32'sd1));
    end
end
