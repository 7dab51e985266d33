  // Levels as sign and magnitude: bit r of positive_<b>[c] is bit b of the level in row r, column c, if that is positive.
@LEVEL_PLANES@
  // The magnitude; the most negative code of the port is beyond what a cell can hold.
  wire [@LEVEL_MSB@:0] negated;
  wire [@MAGNITUDE_MSB@:0] magnitude;
  assign negated = -program_level;
  assign magnitude = negated == program_level && negated[@LEVEL_MSB@] ? @MAGNITUDE_BITS@'d@LEVEL_MAX@
                   : program_level[@LEVEL_MSB@] ? negated[@MAGNITUDE_MSB@:0] : program_level[@MAGNITUDE_MSB@:0];

  function automatic [31:0] ones(input [@WORDLINES_MSB@:0] word);
    ones = $countones(word);
  endfunction
