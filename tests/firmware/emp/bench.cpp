// Plays frames.bin (68 bytes per clock: eight links of 68 bits) into the payload as Verilator compiles it, and
// writes the output link (argument 1): its word, then its flags, 9 bytes per clock.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "Vpayload.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

int main(int, char** arguments) {
    const int lowest = 68 * std::atoi(arguments[1]);
    VerilatedContext context;
    Vpayload payload{&context};
    const auto clock = [&payload] {
        payload.clk_p = 1;
        payload.eval();
        payload.clk_p = 0;
        payload.eval();
    };
    payload.clk_p = 0;
    payload.rst_p = 1;
    for (int i = 0; i < 40; ++i) clock();
    payload.rst_p = 0;
    for (int i = 0; i < 4; ++i) clock();
    std::FILE* given = std::fopen("frames.bin", "rb");
    std::FILE* found = std::fopen("out.bin", "wb");
    std::uint32_t words[17];
    while (std::fread(words, 4, 17, given) == 17) {
        for (int i = 0; i < 17; ++i) payload.frames[i] = words[i];
        payload.eval();
        std::uint8_t result[9] = {};
        for (int bit = 0; bit < 68; ++bit) {
            const int at = lowest + bit;
            const int value = payload.results[at / 32] >> (at % 32) & 1;
            result[bit / 8] |= static_cast<std::uint8_t>(value << (bit % 8));
        }
        std::fwrite(result, 1, 9, found);
        clock();
    }
    std::fclose(found);
}
