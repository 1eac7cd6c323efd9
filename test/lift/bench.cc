// lift_bench PROCESSOR [--forms FILE] [--samples FILE] [--speed] [--blocks N] ELF…: holds the lifter against the
// emulator on the instructions of the functions found in real programs. A form is an opcode with the pattern of its
// registers. Every form is tried on at least 1,000 states, spread over up to 32 different instructions of it; then
// whole straight-line blocks, simplified. Then whole functions are lifted and simplified for speed and memory. One row
// of docs/lifters.md goes to standard output; disagreements go to standard error and make the exit status 1.
// --code HEX tries that code alone. --forms writes instructions of each form as hex, for test/lift/forms; --samples
// writes every 500th block in the same way. --speed measures speed and memory alone.
#include "code/lift/function.h"
#include "lift/memory.h"
#include "lift/oracle.h"

#include <fmt/format.h>

#include <time.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

namespace {

using namespace assay;
using namespace assay::code;
using namespace assay::code::lift;

constexpr size_t kStates = 1200, kWords = 32, kBlockLength = 24, kBlockStates = 3;

struct Form {
  std::vector<std::vector<std::byte>> examples;
  uint64_t seen = 0;
  bool lifted = false;
  Counts counts;
};

struct Bench {
  Processor processor;
  Oracle oracle;
  std::map<std::string, Form> forms;
  std::map<std::string, uint64_t> opaque_names;
  uint64_t instructions = 0, opaque = 0, blocks = 0, max_blocks = 100'000;
  Counts block_counts;
  std::vector<std::vector<std::byte>> functions;
  struct Whole {
    std::string data;  // of the file
    Program program;
    Analysis analysis;
  };
  std::vector<std::unique_ptr<Whole>> programs;
  std::vector<std::vector<std::byte>> samples;

  explicit Bench(Processor p) : processor(p), oracle(p) {}

  void read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    auto whole = std::make_unique<Whole>();
    whole->data.assign((std::istreambuf_iterator<char>(in)), {});
    auto program = load(Bytes(whole->data));
    if (!program || (program->processor != processor && other_mode(program->processor) != processor)) return;
    whole->program = *std::move(program);
    whole->analysis = analyse(whole->program);
    for (const Function& f : whole->analysis.functions.all) {
      const Area* area = whole->program.code_at(f.address);
      if (f.processor != processor || area == nullptr) continue;
      const uint64_t size = std::min(f.size, area->end() - f.address);
      const Bytes bytes = area->bytes.head(size, f.address - area->address);
      functions.emplace_back(bytes.span().begin(), bytes.span().end());
    }
    programs.push_back(std::move(whole));
  }

  // Calls visit(rest of the code, instruction) for each one that decodes.
  template <class Visit>
  void each(std::span<const std::byte> code, Visit visit) {
    const uint32_t align = instruction_alignment(processor);
    oracle.decoder().restart();
    for (size_t at = 0; at < code.size();) {
      Insn insn;
      const bool good = oracle.decoder().decode(code.subspan(at), at, insn);
      if (good) visit(code.subspan(at), insn);
      at += insn.size == 0 ? align : insn.size;
    }
  }

  void collect() {
    for (const auto& code : functions)
      each(code, [&](std::span<const std::byte> rest, const Insn& insn) { take(rest, insn); });
  }
  // To the decoder x86's lock is an instruction of its own; it is tried in blocks, with the one it belongs to.
  bool is_prefix(const Insn& insn) const { return oracle.isa().set->opcode_name(insn.opcode) == "LOCK_PREFIX"; }
  void take(std::span<const std::byte> rest, const Insn& insn) {
    ++instructions;
    if (is_prefix(insn)) return;
    Form& form = forms[oracle.form_of(insn)];
    ++form.seen;
    const bool exact = oracle.isa().exact(insn);
    form.lifted |= exact;
    if (!exact) {
      ++opaque;
      ++opaque_names[std::string(oracle.isa().set->opcode_name(insn.opcode))];
    }
    if (!exact || form.examples.size() >= kWords) return;
    auto code = oracle.alone(rest, insn);
    if (std::find(form.examples.begin(), form.examples.end(), code) == form.examples.end())
      form.examples.push_back(std::move(code));
  }

