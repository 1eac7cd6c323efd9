// assay functions IMAGE [PATH]: where the functions of a program start, how each was found and how sure that is.
#include "cli/asking.h"

#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Flags : ProgramFlags {
  std::string json;
};

Json coverage(const CodeUnit& u) {
  return {{"functions", u.functions},
          {"instructions", u.instructions},
          {"bytes", u.bytes},
          {"undecodable", u.undecodable},
          {"indirect_jumps", {{"total", u.indirect_jumps}, {"resolved", u.indirect_jumps_resolved}}},
          {"indirect_calls", {{"total", u.indirect_calls}, {"resolved", u.indirect_calls_resolved}}},
          {"unread", escape(u.unread)}};
}

Json addresses(const std::vector<uint64_t>& values) {
  Json out = Json::array();
  for (const uint64_t value : values) out.push_back(hex_of(value));
  return out;
}

std::string json_of(const CodeAnswer& answer) {
  Json out = {{"processor", answer.unit.processor},
              {"coverage", coverage(answer.unit)},
              {"functions", Json::array()},
              {"jump_tables", Json::array()},
              {"string_references", Json::array()}};
  for (const CodeFunction& f : answer.functions)
    out["functions"].push_back({{"address", hex_of(f.address)},
                                {"size", f.size},
                                {"name", escape(f.name)},
                                {"processor", f.processor},
                                {"found_by", f.found_by},
                                {"confidence", f.confidence}});
  for (const CodeTable& t : answer.tables)
    out["jump_tables"].push_back(
        {{"address", hex_of(t.address)}, {"table", hex_of(t.table)}, {"targets", addresses(t.targets)}});
  for (const CodeReference& r : answer.references)
    out["string_references"].push_back({{"from", hex_of(r.from)}, {"to", hex_of(r.to)}});
  return json_text(out, 1) + "\n";
}

std::string table_of(const CodeAnswer& answer) {
  std::string out;
  for (const CodeFunction& f : answer.functions)
    out += fmt::format("{:#10x} {:>8}  {:<14} {:<8} {}\n", f.address, f.size, f.found_by, f.confidence, escape(f.name));
  const CodeUnit& u = answer.unit;
  out +=
      fmt::format("# {}: {} functions, {} instructions of {} bytes of code, {} bytes in functions are no instruction\n",
                  u.processor, u.functions, u.instructions, u.bytes, u.undecodable);
  out += fmt::format("# resolved: {} of {} indirect jumps, {} of {} indirect calls\n", u.indirect_jumps_resolved,
                     u.indirect_jumps, u.indirect_calls_resolved, u.indirect_calls);
  if (!u.unread.empty()) out += "# not read: " + escape(u.unread) + "\n";
  return out;
}

int run(const Flags& flags) {
  const auto answer = ask_code(flags, {.kind = CodeQuestion::kFunctions});
  if (!answer) return answer.error();
  Result<void> written = {};
  if (flags.json != "-") written = write_file("-", table_of(*answer));
  if (written && !flags.json.empty()) written = write_file(flags.json, json_of(*answer));
  if (!written) return complain(kUnreadable, written.error().what);
  return status_of(*answer);
}

}  // namespace

void add_functions(App& app, int& status) {
  App* command = app.add_subcommand("functions", "List the functions of a program, stripped or not");
  auto flags = std::make_shared<Flags>();
  flags->add_to(*command);
  flags->add_path(*command);
  command
      ->add_option("--json", flags->json, "Functions, jump tables and uses of strings as JSON (- is standard output)")
      ->type_name("FILE");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
