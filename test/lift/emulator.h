// Unicorn as the oracle of the lifters: the same code, registers and memory, run there and compared. Only test programs
// are linked with it.
#pragma once
#include "code/lift/machine.h"
#include "lift/interpreter.h"

#include <memory>
#include <string>

namespace assay::code::lift {

constexpr uint64_t kCodeBase = 0x100000, kCodeSize = 0x100000;
constexpr uint64_t kAreaBase = 0x400000, kAreaSize = 0x2000;

// What became of one state.
enum class Verdict : uint8_t {
  kSame,
  kDifferent,
  kOpaque,     // the language does not say what the code does
  kFault,      // both sides leave the memory of the test, or an access the CPU refuses as unaligned
  kLoop,       // goes on inside of the code itself: the emulator cannot be stopped there
  kUndefined,  // the way on depends on a value that the architecture leaves undefined
};

class Emulator {
 public:
  explicit Emulator(Processor processor, const Isa& isa);
  ~Emulator();
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

  // Puts code where it has not been before, so that nothing translated earlier is taken for it. Returns its address.
  uint64_t place(std::span<const std::byte> code);
  // Runs `count` instructions at `address` there and `function`'s only block here, from `state`. `why` says what
  // differs.
  Verdict compare(uint64_t address, size_t count, const ir::Function& function, const ir::State& state,
                  std::string& why);

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace assay::code::lift
