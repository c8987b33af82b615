// hls4mlEmulatorExtras' public interface, written anew from its documented symbols, as the oracle
// for exported packages: what CMSSW plugins include and call.
#pragma once

#include <any>
#include <memory>
#include <string>

namespace hls4mlEmulator {

struct Model {
    virtual void prepare_input(std::any input) = 0;
    virtual void predict() = 0;
    virtual void read_result(std::any result) = 0;
    virtual ~Model() = default;
};

/// Opens NAME.so and asks it for models; closes it at the end of its life.
class ModelLoader {
public:
    explicit ModelLoader(const std::string& name = "") : name_(name) {}
    ModelLoader(const ModelLoader&) = delete;
    ModelLoader(ModelLoader&&) = delete;
    ~ModelLoader() { reset(); }

    const std::string& model_name() const { return name_; }
    void reset(const std::string& name = "");
    std::shared_ptr<Model> load_model();

private:
    std::string name_;
    void* library_ = nullptr;
};

}  // namespace hls4mlEmulator
