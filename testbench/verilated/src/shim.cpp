// C interface to one verilated model. The port table is generated ahead of this text.
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Trace = VerilatedFstC;
#elif VM_TRACE_VCD
#include "verilated_vcd_c.h"
using Trace = VerilatedVcdC;
#endif

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

enum Status : int32_t { RUNNING = 0, FINISHED = 1, STOPPED = 2, TRACE_FAILED = 3 };

struct Stop final {
    std::string message;
};

struct Sim final {
    VerilatedContext context;
    std::unique_ptr<Vmodel> model;
#if VM_TRACE
    std::unique_ptr<Trace> trace;
#endif
    CData* clock = nullptr;
    bool clock_high = true;
    bool in_trace = false;
    uint64_t cycle = 0;
    Status status = RUNNING;
    void* user_data = nullptr;
    std::string message;
};

thread_local Sim* current = nullptr;

void enter(Sim* sim) {
    current = sim;
    Verilated::threadContextp(&sim->context);
}

// The thread must not keep a pointer to what is about to be deleted.
void destroy(std::unique_ptr<Sim> sim) {
    enter(sim.get());
    sim->model.reset();
    sim.reset();
    current = nullptr;
    Verilated::threadContextp(nullptr);
}

std::string place(const char* file, int line) {
    return file && *file ? std::string(file) + ":" + std::to_string(line) + ": " : std::string();
}

inline bool tracing(const Sim* sim) {
#if VM_TRACE
    return sim->trace != nullptr;
#else
    (void)sim;
    return false;
#endif
}

// Runs `work` on the open trace. A failed write must not throw: the trace's destructor writes too.
template <typename Work>
inline void on_trace(Sim* sim, Work work) {
#if VM_TRACE
    if (!sim->trace) return;
    sim->in_trace = true;
    work(*sim->trace);
    sim->in_trace = false;
#else
    (void)sim, (void)work;
#endif
}

inline void dump(Sim* sim) {
    on_trace(sim, [sim](auto& trace) { trace.dump(sim->context.time()); });
}

// Runs `work`; the design's $stop and $fatal arrive here as exceptions, so that they never end the process.
template <typename Work>
inline Status guarded(Sim* sim, Work work) {
    if (VL_UNLIKELY(sim->status >= STOPPED)) return sim->status;
    if (VL_UNLIKELY(current != sim)) enter(sim);
    try {
        work();
    } catch (const Stop& stop) {
        sim->status = STOPPED;
        sim->message = stop.message;
    } catch (const std::exception& error) {
        sim->status = STOPPED;
        sim->message = error.what();
    }
    return sim->status;
}

inline void low_phase(Sim* sim) {
    if (sim->clock) *sim->clock = 0;
    sim->clock_high = false;
    sim->model->eval();
}

inline void rising_edge(Sim* sim) {
    // A trace shows the last settled state before the edge, so inputs set after `settle` are evaluated too.
    if (sim->clock_high || tracing(sim)) {
        low_phase(sim);
        dump(sim);
    }
    sim->context.timeInc(1);
    if (sim->clock) {
        *sim->clock = 1;
        sim->model->eval();
        dump(sim);
    }
    sim->clock_high = true;
    sim->context.timeInc(1);
    ++sim->cycle;
}

}  // namespace

void vl_finish(const char*, int, const char*) {
    if (current) current->status = FINISHED;
    Verilated::threadContextp()->gotFinish(true);
}
void vl_stop(const char* file, int line, const char*) { throw Stop{place(file, line) + "$stop or a failed assertion"}; }
void vl_fatal(const char* file, int line, const char*, const char* message) {
    if (current && current->in_trace) {
        current->status = TRACE_FAILED;
        current->message = message ? message : "it cannot be written";
        return;
    }
    throw Stop{place(file, line) + (message ? message : "fatal error")};
}

extern "C" void* verilated_user_data() { return current ? current->user_data : nullptr; }

EXPORT Sim* vrl_new(uint32_t seed, void* user_data, const char* argument) {
    auto sim = std::make_unique<Sim>();
    sim->user_data = user_data;
    sim->context.threads(1);
    const char* arguments[] = {"model", argument};
    if (argument) sim->context.commandArgs(2, arguments);
    if (seed) {
        sim->context.randReset(2);
        sim->context.randSeed(static_cast<int>(seed));
    }
#if VM_TRACE
    sim->context.traceEverOn(true);
#endif
    Sim* const raw = sim.get();
    guarded(raw, [raw] { raw->model = std::make_unique<Vmodel>(&raw->context, "TOP"); });
    if (raw->model) return sim.release();
    destroy(std::move(sim));
    return nullptr;
}
EXPORT Status vrl_trace_close(Sim* sim) {
    enter(sim);
    on_trace(sim, [](auto& trace) { trace.close(); });
#if VM_TRACE
    sim->trace.reset();
#endif
    return sim->status;
}
EXPORT void vrl_delete(Sim* sim) {
    guarded(sim, [sim] { sim->model->final(); });
    vrl_trace_close(sim);
    destroy(std::unique_ptr<Sim>(sim));
}
EXPORT void vrl_clock(Sim* sim, uint8_t* clock) { sim->clock = clock; }
EXPORT Status vrl_settle(Sim* sim) {
    return guarded(sim, [sim] { low_phase(sim); });
}
EXPORT Status vrl_tick(Sim* sim) {
    return guarded(sim, [sim] { rising_edge(sim); });
}
EXPORT Status vrl_run(Sim* sim, uint64_t cycles) {
    return guarded(sim, [sim, cycles] {
        for (uint64_t n = 0; n < cycles && sim->status == RUNNING; ++n) rising_edge(sim);
    });
}
EXPORT uint64_t vrl_cycle(const Sim* sim) { return sim->cycle; }
EXPORT Status vrl_status(const Sim* sim) { return sim->status; }
EXPORT const char* vrl_message(const Sim* sim) { return sim->message.c_str(); }
EXPORT int32_t vrl_trace_open(Sim* sim, const char* path) {
#if VM_TRACE
    guarded(sim, [sim, path] {
        on_trace(sim, [](auto& trace) { trace.close(); });
        sim->trace = std::make_unique<Trace>();
        sim->model->trace(sim->trace.get(), 99);
        on_trace(sim, [path](auto& trace) { trace.open(path); });
        if (!sim->trace->isOpen()) sim->trace.reset();
    });
    return sim->trace != nullptr;
#else
    (void)sim, (void)path;
    return 0;
#endif
}
EXPORT Status vrl_trace_flush(Sim* sim) {
    enter(sim);
    on_trace(sim, [](auto& trace) { trace.flush(); });
    return sim->status;
}
EXPORT uint32_t vrl_ports(Sim* sim, void** addresses) { return port_addresses(sim->model.get(), addresses); }
