#include "core/merge.h"

#include <iterator>

namespace assay {
namespace {

// Walks two Facts field by field: the addresses of one, then the values of the other. The order is that of FIELDS.
struct Addresses {
  std::vector<void*> of;
  template <class T>
  void operator()(std::string_view, std::vector<T>& list) {
    of.push_back(&list);
  }
};
struct Append {
  const std::vector<void*>& to;
  size_t next = 0;
  template <class T>
  void operator()(std::string_view, std::vector<T>& list) {
    auto& into = *static_cast<std::vector<T>*>(to[next++]);
    into.insert(into.end(), std::make_move_iterator(list.begin()), std::make_move_iterator(list.end()));
    list.clear();
  }
};

struct Placer {
  const std::string& artifact;
  template <class T>
  void operator()(std::string_view, T& value) {
    place(value);
  }
  void place(Evidence& evidence) {
    if (evidence.artifact.empty()) evidence.artifact = artifact;
  }
  void place(Problem& problem) {
    if (problem.artifact.empty()) problem.artifact = artifact;
  }
  template <class T>
  void place(std::vector<T>& list) {
    for (T& value : list) place(value);
  }
  template <class T>
  void place(T& value) {
    if constexpr (requires { T::fields(value, *this); }) T::fields(value, *this);
  }
};

}  // namespace

void append(Facts& into, Facts&& from) {
  Addresses addresses;
  Facts::fields(into, addresses);
  Append append{addresses.of};
  Facts::fields(from, append);
}

void place_facts(Facts& facts, const std::string& artifact) {
  Placer placer{artifact};
  Facts::fields(facts, placer);
}

}  // namespace assay
