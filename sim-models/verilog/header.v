// RRAM macro: @ROWS@ rows x @COLUMNS@ columns of @CELL_BITS@-bit cells, @LANES@ lanes with @ADC_BITS@-bit ADCs. Body: @BODY@.
// Function:   a read adds, on each lane, the dot products of the wordlines with the lane's columns (with polarity),
//             and gives code = clamp((sum + ((1 << gain) >> 1)) >> gain) for each lane.
//             program_op @OP_WRITE@ writes a level, @OP_ERASE@, @OP_UP@ and @OP_DOWN@ are pulses, @OP_VERIFY@ reads one cell on lane 0 with @VERIFY_SCALE@.
// Latency:    @READ_LATENCY@ clock cycles from the transfer of a read, or of a verify read, to code_valid.
// Handshake:  valid/ready; program_ready is low for @PROGRAM_CYCLES@ cycles after a cell write or pulse; read_ready is low for
//             @IDLE_CYCLES@ cycles after a read, and while a cell is written.
// Invariants: reset does not erase the cells; codes come in the order of the reads; a read that transfers together with a
//             cell write reads the cell as it was before; a column whose lane number names no lane is open;
//             a verify read never transfers together with a read.
