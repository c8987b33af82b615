// The part of hls4mlEmulatorExtras' interface that an emulator package is compiled against, written
// from its documented symbols, so that the package can be compiled and checked where the real one
// is not installed. In CMSSW the real header takes its place.
#ifndef L1MET_CMSSW_INTERFACE_H
#define L1MET_CMSSW_INTERFACE_H

#include <any>

namespace hls4mlEmulator {

class Model {
public:
    virtual void prepare_input(std::any input) = 0;
    virtual void predict() = 0;
    virtual void read_result(std::any result) = 0;
    virtual ~Model() = default;
};

}  // namespace hls4mlEmulator

#endif
