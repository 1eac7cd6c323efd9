#include "code/names.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace assay::code {
namespace {

constexpr size_t kLongest = 512, kMostReferences = 24;  // at most doubled by every second one: 2 MiB

// S_, S0_, T_, T0_, …: at least as many as there are.
size_t references(std::string_view name) {
  return static_cast<size_t>(std::ranges::count_if(name, [](char c) { return c == 'S' || c == 'T'; }));
}

}  // namespace

std::string Names::shown(std::string_view stored) {
  std::string name(stored);
  if (!name.starts_with("_Z") || name.size() > kLongest || references(name) > kMostReferences) return name;
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
