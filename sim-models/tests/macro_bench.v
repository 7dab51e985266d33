// Applies the operations of a file to a macro and prints every cycle: what transfers, and what comes out.
module bench;
  reg clock = 1'b0;
  reg reset = 1'b1;
  reg program_valid = 1'b0;
  reg read_valid = 1'b0;
  wire program_ready;
  wire read_ready;
  reg [@ROW_MSB@:0] program_row;
  reg [@COLUMN_MSB@:0] program_column;
  reg [@LEVEL_MSB@:0] program_level;
  reg [2:0] program_op;
  reg [@ROWS@-1:0] wordlines;
  reg [@COLUMNS@-1:0] column_enable;
  reg [@COLUMNS@-1:0] column_negative;
  reg [@COLUMNS@*@LANE_BITS@-1:0] column_lane;
  reg [2:0] gain;
  wire code_valid;
  wire [@LANES@*@ADC_BITS@-1:0] codes;

  @NAME@ dut (
    .clock(clock), .reset(reset), .program_valid(program_valid), .program_ready(program_ready),
    .program_row(program_row), .program_column(program_column), .program_level(program_level), .program_op(program_op),
    .read_valid(read_valid), .read_ready(read_ready), .wordlines(wordlines), .column_enable(column_enable),
    .column_negative(column_negative), .column_lane(column_lane), .gain(gain), .code_valid(code_valid), .codes(codes)
  );

  always #5 clock = !clock;

  always @(posedge clock)
    $display("%b %b %b %b %b %b %b", reset, program_valid, program_ready, read_valid, read_ready, code_valid, codes);

  // An operation is: idle cycles, reset, program, read, and the values of all ports. It is held until what it asks for has transferred.
  integer file;
  integer found;
  integer idle;
  integer do_reset;
  integer do_program;
  integer do_read;
  initial begin
    file = $fopen("operations.txt", "r");
    repeat (3) @(negedge clock);
    found = 13;
    while (found == 13) begin
      found = $fscanf(file, "%d %d %d %d %h %h %h %h %h %h %h %h %h\n", idle, do_reset, do_program, do_read, program_row,
        program_column, program_level, program_op, wordlines, column_enable, column_negative, column_lane, gain);
      if (found == 13) begin
        reset = 1'b0;
        repeat (idle) @(negedge clock);
        reset = do_reset != 0;
        program_valid = do_program != 0;
        read_valid = do_read != 0;
        #1;
        while ((program_valid && !program_ready) || (read_valid && !read_ready)) begin
          // What is ready now transfers in this cycle and is not asked for again.
          if (program_ready && program_valid) begin @(negedge clock); program_valid = 1'b0; end
          else if (read_ready && read_valid) begin @(negedge clock); read_valid = 1'b0; end
          else @(negedge clock);
          #1;
        end
        @(negedge clock);
        reset = 1'b0;
        program_valid = 1'b0;
        read_valid = 1'b0;
      end
    end
    repeat (70) @(negedge clock);
    $finish;
  end
endmodule
