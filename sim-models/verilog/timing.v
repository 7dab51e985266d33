  // Ready signals and latency: the same in every body.
  wire program_transfer;
  wire read_transfer;
  wire verify_transfer;
  assign program_transfer = program_valid && program_ready && program_op != 3'd@OP_VERIFY@;
  assign verify_transfer = program_valid && program_ready && program_op == 3'd@OP_VERIFY@;
  assign read_transfer = read_valid && read_ready;

  wire program_busy;
  wire read_busy;
  assign program_ready = !program_busy;
  assign read_ready = !read_busy && !program_busy;
@PROGRAM_TIMER@@READ_TIMER@
  // Bit k: codes of a read that transferred k + 1 cycles ago.
  reg [@STAGE_MSB@:0] stage_valid;
  assign code_valid = stage_valid[@STAGE_MSB@];
