// lift_bench PROCESSOR [--forms FILE] ELF…: holds the lifter against the emulator on the instructions of real programs.
// A form is an opcode with the pattern of its registers (which are $zero, which are the same). Every form is tried on
// at least 1,000 states, spread over up to eight different instructions of it; then whole straight-line blocks. What is
// written to standard output is one row of docs/lifters.md; disagreements go to standard error and make the exit
// status 1.
// --forms writes one instruction of each form as hex words, for test/lift/forms.
#include "elf/elf.h"
#include "lift/states.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>

namespace {

using namespace assay;
using namespace assay::code;
using namespace assay::code::lift;

constexpr size_t kStates = 1200, kWords = 8, kBlocks = 100'000, kBlockLength = 24;

struct Counts {
  uint64_t same = 0, different = 0, opaque = 0, fault = 0, undefined = 0;
  void add(Verdict v) {
    switch (v) {
      case Verdict::kSame:
        ++same;
        break;
      case Verdict::kDifferent:
        ++different;
        break;
      case Verdict::kOpaque:
        ++opaque;
        break;
      case Verdict::kFault:
        ++fault;
        break;
      case Verdict::kUndefined:
        ++undefined;
        break;
    }
  }
};

struct Form {
  std::vector<std::vector<std::byte>> examples;
  bool lifted = false;
  Counts counts;
};

std::string form_of(const InstructionSet& set, const Isa& isa, const Insn& insn) {
  std::string form(set.opcode_name(insn.opcode));
  for (size_t i = 0; i < insn.operand_count; ++i) {
    const uint32_t reg = insn.reg(i);
    if (reg == 0) continue;
    size_t first = 0;
    while (insn.reg(first) != reg) ++first;
    form += isa.slots[reg].kind == Slot::Kind::kZero ? ".z" : fmt::format(".{}", first);
  }
  return form;
}

struct Bench {
  Processor processor;
  Isa isa;
  Decoder decoder;
  Emulator emulator;
  Random random;
  std::map<std::string, Form> forms;
  uint64_t instructions = 0, opaque = 0, blocks = 0, reported = 0;
  Counts block_counts;
  std::vector<std::vector<std::byte>> texts;

  explicit Bench(Processor p) : processor(p), isa(make_mips(p)), decoder(p), emulator(p, isa) {}

  bool decode(std::span<const std::byte> code, uint64_t address, std::vector<Insn>& out) {
    out.clear();
    decoder.restart();
    for (size_t at = 0; at < code.size();) {
      Insn insn;
      if (!decoder.decode(code.subspan(at), address + at, insn) || insn.size == 0) return false;
      at += insn.size;
      out.push_back(insn);
    }
    return true;
  }

  void read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string data((std::istreambuf_iterator<char>(in)), {});
    const auto file = elf::read(Bytes(data));
    if (!file) return;
    const elf::Section* text = file->section(".text");
    for (const elf::Segment& segment : file->segments) {
      if (segment.type != elf::kLoad || (segment.flags & elf::kExecute) == 0) continue;
      const Bytes bytes = text != nullptr ? Bytes(data).head(text->size, text->offset)
                                          : Bytes(data).head(segment.file_size, segment.offset);
      texts.emplace_back(bytes.span().begin(), bytes.span().end());
      break;
    }
  }

  // With its delay slot filled by a nop, where it has one.
  std::vector<std::byte> example(std::span<const std::byte> code, const Insn& insn) const {
    std::vector<std::byte> out(code.begin(), code.begin() + insn.size);
    if (insn.delay_slot) out.resize(insn.size + 4);
    return out;
  }

  void collect() {
    for (const auto& text : texts) {
      for (size_t at = 0; at + 4 <= text.size();) {
        Insn insn;
        const auto rest = std::span(text).subspan(at);
        const bool good = decoder.decode(rest, at, insn);
        at += insn.size == 0 ? 4 : insn.size;
        if (!good) continue;
        ++instructions;
        if (!isa.exact(insn)) ++opaque;
        Form& form = forms[form_of(decoder.set(), isa, insn)];
        form.lifted = isa.exact(insn);
        if (form.examples.size() >= kWords) continue;
        auto code = example(rest, insn);
        if (std::find(form.examples.begin(), form.examples.end(), code) == form.examples.end())
          form.examples.push_back(std::move(code));
      }
    }
  }

  void run(std::span<const std::byte> code, size_t states, Counts& counts, std::string_view name) {
    const uint64_t address = emulator.place(code);
    std::vector<Insn> insns;
    if (!decode(code, address, insns)) return;
    ir::Function function;
    function.file = &isa.file;
    Machine(isa, function).lift_block(insns);
    if (std::string wrong = ir::malformed(function); !wrong.empty()) {
      fmt::print(stderr, "{}: malformed: {}\n", name, wrong);
      ++counts.different;
      return;
    }
    for (size_t i = 0; i < states; ++i) {
      const ir::State state = make_state(isa, random, i % 9);
      std::string why;
      const Verdict verdict = emulator.compare(address, insns.size(), function, state, why);
      counts.add(verdict);
      if (verdict == Verdict::kOpaque) return;
      if (verdict == Verdict::kDifferent && ++reported < 40) report(name, insns, function, why);
    }
  }