  void run_forms() {
    for (auto& [name, form] : forms) {
      if (!form.lifted) continue;
      for (int round = 0; round < 40 && form.counts.tried() < kStates; ++round)
        for (const auto& code : form.examples)
          oracle.run(code, (kStates + form.examples.size() - 1) / form.examples.size(), form.counts, name);
    }
  }

  // Calls visit(the bytes of a block, its number of instructions) for each straight line that is exact.
  template <class Visit>
  void each_block(Visit visit) {
    for (const auto& code : functions) {
      std::vector<std::pair<size_t, bool>> ends;  // of exact instructions; whether control may leave there
      const std::byte* begin = code.data();
      const auto flush = [&](const std::byte* next) {
        if (!ends.empty()) visit(std::span(begin, ends.back().first), ends.size());
        ends.clear();
        begin = next;
      };
      bool slot = false;
      each(code, [&](std::span<const std::byte> rest, const Insn& insn) {
        if (ends.empty()) begin = rest.data();
        const auto at = static_cast<size_t>(rest.data() - begin);
        const bool gap = !ends.empty() && ends.back().first != at;
        if (gap || !oracle.isa().exact(insn)) {
          if (slot) ends.pop_back();
          slot = false;
          flush(rest.data() + (gap ? 0 : insn.size));
          if (!gap || !oracle.isa().exact(insn)) return;
        }
        ends.emplace_back(static_cast<size_t>(rest.data() - begin) + insn.size, insn.flow != Flow::kNone);
        const bool over = slot || (insn.flow != Flow::kNone && !insn.delay_slot);
        slot = insn.delay_slot || is_prefix(insn);
        if (over || (ends.size() >= kBlockLength && !slot)) flush(rest.data() + insn.size);
      });
      if (slot && !ends.empty()) ends.pop_back();
      flush(nullptr);
    }
  }

  void run_blocks() {
    each_block([&](std::span<const std::byte> code, size_t) {
      if (blocks >= max_blocks) return;
      const uint64_t before = block_counts.tried();
      oracle.run_simplified(code, kBlockStates, block_counts, "block");
      blocks += block_counts.tried() > before;
      if (block_counts.tried() > before && blocks % 500 == 1) samples.emplace_back(code.begin(), code.end());
    });
  }

