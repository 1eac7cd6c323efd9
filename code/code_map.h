// Whose instruction lies at each address of a program's code: one number per place where an instruction may start.
#pragma once
#include "code/program.h"

#include <bit>
#include <cstring>

namespace assay::code {

class CodeMap {
 public:
  static constexpr uint32_t kUnread = 0, kData = 1, kFirstOwner = 2;

  CodeMap(const Program& program) : program_(program) {
    const uint32_t other =
        other_mode(program.processor) == Processor::kUnknown
            ? instruction_alignment(program.processor)
            : std::min(instruction_alignment(program.processor), instruction_alignment(other_mode(program.processor)));
    shift_ = static_cast<uint8_t>(std::countr_zero(other));
    for (const Area& a : program.code) owners_.emplace_back((a.bytes.size() >> shift_) + 1);
  }
  // What is said of `address`: kUnread, kData, or an owner; nothing: it is not code.
  const uint32_t* at(uint64_t address) const {
    if (!here_ || address - here_->address >= here_->bytes.size()) {
      const Area* area = program_.code_at(address);
      if (!area) return nullptr;
      here_ = area;
      here_owners_ = owners_[static_cast<size_t>(area - program_.code.data())].data();
    }
    return here_owners_ + ((address - here_->address) >> shift_);
  }
  // Of what `at` says: nobody's, and no function begins there.
  static bool is_untouched(uint32_t said) { return (said & ~kEndless) == 0; }
  struct Place {
    uint32_t owner = kUnread;
    bool starts = false, function = false;  // an instruction begins here; a function does
  };
  Place place(uint64_t address) const {
    const uint32_t* p = at(address);
    if (!p) return {};
    const uint32_t owner = *p & kOwner;
    return {owner, owner >= kFirstOwner && (*p & kInside) == 0, (*p & kStart) != 0};
  }
  uint32_t owner(uint64_t address) const {
    const uint32_t* p = at(address);
    return p ? *p & kOwner : kUnread;
  }
  bool starts(uint64_t address) const {  // an instruction, not the rest of one
    const uint32_t* p = at(address);
    return p && (*p & kOwner) >= kFirstOwner && (*p & kInside) == 0;
  }
  bool starts_function(uint64_t address) const {
    const uint32_t* p = at(address);
    return p && (*p & kStart) != 0;
  }
  void set_function(uint64_t address) {
    if (const uint32_t* p = at(address)) *const_cast<uint32_t*>(p) |= kStart;
  }
  // Of functions: control does not come back out of this one.
  bool endless(uint64_t address) const {
    const uint32_t* p = address % unit() == 0 ? at(address) : nullptr;
    return p && (*p & kEndless) != 0;
  }
  void set_endless(uint64_t address) {
    if (const uint32_t* p = at(address)) *const_cast<uint32_t*>(p) |= kEndless;
  }
  // The first place in [from, to) of which nothing is said; `to`: there is none.
  uint64_t next_unread(uint64_t from, uint64_t to) const {
    while (from < to) {
      const uint32_t* p = at(from);
      if (!p) return from;
      const uint64_t end = std::min(to, here_->end()), four = uint64_t{4} << shift_;
      const auto read = [&](int i) { return (p[i] & kOwner) != kUnread; };
      for (; end - from >= four && read(0) && read(1) && read(2) && read(3); p += 4) from += four;
      for (; from < end; from += unit(), ++p)
        if (!read(0)) return from;
    }
    return to;
  }
  // [address, address + size) of one area.
  void mark(uint64_t address, uint64_t size, uint32_t owner) {
    auto* p = const_cast<uint32_t*>(at(address));
    if (!p) return;
    size = std::min(size, here_->end() - address);
    const uint64_t units = ((size - 1) >> shift_) + 1;
    *p = (*p & kKept) | owner;
    const uint64_t rest = owner | (owner >= kFirstOwner ? kInside : 0);
    uint64_t i = 1;
    for (uint64_t two; i + 2 <= units; i += 2) {
      std::memcpy(&two, p + i, sizeof two);
      two = (two & (uint64_t{kKept} << 32 | kKept)) | rest << 32 | rest;
      std::memcpy(p + i, &two, sizeof two);
    }
    if (i < units) p[i] = (p[i] & kKept) | static_cast<uint32_t>(rest);
  }
  void clear(uint64_t address, uint64_t size, uint32_t owner) {
    auto* p = const_cast<uint32_t*>(at(address));
    if (!p || size == 0) return;
    size = std::min(size, here_->end() - address);
    for (uint64_t i = 0; i <= (size - 1) >> shift_; ++i)
      if ((p[i] & kOwner) == owner) p[i] &= kKept;
  }
  uint32_t unit() const { return 1u << shift_; }

 private:
  static constexpr uint32_t kInside = uint32_t{1} << 31, kStart = uint32_t{1} << 30, kEndless = uint32_t{1} << 29,
                            kKept = kStart | kEndless, kOwner = kEndless - 1;
  const Program& program_;
  uint8_t shift_ = 0;
  std::vector<std::vector<uint32_t>> owners_;
  mutable const Area* here_ = nullptr;  // what was asked for last is near what is asked for next
  mutable const uint32_t* here_owners_ = nullptr;
};

}  // namespace assay::code
