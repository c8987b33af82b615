// What a CMSSW plugin does with a package: arguments are the word file, slots per event, and models.
#include <array>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "emulator.h"

namespace {

std::shared_ptr<hls4mlEmulator::Model> outliving(const std::string& name) {
    hls4mlEmulator::ModelLoader loader(name);  // closes the library before the model is used
    return loader.load_model();
}

std::string refusal(hls4mlEmulator::Model& model) {
    std::string said;
    try {
        model.prepare_input(std::vector<float>{});
    } catch (const std::invalid_argument& error) {
        said = error.what();
    }
    float number = 0;
    try {
        model.read_result(&number);
    } catch (const std::invalid_argument& error) {
        said += std::string("; ") + error.what();
    }
    return said;
}

}  // namespace

int main(int count, char** arguments) {
    std::vector<std::shared_ptr<hls4mlEmulator::Model>> models;
    for (int i = 3; i < count; ++i) models.push_back(outliving(arguments[i]));
    std::fprintf(stderr, "%s\n", refusal(*models[0]).c_str());
    std::vector<std::uint64_t> words(std::stoul(arguments[2]));
    std::FILE* file = std::fopen(arguments[1], "rb");
    while (std::fread(words.data(), 8, words.size(), file) == words.size()) {
        for (auto& model : models) {
            const auto& unchanging = words;
            model->prepare_input(&unchanging);
            model->predict();
            std::array<std::int32_t, 2> met;
            std::uint64_t gt_word;
            model->read_result(&met);
            model->read_result(&gt_word);
            std::printf("%d %d %llu ", met[0], met[1], static_cast<unsigned long long>(gt_word));
        }
        std::printf("\n");
    }
    try {
        hls4mlEmulator::ModelLoader("./no_such_model").load_model();
    } catch (const std::runtime_error&) {
        return 0;
    }
    return 1;
}