  // Million instructions lifted a second.
  double speed() {
    std::vector<std::vector<Insn>> all;
    size_t count = 0;
    std::vector<std::vector<std::byte>> kept;
    each_block([&](std::span<const std::byte> code, size_t n) {
      if (count > 200'000) return;
      kept.emplace_back(code.begin(), code.end());
      count += n;
    });
    for (const auto& code : kept) {
      all.emplace_back();
      oracle.decode(code, 0x1000, all.back());
    }
    ir::Function function;
    function.file = &oracle.isa().file;
    const double took = seconds([&] {
      for (const auto& insns : all) {
        function.clear();
        Machine(oracle.isa(), function).lift_block(insns);
      }
    });
    return static_cast<double>(count) / took / 1e6;
  }

  // ---- whole functions, lifted and simplified

  struct Cost {
    uint64_t instructions = 0, functions = 0, large = 0;
    double decoding = 0, all = 0;      // seconds
    double bytes_per_instruction = 0;  // the most at the peak of one function of 1,000 instructions or more
    uint64_t most = 0;                 // where that function is
    ir::Counters counters;
    double speed() const { return static_cast<double>(instructions) / (all - decoding) / 1e6; }
  };
  static constexpr uint64_t kLarge = 1000;

  Cost cost() const {
    Cost out;
    const Isa& isa = oracle.isa();
    for (const auto& p : programs) {
      const ir::Options options{.convention = ir::convention_of(processor, isa.file)};
      for (uint32_t i = 0; i < p->analysis.functions.all.size(); ++i)
        if (p->analysis.functions.all[i].processor == processor) one(*p, i, isa, options, out);
    }
    return out;
  }
  // What lifting makes of every function, to hold two builds side by side.
  void print_text() const {
    ir::Counters counters;
    for (const auto& p : programs)
      for (uint32_t i = 0; i < p->analysis.functions.all.size(); ++i) {
        if (p->analysis.functions.all[i].processor != processor) continue;
        ir::Function function;
        lift_function(oracle.isa(), shape_of(p->program, p->analysis, i),
                      {.convention = ir::convention_of(processor, oracle.isa().file)}, counters, function);
        fmt::print("function {:#x}\n{}", p->analysis.functions.all[i].address, ir::print(function));
      }
  }

  // Of the processor's time: others may use the machine.
  static double now() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
  }
  static double seconds(const std::function<void()>& work) {
    const double begin = now();
    work();
    return now() - begin;
  }
  void one(const Whole& p, uint32_t index, const Isa& isa, const ir::Options& options, Cost& out) const {
    const Shape shape = shape_of(p.program, p.analysis, index);
    uint64_t count = 0;
    out.decoding += seconds([&] { count = decode_alone(p.program, shape); });
    const size_t before = memory_now();
    memory_mark();
    out.all += seconds([&] {
      ir::Function function;
      lift_function(isa, shape, options, out.counters, function);
    });
    const double peak = static_cast<double>(memory_peak() - before) / static_cast<double>(std::max<uint64_t>(count, 1));
    if (count >= kLarge) {
      ++out.large;
      if (peak > out.bytes_per_instruction) out.bytes_per_instruction = peak, out.most = shape.blocks.front().address;
    }
    out.instructions += count;
    ++out.functions;
  }
  // As lift_function does it.
  uint64_t decode_alone(const Program& program, const Shape& shape) const {
    Decoder decoder(processor, program.dialect, Decoder::kFunction);
    uint64_t count = 0;
    Insn insn;
    for (const Block& b : shape.blocks) {
      const Area* area = program.code_at(b.address);
      if (area == nullptr) continue;
      decoder.restart();
      for (uint64_t at = b.address; at < std::min(b.end, area->end()); at += std::max<uint64_t>(insn.size, 1), ++count)
        decoder.decode(area->bytes.span().subspan(at - area->address), at, insn);
    }
    return count;
  }

  void write_samples(const char* path) const {
    std::ofstream out(path);
    for (const auto& code : samples) {
      for (std::byte b : code) out << fmt::format("{:02x}", static_cast<uint8_t>(b));
      out << "  block\n";
    }
  }

  void write_forms(const char* path) const {
    std::ofstream out(path);
    for (const auto& [name, form] : forms) {
      if (!form.lifted) continue;
      for (size_t i = 0; i < std::min<size_t>(form.examples.size(), 2); ++i) {
        for (std::byte b : form.examples[i]) out << fmt::format("{:02x}", static_cast<uint8_t>(b));
        out << "  " << name << "\n";
      }
    }
  }

