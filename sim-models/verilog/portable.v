
@CELLS@
  function automatic [@CODES_MSB@:0] convert(
    input [@WORDLINES_MSB@:0] rows,
    input [@COLUMNS_MSB@:0] enable,
    input [@COLUMNS_MSB@:0] negative,
    input [@COLUMN_LANES_MSB@:0] lanes,
    input [2:0] shift,
    input verify
  );
    integer column;
    integer lane;
    reg signed [31:0] column_sum;
    reg signed [31:0] code;
    reg [@LANE_SUMS_MSB@:0] lane_sums;
    begin
      lane_sums = @LANE_SUMS_BITS@'d0;
      for (column = 0; column < @COLUMNS@; column = column + 1) begin
        if (enable[column]) begin
          lane = {@LANE_PAD@'d0, lanes[column * @LANE_BITS@ +: @LANE_BITS@]};
          if (lane < @LANES@) begin
            column_sum = @COLUMN_SUM@;
            if (negative[column]) column_sum = -column_sum;
            lane_sums[lane * 32 +: 32] = lane_sums[lane * 32 +: 32] + column_sum;
          end
        end
      end
      for (lane = 0; lane < @LANES@; lane = lane + 1) begin
        code = lane_sums[lane * 32 +: 32];
        code = verify ? @VERIFY_CODE_OF_SUM@ : @CODE_OF_SUM@;
        if (code > 32'sd@CODE_MAX@) code = 32'sd@CODE_MAX@;
        if (code < -32'sd@CODE_LIMIT@) code = -32'sd@CODE_LIMIT@;
        convert[lane * @ADC_BITS@ +: @ADC_BITS@] = code[@ADC_MSB@:0];
      end
    end
  endfunction

  integer stage;
  always @(posedge clock) begin
    if (reset) begin
      stage_valid <= @LATENCY@'d0;
      for (stage = 0; stage < @LATENCY@; stage = stage + 1) stage_codes[stage] <= @CODES_BITS@'d0;
    end else begin
      stage_valid <= @NEXT_VALID@;
      for (stage = 1; stage < @LATENCY@; stage = stage + 1) stage_codes[stage] <= stage_codes[stage - 1];
      if (read_transfer) stage_codes[0] <= convert(wordlines, column_enable, column_negative, column_lane, gain, 1'b0);
      if (verify_transfer) begin
        stage_codes[0] <= convert(@ROWS@'d1 << program_row, @COLUMNS@'d1 << program_column, @COLUMNS@'d0, @COLUMN_LANES_BITS@'d0, 3'd0, 1'b1);
      end
      if (program_transfer@CELL_GUARD@) begin
@CELL_WRITE@      end
    end
  end
endmodule
