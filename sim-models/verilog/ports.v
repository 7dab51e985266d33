module @NAME@ (
  input wire clock,
  input wire reset,
  input wire program_valid,
  output wire program_ready,
  input wire [@ROW_MSB@:0] program_row,
  input wire [@COLUMN_MSB@:0] program_column,
  input wire [@LEVEL_MSB@:0] program_level,
  input wire [2:0] program_op,
  input wire read_valid,
  output wire read_ready,
  input wire [@WORDLINES_MSB@:0] wordlines,
  input wire [@COLUMNS_MSB@:0] column_enable,
  input wire [@COLUMNS_MSB@:0] column_negative,
  input wire [@COLUMN_LANES_MSB@:0] column_lane,
  input wire [2:0] gain,
  output wire code_valid,
  output wire [@CODES_MSB@:0] codes
);