  bool print_row() {
    uint64_t lifted = 0, tested = 0, states = 0, different = 0;
    for (const auto& [name, form] : forms) {
      const Counts& c = form.counts;
      lifted += form.lifted;
      // What can hardly do other than fault (a store to a constant address, or to twice a pointer) has been tried when
      // both sides fault all the time.
      const bool enough = c.tried() >= 1000 || c[Verdict::kFault] >= 40'000;
      tested += enough;
      states += c.tried();
      different += c[Verdict::kDifferent];
      if (form.lifted && !enough)
        fmt::print(stderr, "{}: only {} states ({} faults, {} undefined, {} opaque)\n", name, c.tried(),
                   c[Verdict::kFault], c[Verdict::kUndefined], c[Verdict::kOpaque]);
    }
    std::vector<std::pair<uint64_t, std::string>> left;
    for (const auto& [name, count] : opaque_names) left.emplace_back(count, name);
    std::sort(left.rbegin(), left.rend());
    for (size_t i = 0; i < std::min<size_t>(left.size(), 40); ++i)
      fmt::print(stderr, "opaque {} {}\n", left[i].second, left[i].first);
    const double share = 100.0 * static_cast<double>(opaque) / static_cast<double>(std::max<uint64_t>(instructions, 1));
    const Cost whole = cost();
    fmt::print(stderr, "{} functions, {} of them large, {} instructions; decoding takes {:.0f} % of the time\n{}",
               whole.functions, whole.large, whole.instructions, 100 * whole.decoding / whole.all,
               ir::print(whole.counters));
    fmt::print("| {} | {} | {:.2f} % | {} | {} | {} | {} | {} | {} | {} | {:.1f} | {:.1f} | {:.0f} |\n",
               name_of(processor), instructions, share, forms.size(), lifted, tested, states, different, blocks,
               block_counts[Verdict::kDifferent], speed(), whole.speed(), whole.bytes_per_instruction);
    return different + block_counts[Verdict::kDifferent] == 0;
  }
};

int try_code(Processor processor, std::string_view hex) {
  std::vector<std::byte> code;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    code.push_back(static_cast<std::byte>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
  Oracle oracle(processor);
  Counts counts;
  oracle.run(code, kStates, counts, "code");
  fmt::print("{} same, {} different, {} opaque, {} faults, {} undefined\n", counts[Verdict::kSame],
             counts[Verdict::kDifferent], counts[Verdict::kOpaque], counts[Verdict::kFault],
             counts[Verdict::kUndefined]);
  return counts[Verdict::kDifferent] == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == std::string_view("--list")) {
    for (size_t p = 1; p < kProcessors; ++p)
      if (has_lifter(static_cast<Processor>(p))) fmt::print("{} ", name_of(static_cast<Processor>(p)));
    fmt::print("\n");
    return 0;
  }
  if (argc < 3 || processor_named(argv[1]) == Processor::kUnknown) {
    fmt::print(stderr, "usage: lift_bench PROCESSOR [--forms FILE] [--samples FILE] [--speed] [--blocks N] ELF…\n");
    return 2;
  }
  if (argc == 4 && argv[2] == std::string_view("--code")) return try_code(processor_named(argv[1]), argv[3]);
  Bench bench(processor_named(argv[1]));
  const char *forms = nullptr, *samples = nullptr;
  bool speed_alone = false, text_alone = false;
  int rounds = 1;
  for (int i = 2; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--forms" && i + 1 < argc)
      forms = argv[++i];
    else if (arg == "--samples" && i + 1 < argc)
      samples = argv[++i];
    else if (arg == "--speed")
      speed_alone = true;
    else if (arg == "--text")
      text_alone = true;
    else if (arg == "--rounds" && i + 1 < argc)
      rounds = std::atoi(argv[++i]);
    else if (arg == "--blocks" && i + 1 < argc)
      bench.max_blocks = std::strtoull(argv[++i], nullptr, 10);
    else
      bench.read(argv[i]);
  }
  if (text_alone) {
    bench.print_text();
    return 0;
  }
  if (speed_alone) {
    const double lifted = bench.speed();
    Bench::Cost cost = bench.cost();
    fmt::print("{}{} instructions, {:.2f} Minsn/s lifted, {:.2f} lifted and simplified, {:.0f} bytes at {:#x}\n",
               ir::print(cost.counters), cost.instructions, lifted, cost.speed(), cost.bytes_per_instruction,
               cost.most);
    for (int i = 1; i < rounds; ++i) {
      cost = bench.cost();
      fmt::print("again: {:.2f} lifted and simplified, decoding {:.2f}\n", cost.speed(), cost.decoding / cost.all);
    }
    return 0;
  }
  bench.collect();
  bench.run_forms();
  bench.run_blocks();
  if (forms != nullptr) bench.write_forms(forms);
  if (samples != nullptr) bench.write_samples(samples);
  return bench.print_row() ? 0 : 1;
}
