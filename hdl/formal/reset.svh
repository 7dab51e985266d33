// One cycle of reset, then none.
reg f_started = 1'b0;
always @(posedge clock) f_started <= 1'b1;
always @(*) assume (reset == !f_started);
