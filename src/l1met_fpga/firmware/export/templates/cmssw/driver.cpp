// Loads an emulator library as CMSSW does and runs many events through its public interface.
#include <dlfcn.h>

#include <any>
#include <array>
#include <cstdint>
#include <tuple>
#include <utility>

#include "emulator.h"

// From the compiler's command line: FIELDS of a candidate, NUMBERS of the result and their type
// NUMBER_INT, HAS_WORD where there is a word for the global trigger, SCORES where there are so many words
// of scores, and HAS_VERTEX where z0 of the vertex goes in beside the words.

namespace {

using Create = hls4mlEmulator::Model*();
using Destroy = void(hls4mlEmulator::Model*);

}  // namespace

/// fields: n_events x n_slots x FIELDS; words: n_events x n_slots, used where has_words is not 0;
/// vertex: n_events, null where none goes in.
/// Returns 0, or 1 when the library does not open, 2 when it lacks a symbol, 3 when it throws.
extern "C" int l1met_run_emulator(const char* library, const std::int16_t* fields,
                                  const std::uint64_t* words, const std::uint8_t* has_words,
                                  [[maybe_unused]] const std::int16_t* vertex,
                                  std::int64_t n_events, std::int64_t n_slots,
                                  std::int64_t* codes, std::uint64_t* gt_words,
                                  [[maybe_unused]] std::uint8_t* score_words) {
    void* const handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (handle == nullptr) return 1;
    auto* const create = reinterpret_cast<Create*>(dlsym(handle, "create_model"));
    auto* const destroy = reinterpret_cast<Destroy*>(dlsym(handle, "destroy_model"));
    if (create == nullptr || destroy == nullptr) return 2;
    hls4mlEmulator::Model* const model = create();
    int status = 0;
    try {
        for (std::int64_t event = 0; event < n_events; ++event) {
            const int n = static_cast<int>(n_slots);
            if (has_words[event] != 0) {
#ifdef HAS_VERTEX
                const int z0 = vertex[event];
                model->prepare_input(std::make_tuple(words + event * n_slots, n, z0));
#else
                model->prepare_input(std::make_pair(words + event * n_slots, n));
#endif
            } else {
                model->prepare_input(std::make_pair(fields + event * n_slots * FIELDS, n));
            }
            model->predict();
            std::array<NUMBER_INT, NUMBERS> numbers{};
            model->read_result(&numbers);
            for (int i = 0; i < NUMBERS; ++i) codes[NUMBERS * event + i] = numbers[i];
#ifdef HAS_WORD
            model->read_result(gt_words + event);
#endif
#ifdef SCORES
            std::array<std::uint8_t, SCORES> scores{};
            model->read_result(&scores);
            for (int i = 0; i < SCORES; ++i) score_words[SCORES * event + i] = scores[i];
#endif
        }
    } catch (...) {
        status = 3;
    }
    destroy(model);
    return status;
}