  void report(std::string_view name, std::span<const Insn> insns, const ir::Function& function,
              const std::string& why) {
    fmt::print(stderr, "{}:{}\n", name, why);
    for (const Insn& insn : insns) fmt::print(stderr, "    {}\n", decoder.set().text(insn));
    if (reported < 6) fmt::print(stderr, "{}", ir::print(function));
  }

  // Faults and undefined outcomes do not count as tried: a form whose states all fault has not been tried.
  void run_forms() {
    for (auto& [name, form] : forms) {
      if (!form.lifted) continue;
      for (int round = 0; round < 6 && form.counts.same + form.counts.different < kStates; ++round)
        for (const auto& code : form.examples)
          run(code, (kStates + form.examples.size() - 1) / form.examples.size(), form.counts, name);
    }
  }

  void run_blocks() {
    for (const auto& text : texts)
      for (size_t at = 0; at + 4 <= text.size() && blocks < kBlocks;) {
        const size_t length = block_length(std::span(text).subspan(at));
        if (length == 0) {
          at += 4;
          continue;
        }
        const Counts before = block_counts;
        run(std::span(text).subspan(at, length), 3, block_counts, "block");
        if (block_counts.same + block_counts.different > before.same + before.different) ++blocks;
        at += length;
      }
  }

  // Up to and with the next branch and its slot, only what is lifted exactly.
  size_t block_length(std::span<const std::byte> code) {
    size_t at = 0;
    for (size_t n = 0; n < kBlockLength && at + 8 <= code.size(); ++n) {
      Insn insn;
      if (!decoder.decode(code.subspan(at), at, insn) || !isa.exact(insn)) return at;
      if (!insn.delay_slot && insn.flow != Flow::kNone) return at;
      if (!insn.delay_slot) {
        at += insn.size;
        continue;
      }
      Insn slot;
      if (!decoder.decode(code.subspan(at + insn.size), at, slot) || !isa.exact(slot) || slot.flow != Flow::kNone)
        return at;
      return at + insn.size + slot.size;
    }
    return at;
  }

  double speed() {
    std::vector<std::vector<Insn>> all;
    size_t count = 0;
    for (const auto& text : texts)
      for (size_t at = 0; at + 4 <= text.size() && count < 200'000;) {
        const size_t length = block_length(std::span(text).subspan(at));
        at += length == 0 ? 4 : length;
        if (length == 0) continue;
        all.emplace_back();
        decode(std::span(text).subspan(at - length, length), at - length, all.back());
        count += all.back().size();
      }
    ir::Function function;
    function.file = &isa.file;
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& insns : all) {
      function.clear();
      Machine(isa, function).lift_block(insns);
    }
    return static_cast<double>(count) /
           std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / 1e6;
  }
};

void write_forms(const Bench& bench, const char* path) {
  std::ofstream out(path);
  for (const auto& [name, form] : bench.forms) {
    if (!form.lifted || form.examples.empty()) continue;
    for (std::byte b : form.examples[0]) out << fmt::format("{:02x}", static_cast<uint8_t>(b));
    out << "  " << name << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  Bench bench(processor_named(argv[1]));
  const char* forms = nullptr;
  for (int i = 2; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--forms" && i + 1 < argc)
      forms = argv[++i];
    else
      bench.read(argv[i]);
  }
  bench.collect();
  bench.run_forms();
  bench.run_blocks();
  uint64_t lifted = 0, tested = 0, states = 0, different = 0;
  for (const auto& [name, form] : bench.forms) {
    lifted += form.lifted;
    const uint64_t tried = form.counts.same + form.counts.different;
    tested += tried >= 1000;
    states += tried;
    different += form.counts.different;
    if (form.lifted && tried < 1000)
      fmt::print(stderr, "{}: only {} states ({} faults, {} undefined, {} opaque)\n", name, tried, form.counts.fault,
                 form.counts.undefined, form.counts.opaque);
  }
  if (forms != nullptr) write_forms(bench, forms);
  fmt::print("| {} | {} | {:.2f} % | {} | {} | {} | {} | {} | {} | {} | {:.1f} |\n", argv[1], bench.instructions,
             100.0 * static_cast<double>(bench.opaque) / static_cast<double>(std::max<uint64_t>(bench.instructions, 1)),
             bench.forms.size(), lifted, tested, states, different, bench.blocks, bench.block_counts.different,
             bench.speed());
  return different + bench.block_counts.different == 0 ? 0 : 1;
}
