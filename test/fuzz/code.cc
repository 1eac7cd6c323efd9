// Fuzz target: loader, decoder, discovery and every question about a program. An input that is an ELF file is taken as
// it is, so that mutations meet its tables; any other becomes the code of a program: its first byte chooses the
// machine.
#include "code/answer.h"
#include "code/processor.h"

#include <array>
#include <string>

namespace {

using namespace assay;

struct Machine {
  uint16_t number;
  uint8_t bits, order;  // as e_ident has them
  uint32_t flags;
};
constexpr std::array<Machine, 14> kMachines = {{{8, 1, 2, 0x1007},
                                                {8, 1, 1, 0x70001007},
                                                {8, 2, 2, 0x80000007},
                                                {8, 1, 1, 0x90000000},
                                                {8, 2, 2, 0x808b0007},
                                                {40, 1, 1, 0x05000200},
                                                {40, 1, 2, 0x05000000},
                                                {183, 2, 1, 0},
                                                {3, 1, 1, 0},
                                                {62, 2, 1, 0},
                                                {20, 1, 2, 0},
                                                {21, 2, 1, 2},
                                                {243, 1, 1, 5},
                                                {243, 2, 1, 5}}};

class Writer {
 public:
  explicit Writer(const Machine& machine) : machine_(machine) {}
  void number(uint64_t value, size_t size) {
    for (size_t i = 0; i < size; ++i) out += static_cast<char>(value >> 8 * (machine_.order == 1 ? i : size - 1 - i));
  }
  void word(uint64_t value) { number(value, machine_.bits == 2 ? 8 : 4); }
  std::string out;

 private:
  const Machine& machine_;
};

// One segment that holds everything, entered at its first byte.
std::string program_of(const Machine& machine, std::string_view code) {
  constexpr uint64_t kAddress = 0x10000;
  const bool wide = machine.bits == 2;
  const uint64_t head = wide ? 64 : 52, entry = wide ? 56 : 32;
  Writer w(machine);
  w.out = std::string(
              "\x7f"
              "ELF") +
          static_cast<char>(machine.bits) + static_cast<char>(machine.order) + '\1' + std::string(9, '\0');
  w.number(2, 2), w.number(machine.number, 2), w.number(1, 4);
  w.word(kAddress), w.word(head), w.word(0);
  w.number(machine.flags, 4);
  for (const uint64_t value : {head, entry, uint64_t{1}, uint64_t{0}, uint64_t{0}, uint64_t{0}}) w.number(value, 2);
  w.number(1, 4);
  if (wide) w.number(7, 4);
  for (const uint64_t value : {head + entry, kAddress, kAddress, code.size(), code.size()}) w.word(value);
  if (!wide) w.number(7, 4);
  w.word(4);
  return w.out + std::string(code);
}

void ask_everything(Bytes program) {
  Facts facts;
  code::read_code(program, facts);
  const CodeAnswer functions = code::answer(program, {.kind = CodeQuestion::kFunctions});
  const uint64_t last = functions.functions.empty() ? 0 : functions.functions.back().address;
  for (const char* form : {"", "ir", "c"})
    (void)code::answer(program, {.kind = CodeQuestion::kListing, .address = last, .text = {}, .form = form});
  (void)code::answer(program, {.kind = CodeQuestion::kReferences, .address = 0, .text = "a"});
  (void)code::answer(program, {.kind = CodeQuestion::kCalls});
  (void)code::answer(program, {.kind = CodeQuestion::kView, .address = 0, .text = {}, .listings = 4, .most = 50});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(std::as_bytes(std::span(data, size)));
  if (size == 0) return 0;
  if (input.starts_with("\x7f"
                        "ELF")) {
    ask_everything(input);
  } else {
    const std::string program = program_of(kMachines[data[0] % kMachines.size()], input.text().substr(1));
    ask_everything(Bytes(program));
    const auto processor = static_cast<code::Processor>(1 + data[0] % (code::kProcessors - 1));
    (void)code::answer(input.head(size - 1, 1),
                       {.address = 0, .text = {}, .form = {}, .cpu = std::string(name_of(processor)), .base = 0x10000});
  }
  return 0;
}
