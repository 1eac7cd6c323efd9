// Names of functions as people know them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace assay::code {

// C++ names demangled (Itanium C++ ABI), others as they are. A mangled name says by back references what is said
// before: a short one may stand for gigabytes. Names with many of them, and all once what came out exceeds a budget,
// stay mangled.
class Names {
 public:
  std::string shown(std::string_view stored);

 private:
  uint64_t left_ = uint64_t{64} << 20;  // bytes
};

}  // namespace assay::code
