
  // Levels as sign and magnitude, in memory: word s of bank u is that of column s * @COLUMNS_PER_STEP@ + u; the read port serves reads, and
  // cell writes while no read is under way: a word is read, changed, and written back.
  //
  // A read takes a step a cycle: address; word; sums of the columns; sums of the lanes; total. @STEPS@ steps, then the codes.
  reg walking;
  reg [@STEP_MSB@:0] step;
  wire last_step;
  assign last_step = step == @STEP_BITS@'d@LAST_STEP@;
  reg [@WORDLINES_MSB@:0] held_wordlines;
  reg [@PADDED_MSB@:0] enable_left;
  reg [@PADDED_MSB@:0] negative_left;
  reg [@PADDED_LANES_MSB@:0] lane_left;
  reg [2:0] gain_left;
  reg verify_left;
  always @(posedge clock) begin
    walking <= !reset && (read_transfer || verify_transfer || (walking && !last_step));
    if (read_transfer) begin
      step <= @STEP_BITS@'d0;
      held_wordlines <= wordlines;
      enable_left <= @PADDED_ENABLE@;
      negative_left <= @PADDED_NEGATIVE@;
      lane_left <= @PADDED_LANE@;
      gain_left <= gain;
      verify_left <= 1'b0;
    end else if (verify_transfer) begin
      // The cell's wordline, and its column on lane 0.
      step <= @STEP_BITS@'d0;
      held_wordlines <= @ROWS@'d1 << program_row;
      enable_left <= @PADDED_BITS@'d1 << program_column;
      negative_left <= @PADDED_BITS@'d0;
      lane_left <= @PADDED_LANES_BITS@'d0;
      verify_left <= 1'b1;
    end else if (walking) begin
      step <= step + @STEP_BITS@'d1;
      enable_left <= enable_left >> @COLUMNS_PER_STEP@;
      negative_left <= negative_left >> @COLUMNS_PER_STEP@;
      lane_left <= lane_left >> (@COLUMNS_PER_STEP@ * @LANE_BITS@);
    end
  end

  // A cell write waits for the read under way; reset gives up the read, not the write.
  reg write_waiting;
  reg write_now;
  reg [@ROW_MSB@:0] write_row;
  reg [@COLUMN_MSB@:0] write_column;
  reg [@LEVEL_MSB@:0] write_level;
  wire write_begins;
  assign write_begins = write_waiting && (!walking || reset);
  initial begin
    write_waiting = 1'b0;
    write_now = 1'b0;
  end
  always @(posedge clock) begin
    write_now <= write_begins;
    if (write_begins) write_waiting <= 1'b0;
    if (program_transfer && !reset@CELL_GUARD@) begin
      write_waiting <= 1'b1;
      write_row <= program_row;
      write_column <= program_column;
      write_level <= program_op == 3'd@OP_ERASE@ ? @LEVEL_BITS@'d0 : program_level;
    end
  end
  wire [@STEP_MSB@:0] write_step;
  assign write_step = @WRITE_STEP@;
  wire [@STEP_MSB@:0] address;
  assign address = write_begins ? write_step : step;

  // The magnitude; the most negative code of the port is beyond what a cell can hold.
  wire [@LEVEL_MSB@:0] negated;
  wire [@MAGNITUDE_MSB@:0] magnitude;
  assign negated = -write_level;
  assign magnitude = negated == write_level && negated[@LEVEL_MSB@] ? @MAGNITUDE_BITS@'d@LEVEL_MAX@
                   : write_level[@LEVEL_MSB@] ? negated[@MAGNITUDE_MSB@:0] : write_level[@MAGNITUDE_MSB@:0];
  wire [@WORDLINES_MSB@:0] cell_row;
  assign cell_row = @ROWS@'d1 << write_row;

  function automatic [@COLUMN_SUM_MSB@:0] ones(input [@WORDLINES_MSB@:0] word);
    integer row;
    begin
      ones = @COLUMN_SUM_BITS@'d0;
      for (row = 0; row < @ROWS@; row = row + 1) ones = ones + {@ONES_PAD@'d0, word[row]};
    end
  endfunction

  // Bit k of the tags belongs to stage k + 1.
  reg [3:0] stage_live;
  reg [2:0] stage_first;
  reg [3:0] stage_last;
  reg [11:0] stage_gain;
  reg [3:0] stage_verify;
  reg [@WORDLINES_MSB@:0] word_wordlines;
  always @(posedge clock) begin
    stage_live <= reset ? 4'd0 : {stage_live[2:0], walking};
    stage_first <= {stage_first[1:0], step == @STEP_BITS@'d0};
    stage_last <= {stage_last[2:0], last_step};
    stage_gain <= {stage_gain[8:0], gain_left};
    stage_verify <= {stage_verify[2:0], verify_left};
    word_wordlines <= held_wordlines;
  end

  wire [@BANK_SUMS_MSB@:0] column_sums;
  wire [@BANK_LANES_MSB@:0] column_lanes;
  genvar bank;
  generate
    for (bank = 0; bank < @COLUMNS_PER_STEP@; bank = bank + 1) begin : banks
      (* ram_style = "block" *) reg [@WORD_MSB@:0] levels [0:@LAST_STEP@];
      reg [@WORD_MSB@:0] word;
      wire [@WORD_MSB@:0] changed;
@CHANGED@      // Cells that are not written yet read as 0.
      integer cell_step;
      initial for (cell_step = 0; cell_step < @STEPS@; cell_step = cell_step + 1) levels[cell_step] = @WORD_BITS@'d0;
      always @(posedge clock) begin
        if (write_now@WRITE_BANK@) levels[write_step] <= changed;
        word <= levels[address];
      end
      reg enable;
      reg negative;
      reg [@LANE_MSB@:0] lane;
      reg [@LANE_MSB@:0] sum_lane;
      reg signed [@COLUMN_SUM_MSB@:0] sum;
      wire signed [@COLUMN_SUM_MSB@:0] dot;
      assign dot = @BANK_SUM@;
      always @(posedge clock) begin
        enable <= enable_left[bank];
        negative <= negative_left[bank];
        lane <= lane_left[bank * @LANE_BITS@ +: @LANE_BITS@];
        sum <= !enable ? @COLUMN_SUM_BITS@'sd0 : negative ? -dot : dot;
        sum_lane <= lane;
      end
      assign column_sums[bank * @COLUMN_SUM_BITS@ +: @COLUMN_SUM_BITS@] = sum;
      assign column_lanes[bank * @LANE_BITS@ +: @LANE_BITS@] = sum_lane;
    end
  endgenerate

  reg [@CODES_MSB@:0] held_codes;
  assign codes = held_codes;
  genvar l;
  generate
    for (l = 0; l < @LANES@; l = l + 1) begin : lanes
      reg signed [@LANE_SUM_MSB@:0] step_sum;
      reg signed [@LANE_SUM_MSB@:0] total;
      reg signed [@LANE_SUM_MSB@:0] connected;
      integer u;
      always @(*) begin
        connected = @LANE_SUM_BITS@'sd0;
        for (u = 0; u < @COLUMNS_PER_STEP@; u = u + 1) begin
          if ({@LANE_PAD@'d0, column_lanes[u * @LANE_BITS@ +: @LANE_BITS@]} == l) begin
            connected = connected + {{@SUM_PAD@{column_sums[u * @COLUMN_SUM_BITS@ + @COLUMN_SUM_MSB@]}},
              column_sums[u * @COLUMN_SUM_BITS@ +: @COLUMN_SUM_BITS@]};
          end
        end
      end
      wire signed [@LANE_SUM_MSB@:0] half;
      wire signed [@LANE_SUM_MSB@:0] rounded;
      wire above;
      wire below;
      assign half = (@LANE_SUM_BITS@'sd1 <<< stage_gain[11:9]) >>> 1;
      assign rounded = stage_verify[3] ? @VERIFY_TOTAL@ : (total + half) >>> stage_gain[11:9];
      assign above = rounded > @LANE_SUM_BITS@'sd@CODE_MAX@;
      assign below = rounded < -@LANE_SUM_BITS@'sd@CODE_LIMIT@;
      always @(posedge clock) begin
        step_sum <= connected;
        if (stage_live[2]) total <= stage_first[2] ? step_sum : total + step_sum;
        if (stage_live[3] && stage_last[3]) begin
          held_codes[l * @ADC_BITS@ +: @ADC_BITS@] <=
            above ? @ADC_BITS@'d@CODE_MAX@ : below ? @ADC_BITS@'d@CODE_LIMIT@ : rounded[@ADC_MSB@:0];
        end
      end
    end
  endgenerate

  always @(posedge clock) begin
    if (reset) stage_valid <= @LATENCY@'d0;
    else stage_valid <= @NEXT_VALID@;
  end
endmodule
