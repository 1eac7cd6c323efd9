#include "cli/asking.h"

#include "code/processor.h"
#include "core/text.h"

#include <fmt/format.h>

#include <charconv>

namespace assay::cli {
namespace {

// Empty, or why the name is none.
std::string refused_cpu(const std::string& cpu) {
  if (cpu.empty() || cpu == "guess" || code::processor_named(cpu) != code::Processor::kUnknown) return {};
  std::string known = "guess";
  for (size_t i = 1; i < code::kProcessors; ++i)
    known += ", " + std::string(code::name_of(static_cast<code::Processor>(i)));
  return "--cpu: no processor is called \"" + cpu + "\"; there are: " + known;
}

}  // namespace

void ProgramFlags::add_path(App& command) {
  command.add_option("PATH", path, "The program's way in the image; left out where IMAGE is the program");
  command.add_option("--cpu", cpu, "Raw code without a header: of this processor (mips32-be, arm, …), or guess")
      ->type_name("NAME");
  command.add_option("--base", base, "Of raw code: the address of its first byte [guessed]")->type_name("ADDRESS");
}

CodeQuestion question_about(CodeQuestion::Kind kind, const std::string& what) {
  CodeQuestion out = {.kind = kind};
  if (const auto address = address_of(what))
    out.address = *address;
  else
    out.text = what;
  return out;
}

std::expected<CodeAnswer, int> ask_code(const ProgramFlags& flags, CodeQuestion question) {
  const auto refuse = [](int status, const std::string& what) { return std::unexpected(complain(status, what)); };
  if (const std::string why = refused_cpu(flags.cpu); !why.empty()) return refuse(kUsage, why);
  question.cpu = flags.cpu;
  if (!flags.base.empty()) {
    if (flags.cpu.empty()) return refuse(kUsage, "--base is for raw code: give --cpu too");
    question.base = address_of(flags.base);
    if (!question.base) return refuse(kUsage, "--base: \"" + flags.base + "\" is no address (0x… or decimal)");
  }
  const std::string path = flags.path.empty() ? "." : flags.path;
  auto options = flags.options();
  if (!options) return refuse(kUsage, options.error().what);
  options->facts = false;
  options->hold = true;
  options->focus = focus_for(path, flags.image);
  auto inspection = engine::Inspection::run(*options);
  if (!inspection) return refuse(kUnreadable, inspection.error().what);
  end_progress_line();
  const auto found = find_artifact(inspection->examination(), path);
  if (!found) return refuse(kUnreadable, found.error().what);
  if (!(*found)->has_content) return refuse(kUnreadable, path + " has no content to read code from");
  auto answer = inspection->ask(**found, question);
  const std::string shown = flags.path.empty() ? flags.image : flags.path;
  if (!answer) return refuse(kIncomplete, shown + ": " + answer.error().what);
  if (!answer->refused.empty()) {
    const bool raw = flags.cpu.empty() && answer->refused.starts_with("magic");
    const std::string other = flags.path.empty() ? "name a program inside it (`assay ls` lists them), or " : "";
    return refuse(kUnreadable,
                  shown + ": " + escape(answer->refused) +
                      (raw ? "; " + other + "read it as raw code: --cpu NAME --base ADDRESS, --cpu guess" : ""));
  }
  if (!answer->raw.empty()) fmt::print(stderr, "assay: {}: {}\n", shown, escape(answer->raw));
  return std::move(*answer);
}

int status_of(const CodeAnswer& answer) { return answer.unit.unread.empty() ? kClean : kIncomplete; }

std::optional<uint64_t> address_of(const std::string& text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  const char* from = text.data() + (hexadecimal ? 2 : 0);
  const char* const to = text.data() + text.size();
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(from, to, value, hexadecimal ? 16 : 10);
  return error == std::errc() && end == to && from != to ? std::optional(value) : std::nullopt;
}

std::string hex_of(uint64_t address) { return fmt::format("{:#x}", address); }

std::string place_of(uint64_t address, const std::string& name) {
  return name.empty() ? hex_of(address) : fmt::format("{:#x} <{}>", address, escape(name));
}

}  // namespace assay::cli
