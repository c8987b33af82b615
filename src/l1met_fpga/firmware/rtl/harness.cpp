// Drives the Verilated top level clock by clock; called through ctypes.
// From the compiler's command line: L1MET_LANES; L1MET_NUMBERS(X), which is X(port, bits, is signed)
// for every number that is given out; L1MET_VALID and L1MET_ERROR, ports that say when; and
// L1MET_GT where there is a word for the global trigger; L1MET_SCORES(X), which is X(port, bytes) for every
// port of words of scores; L1MET_WINDOWS where there are windows;
// L1MET_VERTEX where z0 of a vertex is taken.
#include <cstdint>
#include <cstring>

#include "Vl1met.h"
#include "verilated.h"

namespace {

struct Simulation {
    VerilatedContext context;
    Vl1met top{&context};
};

template <int bits, bool is_signed>
std::int64_t extend(std::uint64_t code) {
    constexpr int unused = 64 - bits;
    if (!is_signed) return static_cast<std::int64_t>(code);
    return static_cast<std::int64_t>(code << unused) >> unused;
}

#define COUNT(port, bits, is_signed) +1
constexpr int n_numbers = 0 L1MET_NUMBERS(COUNT);

}  // namespace

extern "C" {

// One result per event.
struct L1MetResult {
    std::int64_t cycle;       // clock in which the numbers were valid
    std::int64_t word_cycle;  // clock in which gt_valid was high, -1 if it has not come
    std::uint64_t word;
    std::int32_t error;
    std::int32_t unused;
    std::int64_t numbers[n_numbers];
#ifdef L1MET_SCORES
#define BYTES(port, n) std::uint8_t port[n];
    L1MET_SCORES(BYTES)
#endif
};

void* l1met_create() { return new Simulation; }

#ifdef L1MET_WINDOWS
// Set the windows: the bits of the port, 32 in each number.
void l1met_set_windows(void* handle, const std::uint32_t* windows) {
    Vl1met& top = static_cast<Simulation*>(handle)->top;
    std::memcpy(&top.windows, windows, sizeof(top.windows));
}
#endif

void l1met_destroy(void* handle) { delete static_cast<Simulation*>(handle); }

// marks: bit 0 valid, 1 first, 2 last, 3 reset, 4 take columns instead of words; one per clock.
// words: L1MET_LANES per clock. columns: 2 * L1MET_LANES per clock, or null. vertex: one per clock, or
// null where none is taken.
// Returns the number of results, or -1 if there are more than max_results.
std::int64_t l1met_run(void* handle, std::int64_t n_cycles, const std::uint8_t* marks,
                       const std::uint64_t* words, const std::uint64_t* columns,
                       [[maybe_unused]] const std::int16_t* vertex, std::int64_t max_results,
                       L1MetResult* results, std::int64_t* stray) {
    Vl1met& top = static_cast<Simulation*>(handle)->top;
    std::int64_t n_results = 0;
#ifdef L1MET_GT
    std::int64_t n_words = 0;
#endif
#ifdef L1MET_SCORES
#define TAKEN(port, n) std::int64_t taken_##port = 0;
    L1MET_SCORES(TAKEN)
#endif
    *stray = 0;
    for (std::int64_t cycle = 0; cycle < n_cycles; ++cycle) {
        const std::uint8_t mark = marks[cycle];
        top.in_valid = mark & 1;
        top.in_first = (mark >> 1) & 1;
        top.in_last = (mark >> 2) & 1;
        top.rst = (mark >> 3) & 1;
        top.use_columns = (mark >> 4) & 1;
        std::memcpy(&top.in_words, words + cycle * L1MET_LANES, 8 * L1MET_LANES);
        if (columns != nullptr)
            std::memcpy(&top.in_columns, columns + cycle * 2 * L1MET_LANES, 16 * L1MET_LANES);
#ifdef L1MET_VERTEX
        constexpr unsigned vertex_bits = (1u << L1MET_VERTEX) - 1;
        top.vertex_z0 = static_cast<std::uint16_t>(vertex[cycle]) & vertex_bits;
#endif
        top.clk = 0;
        top.eval();
        if (top.L1MET_VALID) {  // what stands at the pins during this clock
            if (n_results == max_results) return -1;
            L1MetResult& r = results[n_results++];
            r.cycle = cycle;
            r.word_cycle = -1;
            std::int64_t* number = r.numbers;
#define TAKE(port, bits, is_signed) *number++ = extend<bits, is_signed>(top.port);
            L1MET_NUMBERS(TAKE)
            r.error = top.L1MET_ERROR;
        }
#ifdef L1MET_GT
        if (top.gt_valid && n_words < n_results) {
            results[n_words].word_cycle = cycle;
            results[n_words++].word = top.gt_word;
        }
#endif
#ifdef L1MET_SCORES
#define TAKE_WORDS(port, n)                               \
    if (top.port##_valid && taken_##port < n_results)     \
        std::memcpy(results[taken_##port++].port, &top.port, n);
        L1MET_SCORES(TAKE_WORDS)
#endif
        *stray += top.stray;
        top.clk = 1;
        top.eval();
    }
    return n_results;
}

}  // extern "C"
