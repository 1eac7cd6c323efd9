// What the subcommands about machine code share: the program that is meant, and a worker's answer about it.
#pragma once
#include "cli/commands.h"

#include <optional>

namespace assay::cli {

struct ProgramFlags : Common {
  std::string path;       // of the program in the image; "" : the image is the program
  std::string cpu, base;  // of raw code

  void add_path(App& command);
};

// `what` is an address (0x… or decimal), or a name.
CodeQuestion question_about(CodeQuestion::Kind kind, const std::string& what);

// A worker's answer, or the exit status after the complaint was printed.
std::expected<CodeAnswer, int> ask_code(const ProgramFlags& flags, CodeQuestion question);

// What was asked could be answered, but not all of the program was read: 4.
int status_of(const CodeAnswer& answer);

std::optional<uint64_t> address_of(const std::string& text);  // 0x… or decimal
std::string hex_of(uint64_t address);
// "0x1000 <main>", or the address alone.
std::string place_of(uint64_t address, const std::string& name);

}  // namespace assay::cli
