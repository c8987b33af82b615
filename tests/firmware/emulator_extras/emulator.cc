#include "emulator.h"

#include <dlfcn.h>

#include <stdexcept>

namespace hls4mlEmulator {

void ModelLoader::reset(const std::string& name) {
    if (library_ != nullptr) dlclose(library_);
    library_ = nullptr;
    name_ = name;
}

std::shared_ptr<Model> ModelLoader::load_model() {
    if (name_.empty()) throw std::runtime_error("no model name");
    library_ = dlopen((name_ + ".so").c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (library_ == nullptr) throw std::runtime_error(dlerror());
    const auto create = reinterpret_cast<Model* (*)()>(dlsym(library_, "create_model"));
    const auto destroy = reinterpret_cast<void (*)(Model*)>(dlsym(library_, "destroy_model"));
    if (create == nullptr || destroy == nullptr) throw std::runtime_error("a symbol is missing");
    return {create(), destroy};
}

}  // namespace hls4mlEmulator
