// assay declare: a declaration drafted from an image for its vendor to edit; or one that exists, checked, and its
// communications taken from or written as a MUD file (RFC 8520).
#include "certify/files.h"
#include "checks/draft.h"
#include "checks/mud.h"
#include "cli/commands.h"
#include "core/date.h"
#include "engine/version.h"

#include <fmt/format.h>

namespace assay::cli {
namespace {

constexpr uint64_t kLongest = 1 << 20;

struct Flags : Common {
  std::string declaration, mud, export_mud, as_of, output;
};

Result<checks::Draft> drafted(const Flags& flags) {
  engine::Options options = TRY(flags.options());
  options.as_of = flags.as_of;
  const auto inspection = TRY(engine::Inspection::run(options));
  end_progress_line();
  const Examination& e = inspection.examination();
  checks::Draft out = checks::draft(e.facts, e.findings);
  out.head = {"Draft of a declaration, from the image with sha256 " + e.sha256.hex() + ".",
              "It says what the image holds. Delete what the product is not meant to hold, say what each function is",
              "for, fill in what stands as a comment: only then is it a declaration (docs/declaration.md).",
              "`assay declare --declaration FILE` says whether it can be read, and where not."};
  if (!e.complete)
    out.head.emplace_back("Not everything in the image could be read: the draft may lack what is there.");
  return out;
}

Result<checks::Draft> given(const Flags& flags) {
  const std::string yaml = TRY(certify::read_file(flags.declaration, kLongest));
  auto declaration = checks::read_declaration(yaml);
  if (!declaration) return fail(declaration.error().fault, flags.declaration + ": " + declaration.error().what);
  checks::Draft out;
  out.declaration = std::move(*declaration);
  return out;
}

bool say_left_out(const std::string& file, const std::vector<std::string>& left_out) {
  for (const std::string& what : left_out) complain(0, file + ": not taken over: " + what);
  return !left_out.empty();
}

// Into the draft's communications; the names only where the draft has none.
Result<bool> take_mud(const std::string& file, checks::Draft& draft) {
  auto mud = checks::read_mud(TRY(certify::read_file(file, kLongest)));
  if (!mud) return fail(mud.error().fault, file + ": " + mud.error().what);
  draft.declaration.communications = std::move(mud->communications);
  draft.declaration.has_communications = true;
  draft.seen.erase("communications");
  checks::ProductNames& names = draft.declaration.names;
  for (auto member : {&checks::ProductNames::mud_url, &checks::ProductNames::vendor, &checks::ProductNames::model,
                      &checks::ProductNames::release})
    if ((names.*member).empty()) names.*member = mud->names.*member;
  return say_left_out(file, mud->left_out);
}

void print_summary(const std::string& file, const checks::Declaration& d) {
  fmt::print(
      "{}: valid; {} services, {} ports, {} accounts, {} software, {} functions, {} communications, {} update "
      "keys\n",
      file, d.services.size(), d.ports.size(), d.accounts.size(), d.software.size(), d.functions.size(),
      d.communications.size(), d.update_keys.size());
}

Result<int> declare(const Flags& flags) {
  checks::Draft draft = TRY(flags.declaration.empty() ? drafted(flags) : given(flags));
  bool partial = !draft.left_out.empty();
  if (!flags.mud.empty()) partial = TRY(take_mud(flags.mud, draft)) || partial;
  if (!flags.export_mud.empty()) {
    const checks::MudText mud = TRY(checks::write_mud(draft.declaration, flags.as_of));
    TRY_VOID(write_file(flags.export_mud, mud.json));
    partial = say_left_out(flags.export_mud, mud.left_out) || partial;
  }
  const std::string yaml = TRY(checks::declaration_yaml(draft));
  TRY(checks::read_declaration(yaml));  // what cannot be read back is not written
  if (!flags.output.empty()) TRY_VOID(write_file(flags.output, yaml));
  const bool only_checked = flags.output.empty() && flags.export_mud.empty() && !flags.declaration.empty();
  if (only_checked && flags.mud.empty()) print_summary(flags.declaration, draft.declaration);
  if (flags.output.empty() && flags.export_mud.empty() && !(only_checked && flags.mud.empty()))
    TRY_VOID(write_file("-", yaml));
  return partial ? kIncomplete : kClean;
}

int run(Flags flags) {
  if (flags.image.empty() == flags.declaration.empty())
    return complain(kUsage, "declare: give an IMAGE to draft from, or --declaration FILE, one of the two");
  if (flags.as_of.empty()) flags.as_of = today();
  if (auto date = seconds_of_date(flags.as_of); !date) return complain(kUsage, "--as-of: " + date.error().what);
  const auto status = declare(flags);
  if (status) return *status;
  return complain(status.error().fault == Fault::kIo ? kUnreadable : kUsage, status.error().what);
}

}  // namespace

void add_declare(App& app, int& status) {
  App* command = app.add_subcommand("declare", "Draft a vendor's declaration from an image; check one; MUD");
  auto flags = std::make_shared<Flags>();
  flags->add_to(*command);
  command->get_option("IMAGE")->required(false);
  command->add_option("--declaration", flags->declaration, "One that exists, instead of an image: check or convert it")
      ->type_name("FILE");
  command->add_option("--mud", flags->mud, "Take the communications from a MUD file (RFC 8520)")->type_name("FILE");
  command->add_option("--export-mud", flags->export_mud, "Write the communications as a MUD file")->type_name("FILE");
  command->add_option("--as-of", flags->as_of, "Day the MUD file is of, YYYY-MM-DD [today]")->type_name("DATE");
  command->add_option("-o,--output", flags->output, "The declaration's file [standard output]")->type_name("FILE");
  command->footer("Exit status 4: something could not be taken over; it is named.");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
