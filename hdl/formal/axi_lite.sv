// Proves: responses and write requests hold until they are taken; every address and every datum taken gets one response, every write
//         with the answer OKAY reaches the registers once, a refused one never.
// How:    induction 3
`include "reset.svh"

reg [7:0] f_addresses = 0, f_data_taken = 0, f_responses = 0, f_reads = 0, f_answers = 0, f_written = 0, f_okays = 0;
wire f_response = s_axil_bvalid && s_axil_bready;

always @(posedge clock) if (f_started) begin
    f_addresses <= f_addresses + (s_axil_awvalid && s_axil_awready);
    f_data_taken <= f_data_taken + (s_axil_wvalid && s_axil_wready);
    f_responses <= f_responses + f_response;
    f_written <= f_written + (write_valid && write_ready);
    f_okays <= f_okays + (f_response && s_axil_bresp == 2'b00);
    f_reads <= f_reads + (s_axil_arvalid && s_axil_arready);
    f_answers <= f_answers + (s_axil_rvalid && s_axil_rready);
    if ($past(f_started)) begin
        if ($past(s_axil_bvalid && !s_axil_bready)) assert (s_axil_bvalid && $stable(s_axil_bresp));
        if ($past(s_axil_rvalid && !s_axil_rready)) assert (s_axil_rvalid && $stable({s_axil_rresp, s_axil_rdata}));
        if ($past(write_valid && !write_ready)) assert ((write_valid || write_refused) && $stable({write_address, write_data}));
    end
end

// Taken and not yet answered: what is held, and the response that waits.
always @(*) if (f_started) begin
    assert (f_addresses - f_responses == address_held + b_valid);
    assert (f_data_taken - f_responses == data_held + b_valid);
    assert (f_reads - f_answers == r_valid);
    assert (f_written - f_okays == (b_valid && !b_refused));
    assert (!(s_axil_bvalid && s_axil_bresp[0]) && !(s_axil_rvalid && s_axil_rresp[0]));
end
