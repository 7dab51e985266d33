
  // Stage k holds the codes of a read k + 1 cycles after its transfer.
  reg [@CODES_MSB@:0] stage_codes [0:@STAGE_MSB@];
  assign codes = stage_codes[@STAGE_MSB@];
