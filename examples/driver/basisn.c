#include "basisn.h"

#include "registers.h"

#define FIELD(name, value) (((uint32_t)(value) << BASISN_##name##_LSB) & BASISN_##name##_MASK)
#define GET(name, word) (((word) & BASISN_##name##_MASK) >> BASISN_##name##_LSB)

struct access {
    uint32_t address, value;
};

static int write_all(const struct basisn_bus *bus, const struct access *accesses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bus->write(bus->context, accesses[i].address, accesses[i].value))
            return BASISN_REFUSED;
    return BASISN_OK;
}

static int read_one(const struct basisn_bus *bus, uint32_t address, uint32_t *value)
{
    return bus->read(bus->context, address, value) ? BASISN_REFUSED : BASISN_OK;
}

#define WRITE_ALL(bus, ...) \
    write_all(bus, (const struct access[])__VA_ARGS__, sizeof((const struct access[])__VA_ARGS__) / sizeof(struct access))

int basisn_identify(const struct basisn_bus *bus, uint32_t rows, uint32_t columns)
{
    uint32_t id, geometry;
    if (read_one(bus, BASISN_ID, &id) || read_one(bus, BASISN_GEOMETRY0, &geometry))
        return BASISN_REFUSED;
    if (id != BASISN_ID_VALUE || GET(GEOMETRY0_ROWS, geometry) != rows || GET(GEOMETRY0_COLUMNS, geometry) != columns)
        return BASISN_OTHER;
    return BASISN_OK;
}

int basisn_set_verification(const struct basisn_bus *bus, uint32_t max_pulses, uint32_t tolerance)
{
    return WRITE_ALL(bus, {{BASISN_PROGRAM_VERIFY, FIELD(PROGRAM_VERIFY_MAX_PULSES, max_pulses) | FIELD(PROGRAM_VERIFY_TOLERANCE, tolerance)}});
}

/* Two's complement in a field. */
static int32_t signed_field(uint32_t value, uint32_t mask)
{
    uint32_t sign = (mask >> 1) + 1;
    return (int32_t)(value ^ sign) - (int32_t)sign;
}

/* Waits until the last cell has been written; hands over and takes those that could not. */
static int settle_cells(const struct basisn_bus *bus, void (*failed)(const struct basisn_failed_cell *))
{
    uint32_t status, seen, place;
    for (;;) {
        if (read_one(bus, BASISN_STATUS, &status) || read_one(bus, BASISN_PROGRAM_FAILED, &seen))
            return BASISN_REFUSED;
        if (seen & BASISN_PROGRAM_FAILED_VALID_MASK) {
            if (read_one(bus, BASISN_PROGRAM_FAILED_CELL, &place))
                return BASISN_REFUSED;
            failed(&(struct basisn_failed_cell){
                GET(PROGRAM_FAILED_TILE, seen),
                GET(PROGRAM_FAILED_CELL_ROW, place),
                GET(PROGRAM_FAILED_CELL_COLUMN, place),
                signed_field(GET(PROGRAM_FAILED_LEVEL, seen), BASISN_PROGRAM_FAILED_LEVEL_MASK >> BASISN_PROGRAM_FAILED_LEVEL_LSB),
                signed_field(GET(PROGRAM_FAILED_CODE, seen), BASISN_PROGRAM_FAILED_CODE_MASK >> BASISN_PROGRAM_FAILED_CODE_LSB),
            });
            if (WRITE_ALL(bus, {{BASISN_PROGRAM_FAILED, BASISN_PROGRAM_FAILED_VALID_MASK}}))
                return BASISN_REFUSED;
        } else if (!(status & BASISN_STATUS_PROGRAMMING_MASK)) {
            return BASISN_OK;
        }
    }
}

