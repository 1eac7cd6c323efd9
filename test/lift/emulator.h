// Unicorn as the oracle of the lifters: the same code, registers and memory, run there and compared. Only test programs
// are linked with it.
#pragma once
#include "code/lift/machine.h"
#include "lift/interpreter.h"

#include <memory>
#include <string>

namespace assay::code::lift {

constexpr uint64_t kCodeBase = 0x100000, kCodeSize = 0x100000;
constexpr uint64_t kAreaBase = 0x400000, kAreaSize = 0x40000;

// What became of one state.
enum class Verdict : uint8_t {
  kSame,
  kDifferent,
  kOpaque,  // the language does not say what the code does
  kFault,  // both sides leave the memory of the test, jumps to no address of an instruction, or is refused as unaligned
  kUndefined,  // the way on depends on a value that the architecture leaves undefined
};
constexpr size_t kVerdicts = 5;

class Emulator {
 public:
  // `area` is the memory both sides begin with; the emulator keeps a copy of its own. Where stores are not watched, all
  // of memory is compared, which takes longer.
  Emulator(Processor processor, const Isa& isa, const ir::Area& area, bool watched = true);
  ~Emulator();
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

  // Puts code where nothing translated earlier is taken for it. Returns its address.
  uint64_t place(std::span<const std::byte> code);
  // Runs the `size` bytes of code at `address` there and `function`'s only block here, from `state`, until control
  // leaves the straight line. `why` says what differs. The state's memory is as before afterwards, its registers are
  // not.
  Verdict compare(uint64_t address, size_t size, const ir::Function& function, ir::State& state, std::string& why);

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace assay::code::lift
