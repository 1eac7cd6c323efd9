// A rule's text as a statement: the width of each of its places, its value for given names, and the same as a term of
// Z3's bit vectors. Three readings of one text, none of which is the simplifier's own.
#pragma once
#include "code/simplify/rule.h"

#include <z3++.h>
#include <map>

namespace assay::code::ir {

// The widths that a rule's places may have together. Places that must agree are one class.
class Widths {
 public:
  explicit Widths(const Rule& rule);

  // Calls visit() for every choice out of `sizes` that the rule allows; `of` then says the widths.
  template <class Visit>
  void each(std::span<const unsigned> sizes, Visit visit) {
    choose(sizes, 0, visit);
  }
  unsigned of(char side, uint8_t node) const { return size_[root(class_.at({side, node}))]; }
  unsigned of_name(uint8_t name) const { return size_[root(names_.at(name))]; }
  bool has_name(uint8_t name) const { return names_.contains(name); }

  // 'f', 't' and 'w': what is found, what takes its place, when.
  const Pattern& side(char side) const { return side == 'f' ? from_ : side == 't' ? to_ : when_; }
  bool conditional() const { return !when_.nodes.empty(); }
  const std::map<uint8_t, size_t>& names() const { return names_; }
  bool mentions(Code code) const;

 private:
  struct Order {
    size_t narrow, wide;
  };
  size_t fresh(unsigned fixed = 0);
  size_t root(size_t c) const;
  void join(size_t a, size_t b);
  size_t type(char side, uint8_t node);
  bool allowed() const;

  template <class Visit>
  void choose(std::span<const unsigned> sizes, size_t at, Visit& visit) {
    while (at < parent_.size() && (parent_[at] != at || fixed_[at] != 0)) ++at;
    if (at == parent_.size()) {
      if (allowed()) visit();
      return;
    }
    for (const unsigned size : sizes) {
      size_[at] = size;
      choose(sizes, at + 1, visit);
    }
    size_[at] = 0;
  }

  Pattern from_, to_, when_;
  std::map<std::pair<char, uint8_t>, size_t> class_;
  std::map<uint8_t, size_t> names_;
  std::vector<size_t> parent_;
  std::vector<unsigned> fixed_, size_;
  std::vector<Order> orders_;
};

// By the interpreter's evaluation.
uint64_t value_of(const Widths& w, char side, uint8_t node, std::span<const uint64_t> names);
z3::expr term_of(const Widths& w, char side, uint8_t node, const std::vector<z3::expr>& names, z3::context& z);
// One operation as a term.
z3::expr operation(z3::context& z, Code code, unsigned bits, const std::vector<z3::expr>& of);

}  // namespace assay::code::ir
