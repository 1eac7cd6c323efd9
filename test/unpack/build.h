// Writes sample inputs byte by byte, and runs a format over them as the driver would.
#pragma once
#include "test/unpack/collect.h"
#include "test/unpack/seeds.h"
#include "test/unpack/tool.h"

#include <gtest/gtest.h>

namespace assay::unpack {

inline std::string big(uint64_t value, int bytes = 4) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(i < 8 ? static_cast<char>(value >> (8 * i)) : '\0');
  return out;
}

inline std::string little(uint64_t value, int bytes = 4) {
  std::string out = big(value, bytes);
  return {out.rbegin(), out.rend()};
}

inline void put(std::string& into, size_t at, std::string_view bytes) { into.replace(at, bytes.size(), bytes); }

inline std::string filled(std::string text, size_t size, char with = '\0') {
  text.resize(size, with);
  return text;
}

inline const Format& format(std::string_view id) {
  const Format* found = find_format(id);
  EXPECT_NE(found, nullptr) << id;
  return *found;
}

inline Result<Measured> measured(std::string_view id, std::string_view bytes) {
  return format(id).measure(Bytes(bytes));
}

// What unpack yields; an error of the format is kept among the problems.
inline Collect unpacked(std::string_view id, std::string_view bytes, std::string key = {}) {
  Collect into;
  into.supplied_key = std::move(key);
  if (auto done = format(id).unpack(Bytes(bytes), into); !done) into.problems.push_back(done.error());
  return into;
}

// Every truncation and every flipped byte (of the first and last KiB of long samples) gives a value, no crash, and
// never a length beyond the input.
inline void survives(std::string_view id, const std::string& sample) {
  if (keep_as_seed(id, sample)) return;
  const Format& f = format(id);
  const auto run = [&](std::string_view bytes) {
    const auto length = f.measure(Bytes(bytes));
    if (!length) return;
    ASSERT_LE(length->length, bytes.size());
    unpacked(id, bytes.substr(0, length->length));
  };
  const auto near_an_end = [&](size_t i) { return i < 1024 || sample.size() - i < 64 || i % 997 == 0; };
  for (size_t i = 0; i < sample.size(); ++i)
    if (near_an_end(i)) run(std::string_view(sample).substr(0, i));
  std::string damaged = sample;
  for (size_t i = 0; i < sample.size(); ++i) {
    if (!near_an_end(i)) continue;
    for (const char with : {char(0xff), char(0x01), char(0x80)}) {
      damaged[i] = static_cast<char>(sample[i] ^ with);
      run(damaged);
    }
    damaged[i] = sample[i];
  }
}

// The same over what the header alone decides: unpack must also bear bytes that measure refuses.
inline void unpack_survives(std::string_view id, const std::string& sample) {
  for (size_t i = 0; i < std::min<size_t>(sample.size(), 512); ++i) unpacked(id, sample.substr(0, i));
}

inline std::string shared_file(const std::string& path) {
  const char* stated = std::getenv("ASSAY_SOURCE");
  const std::string source = stated ? stated : ".";
  for (const char* up : {"/../shared/", "/../../shared/"})
    if (std::string bytes = slurp(source + up + path); !bytes.empty()) return bytes;
  return {};
}

// A small image is read to its end, has this child, and no checksum of it is invalid.
inline void reads(std::string_view id, const std::string& sample, std::string_view child, std::string_view content) {
  const auto m = measured(id, sample);
  ASSERT_TRUE(m) << id << ": " << m.error().what;
  EXPECT_EQ(m->length, sample.size()) << id;
  const Collect got = unpacked(id, sample);
  ASSERT_TRUE(got.find(child)) << id << " " << child;
  EXPECT_EQ(got.find(child)->content, content) << id;
  for (const Integrity& i : got.integrities) EXPECT_NE(i.state, "invalid") << id << ": " << i.name;
  survives(id, sample);
  unpack_survives(id, sample);
}

}  // namespace assay::unpack
