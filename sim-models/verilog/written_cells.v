  // Effective levels in 2^-8 level, as programming leaves them: line row * @COLUMNS@ + column of the file <path of this instance>.hex,
  // in the folder +cells= or the present one.
  reg signed [15:0] written [0:@CELLS_MSB@];
  // Cells that are not written yet read as 0.
  reg signed [15:0] level [0:@CELLS_MSB@];
  integer cell_index;
  integer cells_file;
  reg [8*1024-1:0] cells_folder;
  initial begin
    if (!$value$plusargs("cells=%s", cells_folder)) cells_folder = {{8*1023{1'b0}}, "."};
    for (cell_index = 0; cell_index < @CELL_COUNT@; cell_index = cell_index + 1) begin
      level[cell_index] = 16'sd0;
      written[cell_index] = 16'sh8000;
    end
    // A simulator goes on without a file, and with one that ends early.
    cells_file = $fopen($sformatf("%0s/%m.hex", cells_folder), "r");
    if (cells_file == 0) $fatal(1, "no file %0s/%m.hex with the cells; name its folder by +cells=", cells_folder);
    $fclose(cells_file);
    $readmemh($sformatf("%0s/%m.hex", cells_folder), written);
    if (written[@CELLS_MSB@] == 16'sh8000) $fatal(1, "%0s/%m.hex has less than @CELL_COUNT@ cells", cells_folder);
  end

  function automatic signed [31:0] active_sum(input [@WORDLINES_MSB@:0] word, input integer at_column);
    integer at_row;
    reg signed [15:0] cell_level;
    begin
      active_sum = 32'sd0;
      for (at_row = 0; at_row < @ROWS@; at_row = at_row + 1) begin
        cell_level = level[at_row * @COLUMNS@ + at_column];
        if (word[at_row]) active_sum = active_sum + {{16{cell_level[15]}}, cell_level};
      end
    end
  endfunction
