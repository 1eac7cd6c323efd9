// Names of functions as people know them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace assay::code {

// C++ names demangled (Itanium C++ ABI), others as they are. A mangled name says by back references what is said
// before, and by expansions what is to be said of each of many: a short one may stand for gigabytes. Names that could,
// and all once what came out exceeds a budget, stay mangled.
class Names {
 public:
  std::string shown(std::string_view stored);

 private:
  std::string demangled(const std::string& name);

  uint64_t left_ = uint64_t{64} << 20;                  // bytes
  std::unordered_map<std::string, std::string> known_;  // only looked up: a name is paid for once
};

}  // namespace assay::code
