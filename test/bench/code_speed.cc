// code_speed FILE…: how fast machine code is decoded and read whole, one line a program:
//   processor, bytes of code, instructions decoded one after the other, seconds for that, instructions that the whole
//   reading made sense of, seconds for loading and reading whole.
// code_speed --grow FILE COUNT…: the same for a program whose code is that of FILE so many times over; then its peak.
// CPU seconds of this process.
#include "code/analysis.h"
#include "code/decode.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace assay::code {
namespace {

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

long peak_kib() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used.ru_maxrss;
}

uint64_t decode_all(const Program& program) {
  uint64_t count = 0;
  Decoder decoder(program.processor, program.dialect);
  Insn insn;
  for (const Area& area : program.code)
    for (uint64_t at = 0; at < area.bytes.size(); at += std::max<uint64_t>(insn.size, 1))
      count += decoder.decode(area.bytes.span().subspan(at), area.address + at, insn);
  return count;
}

void measure(Bytes file) {
  const double begun = cpu_seconds();
  const auto program = load(file);
  if (!program) return;
  const double loaded = cpu_seconds();
  const uint64_t decoded = decode_all(*program);
  const double swept = cpu_seconds();
  const Analysis all = analyse(*program);
  const double done = cpu_seconds();
  std::printf("%s %llu %llu %.6f %llu %.6f\n", std::string(name_of(program->processor)).c_str(),
              static_cast<unsigned long long>(all.functions.code_bytes), static_cast<unsigned long long>(decoded),
              swept - loaded, static_cast<unsigned long long>(all.functions.instructions),
              done - swept + loaded - begun);
}

std::string read(const char* path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// One segment and section, executable, with the largest area of code of `file` again and again.
std::string grown(const std::string& file, uint64_t times) {
  const auto program = load(Bytes(file));
  if (!program || program->code.empty()) return {};
  const auto largest = std::ranges::max_element(program->code, {}, [](const Area& a) { return a.bytes.size(); });
  std::string code;
  for (uint64_t i = 0; i < times; ++i) code += largest->bytes.text();
  constexpr uint64_t kHead = 64 + 56, kBase = 0x400000;
  std::string head = file.substr(0, 64);
  head.resize(kHead);
  const auto put = [&](size_t at, uint64_t value, size_t size) { std::memcpy(head.data() + at, &value, size); };
  put(24, kBase, 8), put(32, 64, 8), put(40, 0, 8), put(56, 1, 2), put(60, 0, 2), put(62, 0, 2);
  put(64, 1, 4), put(68, 5, 4), put(72, kHead, 8), put(80, kBase, 8), put(88, kBase, 8);
  put(96, code.size(), 8), put(104, code.size(), 8), put(112, 4096, 8);
  // A section says that all of it is code: without, only what the entry leads to is read.
  std::string sections(128, '\0');
  const auto say = [&](size_t at, uint64_t value, size_t size) {
    std::memcpy(sections.data() + 64 + at, &value, size);
  };
  say(4, 1, 4), say(8, 6, 8), say(16, kBase, 8), say(24, kHead, 8), say(32, code.size(), 8), say(48, 16, 8);
  put(40, kHead + code.size(), 8), put(58, 64, 2), put(60, 2, 2);
  return head + code + sections;
}

}  // namespace
}  // namespace assay::code

int main(int count, char** arguments) {
  using namespace assay::code;
  if (count < 2) return std::fprintf(stderr, "usage: code_speed [--grow] FILE…\n"), 2;
  if (std::strcmp(arguments[1], "--grow") != 0) {
    for (int i = 1; i < count; ++i) {
      const std::string bytes = read(arguments[i]);
      measure(assay::Bytes(bytes));
    }
    return 0;
  }
  const std::string file = read(arguments[2]);
  for (int i = 3; i < count; ++i) {
    const std::string bytes = grown(file, std::strtoull(arguments[i], nullptr, 10));
    measure(assay::Bytes(bytes));
  }
  std::printf("peak %ld\n", peak_kib());
  return 0;
}
