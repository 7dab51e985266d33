/* A driver of one BasisN core, in C99 without any library: what software writes and reads, in the order in which it does.
 * registers.h is that of the IP block. Streams are not the driver's: a DMA moves them. */
#ifndef BASISN_H
#define BASISN_H

#include <stddef.h>
#include <stdint.h>

/* How the registers are reached. Both give 0 for OKAY; a bus without an answer to SLVERR may always give 0. */
struct basisn_bus {
    void *context;
    int (*write)(void *context, uint32_t address, uint32_t value);
    int (*read)(void *context, uint32_t address, uint32_t *value);
};

/* Factors of the requantization of one kernel. */
struct basisn_parameter {
    int64_t offset; /* b, 48 bits */
    int16_t multiplier; /* m */
};

/* A layer; the names are those of the registers. */
struct basisn_layer {
    uint32_t positions, block_positions, subvectors, rows_used;
    uint32_t input_planes, input_signed, gain;
    uint32_t kernels, tiles;
    uint32_t shift, raw;
    int32_t clamp_low, clamp_high;
    /* In the order of the result stream: W for each of its beats at one position, also for one that has fewer results. */
    const struct basisn_parameter *parameters;
    uint32_t parameter_count;
};

/* Why a layer was stopped: a code of registers.h, BASISN_ERROR_*, and where. */
struct basisn_fault {
    uint32_t code, place;
};

/* A cell that could not be written, and what it was to be. */
struct basisn_failed_cell {
    uint32_t tile, row, column;
    int32_t level, code; /* wanted; of the last verify read */
};

enum {
    BASISN_OK = 0,
    BASISN_REFUSED = -1, /* SLVERR */
    BASISN_OTHER = -2,   /* no core at this address, or one of another geometry */
    BASISN_RUNNING = -3, /* the layer is not over */
    BASISN_STOPPED = -4  /* an error has stopped the layer; see the fault */
};

/* Whether a core with crossbars of this size is there. */
int basisn_identify(const struct basisn_bus *bus, uint32_t rows, uint32_t columns);

/* How cells are written: with at most so many pulses each, until a verify read is as near as this to the level; or, with 0 pulses, by
 * the macro itself. */
int basisn_set_verification(const struct basisn_bus *bus, uint32_t max_pulses, uint32_t tolerance);

/* Writes the levels of all crossbars, row by row: once in the life of a chip. `failed` is called for every cell that could not be
 * written, if it is given; with it, the function returns when the last cell has been written. */
int basisn_write_cells(const struct basisn_bus *bus, uint32_t rows, uint32_t columns, const int8_t *levels,
                       void (*failed)(const struct basisn_failed_cell *cell));

/* Describes a layer and starts it; `irq` will rise. Start the DMA of the slots before or after, that of the activations and of the
 * results after. */
int basisn_start(const struct basisn_bus *bus, const struct basisn_layer *layer);

/* To be called when `irq` is high, or again and again: how the layer ended, if it has. Lowers `irq`. */
int basisn_finish(const struct basisn_bus *bus, struct basisn_fault *fault);

/* After BASISN_STOPPED, or to give a running layer up, once the DMAs of slots and activations have ended or are stopped: makes the core
 * ready for the next start. Cells, parameters and the descriptor stay. */
int basisn_recover(const struct basisn_bus *bus);

#endif
