
  // The cells and the conversion are in a Rust model behind these functions.
  import "DPI-C" function chandle basisn_macro_new(
    input string scope, input int rows, input int columns, input int cell_bits, input int lanes, input int adc_bits);
  import "DPI-C" function void basisn_macro_free(input chandle model);
  import "DPI-C" function void basisn_macro_program(
    input chandle model, input int row, input int column, input int level, input int op);
  import "DPI-C" function void basisn_macro_verify(
    input chandle model, input int row, input int column, output bit [@CODES_MSB@:0] codes);
  import "DPI-C" function void basisn_macro_switches(
    input chandle model, input bit [@COLUMNS_MSB@:0] enable, input bit [@COLUMNS_MSB@:0] negative,
    input bit [@COLUMN_LANES_MSB@:0] lanes);
  import "DPI-C" function void basisn_macro_read(
    input chandle model, input bit [@WORDLINES_MSB@:0] wordlines, input int gain, output bit [@CODES_MSB@:0] codes);

  chandle model;
  initial model = basisn_macro_new($sformatf("%m"), @ROWS@, @COLUMNS@, @CELL_BITS@, @LANES@, @ADC_BITS@);
  final basisn_macro_free(model);

  // The setting that the model has; it is sent only when it changes, as most reads share that of the one before.
  reg [@COLUMNS_MSB@:0] model_enable;
  reg [@COLUMNS_MSB@:0] model_negative;
  reg [@COLUMN_LANES_MSB@:0] model_lane;
  reg [@CODES_MSB@:0] fresh;
  initial begin
    model_enable = @COLUMNS@'d0;
    model_negative = @COLUMNS@'d0;
    model_lane = @COLUMN_LANES_BITS@'d0;
  end

  integer stage;
  always @(posedge clock) begin
    if (reset) begin
      stage_valid <= @LATENCY@'d0;
      for (stage = 0; stage < @LATENCY@; stage = stage + 1) stage_codes[stage] <= @CODES_BITS@'d0;
    end else begin
      stage_valid <= @NEXT_VALID@;
      for (stage = 1; stage < @LATENCY@; stage = stage + 1) stage_codes[stage] <= stage_codes[stage - 1];
      if (read_transfer) begin
        if (column_enable != model_enable || column_negative != model_negative || column_lane != model_lane) begin
          basisn_macro_switches(model, column_enable, column_negative, column_lane);
          model_enable <= column_enable;
          model_negative <= column_negative;
          model_lane <= column_lane;
        end
        basisn_macro_read(model, wordlines, {29'd0, gain}, fresh);
        stage_codes[0] <= fresh;
      end
      if (verify_transfer) begin
        basisn_macro_verify(model, {@ROW_PAD@'d0, program_row}, {@COLUMN_PAD@'d0, program_column}, fresh);
        stage_codes[0] <= fresh;
      end
      if (program_transfer) begin
        basisn_macro_program(model, {@ROW_PAD@'d0, program_row}, {@COLUMN_PAD@'d0, program_column},
          {{@LEVEL_PAD@{program_level[@LEVEL_MSB@]}}, program_level}, {29'd0, program_op});
      end
    end
  end
endmodule
