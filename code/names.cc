#include "code/names.h"

#include <cxxabi.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <memory>

namespace assay::code {
namespace {

constexpr size_t kLongest = 512, kMostDoublings = 24;  // 16 MiB

// S_, S0_, T_, T0_, …: at least as many as there are.
size_t references(std::string_view name) {
  size_t count = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] != 'S' && name[i] != 'T') continue;
    size_t end = i + 1;
    while (end < name.size() && ((name[end] >= '0' && name[end] <= '9') || (name[end] >= 'A' && name[end] <= 'Z')))
      ++end;
    count += end < name.size() && name[end] == '_';
  }
  return count;
}

// Dp and sp, which are shown once for each argument of a pack: at least as many as there are.
size_t expansions(std::string_view name) {
  size_t count = 0;
  for (size_t i = 0; i + 1 < name.size(); ++i) count += name[i + 1] == 'p' && (name[i] == 'D' || name[i] == 's');
  return count;
}

// How often what is shown may double, at the most: k references triple it by threes (3^(k/3) < 2^(8k/15)), each
// expansion takes it as often as arguments may stand behind the first list of them (I, J).
size_t doublings(std::string_view name) {
  const size_t list = name.find_first_of("IJ"), arguments = list == name.npos ? 1 : name.size() - list;
  return std::bit_width(name.size()) + (8 * references(name) + 14) / 15 +
         expansions(name) * static_cast<size_t>(std::bit_width(arguments));
}

}  // namespace

std::string Names::shown(std::string_view stored) {
  std::string name(stored);
  if (!name.starts_with("_Z") || name.size() > kLongest || doublings(name) > kMostDoublings) return name;
  const auto known = known_.find(name);
  if (known != known_.end()) return known->second;
  return known_.emplace(name, demangled(name)).first->second;
}

std::string Names::demangled(const std::string& name) {
  if (left_ == 0) return name;
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> plain(abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status),
                                                     std::free);
  std::string out = plain ? plain.get() : name;
  left_ -= std::min<uint64_t>(left_, out.size());
  return out;
}

}  // namespace assay::code
