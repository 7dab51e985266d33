// DPI functions of the RRAM macro, forwarded to the Rust model. The table is set once, before the first evaluation.
#include <stdint.h>

#include "svdpi.h"

extern "C" {

struct basisn_dpi_table {
    void* (*new_macro)(const char* scope, int rows, int columns, int cell_bits, int lanes, int adc_bits);
    void (*free_macro)(void* model);
    void (*program)(void* model, int row, int column, int level, int op);
    void (*verify)(void* model, int row, int column, uint32_t* codes);
    void (*switches)(void* model, const uint32_t* enable, const uint32_t* negative, const uint32_t* lanes);
    void (*read)(void* model, const uint32_t* wordlines, int gain, uint32_t* codes);
};

static struct basisn_dpi_table table;

__attribute__((visibility("default"))) void basisn_set_dpi(const struct basisn_dpi_table* given) { table = *given; }

void* basisn_macro_new(const char* scope, int rows, int columns, int cell_bits, int lanes, int adc_bits) {
    return table.new_macro ? table.new_macro(scope, rows, columns, cell_bits, lanes, adc_bits) : nullptr;
}

void basisn_macro_free(void* model) {
    if (table.free_macro) table.free_macro(model);
}

void basisn_macro_program(void* model, int row, int column, int level, int op) {
    if (table.program) table.program(model, row, column, level, op);
}

void basisn_macro_verify(void* model, int row, int column, svBitVecVal* codes) {
    if (table.verify) table.verify(model, row, column, codes);
}

void basisn_macro_switches(void* model, const svBitVecVal* enable, const svBitVecVal* negative,
                           const svBitVecVal* lanes) {
    if (table.switches) table.switches(model, enable, negative, lanes);
}

void basisn_macro_read(void* model, const svBitVecVal* wordlines, int gain, svBitVecVal* codes) {
    if (table.read) table.read(model, wordlines, gain, codes);
}

}
