// One declaration of a struct's fields serves everything that walks them: the canonical bytes of the store (pack.h),
// the JSON report, whose keys docs/report.schema.json fixes.
//
//   struct Port { std::string name; uint16_t number = 0;
//     FIELDS(v("name", s.name); v("number", s.number)) };
//
// Field types: bool, integers, enums (with a `name_of` overload for people), std::string, Digest,
// std::optional<T>, std::vector<T>, std::pair<A, B>, and structs with FIELDS. The order is part of the canonical form.
#pragma once

#define FIELDS(...)                          \
  template <class Self, class Visitor>       \
  static void fields(Self& s, Visitor&& v) { \
    __VA_ARGS__;                             \
  }