int basisn_write_cells(const struct basisn_bus *bus, uint32_t rows, uint32_t columns, const int8_t *levels,
                       void (*failed)(const struct basisn_failed_cell *cell))
{
    /* The place steps by itself, from column to column and row to row. */
    int ended = WRITE_ALL(bus, {{BASISN_PROGRAM_TILE, BASISN_PROGRAM_TILE_ALL_MASK}, {BASISN_PROGRAM_CELL, 0}});
    for (size_t i = 0; !ended && i < (size_t)rows * columns; i++) {
        ended = WRITE_ALL(bus, {{BASISN_PROGRAM_LEVEL, FIELD(PROGRAM_LEVEL_LEVEL, levels[i])}});
        /* A failed cell is in the way of the next one. */
        if (!ended && failed)
            ended = settle_cells(bus, failed);
    }
    return ended;
}

int basisn_start(const struct basisn_bus *bus, const struct basisn_layer *layer)
{
    int failed = WRITE_ALL(bus, {
        {BASISN_POSITIONS, layer->positions},
        {BASISN_BLOCK_POSITIONS, layer->block_positions},
        {BASISN_SUBVECTORS, layer->subvectors},
        {BASISN_ROWS_USED, layer->rows_used},
        {BASISN_INPUT, FIELD(INPUT_PLANES, layer->input_planes) | FIELD(INPUT_SIGNED, layer->input_signed)},
        {BASISN_GAIN, layer->gain},
        {BASISN_KERNELS, layer->kernels},
        {BASISN_TILES, layer->tiles},
        {BASISN_REQUANTIZE, FIELD(REQUANTIZE_SHIFT, layer->shift) | FIELD(REQUANTIZE_RAW, layer->raw)},
        {BASISN_CLAMP_LOW, (uint32_t)layer->clamp_low},
        {BASISN_CLAMP_HIGH, (uint32_t)layer->clamp_high},
        {BASISN_PARAMETER_ADDRESS, 0},
    });
    for (uint32_t i = 0; !failed && i < layer->parameter_count; i++) {
        const struct basisn_parameter *p = &layer->parameters[i];
        uint64_t offset = (uint64_t)p->offset;
        failed = WRITE_ALL(bus, {
            {BASISN_PARAMETER_LOW, (uint32_t)offset},
            {BASISN_PARAMETER_HIGH, FIELD(PARAMETER_HIGH_OFFSET_HIGH, offset >> 32) | FIELD(PARAMETER_HIGH_MULTIPLIER, p->multiplier)},
        });
    }
    if (failed)
        return failed;
    return WRITE_ALL(bus, {
        {BASISN_IRQ_PENDING, BASISN_IRQ_PENDING_DONE_MASK | BASISN_IRQ_PENDING_ERROR_MASK},
        {BASISN_IRQ_ENABLE, BASISN_IRQ_ENABLE_DONE_MASK | BASISN_IRQ_ENABLE_ERROR_MASK},
        {BASISN_CONTROL, BASISN_CONTROL_START_MASK},
    });
}

int basisn_finish(const struct basisn_bus *bus, struct basisn_fault *fault)
{
    uint32_t status, error;
    /* First the events, then the state: an event after this raises irq again. */
    int failed = WRITE_ALL(bus, {{BASISN_IRQ_PENDING, BASISN_IRQ_PENDING_DONE_MASK | BASISN_IRQ_PENDING_ERROR_MASK}});
    if (failed || read_one(bus, BASISN_STATUS, &status) || read_one(bus, BASISN_ERROR, &error))
        return BASISN_REFUSED;
    fault->code = GET(ERROR_CODE, error);
    fault->place = GET(ERROR_PLACE, error);
    if (status & BASISN_STATUS_BUSY_MASK)
        return BASISN_RUNNING;
    return status & BASISN_STATUS_ERROR_MASK ? BASISN_STOPPED : BASISN_OK;
}

int basisn_recover(const struct basisn_bus *bus)
{
    uint32_t status;
    int failed = WRITE_ALL(bus, {{BASISN_CONTROL, BASISN_CONTROL_CLEAR_MASK}});
    do {
        if (failed || read_one(bus, BASISN_STATUS, &status))
            return BASISN_REFUSED;
    } while (status & (BASISN_STATUS_BUSY_MASK | BASISN_STATUS_ERROR_MASK));
    return WRITE_ALL(bus, {{BASISN_IRQ_PENDING, BASISN_IRQ_PENDING_DONE_MASK | BASISN_IRQ_PENDING_ERROR_MASK}});
}
