// One file a subcommand: read flags, call the engine, print. Each returns the program's exit status.
#pragma once
#include "cli/options.h"
#include "engine/inspect.h"

#include <string>

namespace assay::cli {

// docs/design.md, Command line: the first that applies.
enum Exit { kClean = 0, kFindings = 1, kUsage = 2, kUnreadable = 3, kIncomplete = 4 };

// Flags that every subcommand with an IMAGE has.
struct Common {
  std::string image;
  std::string store;
  bool no_store = false;
  unsigned workers = 0;           // 0: one per core
  std::vector<std::string> keys;  // FORMAT=FILE

  void add_to(App& app);
  Result<engine::Options> options() const;
};

// Prints "assay: what" and gives the status back.
int complain(int status, const std::string& what);

void add_inspect(App& app, int& status);
void add_ls(App& app, int& status);
void add_cat(App& app, int& status);
void add_export(App& app, int& status);
void add_show(App& app, int& status);
void add_functions(App& app, int& status);
void add_disasm(App& app, int& status);
void add_refs(App& app, int& status);
void add_calls(App& app, int& status);
void add_list(App& app, int& status);
void add_policy(App& app, int& status);
void add_declare(App& app, int& status);
void add_requirements(App& app, int& status);
void add_certify(App& app, int& status);
void add_keygen(App& app, int& status);
void add_log(App& app, int& status);
void add_verify(App& app, int& status);
void add_status(App& app, int& status);
void add_certificate(App& app, int& status);

// The artifact a user means: a way ("trx/part1/squashfs/etc/passwd", with or without the image's name before it), or a
// path on the device ("/etc/passwd") where only one volume has it. The error names the candidates.
Result<const Artifact*> find_artifact(const Examination& examination, const std::string& path);
// For Options::focus: the ways that must be opened to reach `path`; empty for a path on the device.
std::vector<std::string> focus_for(const std::string& path, const std::string& image);

// To `file` ("-": standard output), through a temporary name beside it so that no half-written report is left.
Result<void> write_file(const std::string& file, std::string_view bytes);

std::string today();  // UTC, YYYY-MM-DD

// Draws one line on a terminal: step, bytes, files, time left. Silent where standard error is none.
std::function<void(const engine::Progress&)> progress_line();
void end_progress_line();

}  // namespace assay::cli
