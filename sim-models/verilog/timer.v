
  reg [@TIMER_MSB@:0] @TIMER@_cycles_left;
  assign @TIMER@_busy = @TIMER@_cycles_left != @TIMER_BITS@'d0;
  always @(posedge clock) begin
    if (reset) @TIMER@_cycles_left <= @TIMER_BITS@'d0;
    else if (@TIMER@_transfer) @TIMER@_cycles_left <= @TIMER_BITS@'d@TIMER_CYCLES@;
    else if (@TIMER@_busy) @TIMER@_cycles_left <= @TIMER@_cycles_left - @TIMER_BITS@'d1;
  end
