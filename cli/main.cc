// assay: the command line.
#include "cli/commands.h"
#include "engine/version.h"

#include <fmt/core.h>

#include <csignal>

int main(int argc, char** argv) {
  using namespace assay;
  std::signal(SIGPIPE, SIG_IGN);
  cli::App app("Assay examines firmware of network equipment: what is inside, what it opens, what it hides.", "assay",
               std::string("assay ") + engine::kVersion);
  app.require_subcommand();
  app.footer("Exit status: 0 clean, 1 findings, 2 usage, 3 unreadable, 4 incomplete. Options: --help, --version.");
  int status = cli::kClean;
  cli::add_inspect(app, status);
  cli::add_ls(app, status);
  cli::add_cat(app, status);
  cli::add_show(app, status);
  cli::add_export(app, status);
  cli::add_functions(app, status);
  cli::add_disasm(app, status);
  cli::add_refs(app, status);
  cli::add_calls(app, status);
  cli::add_list(app, status);
  cli::add_policy(app, status);
  cli::add_declare(app, status);
  cli::add_requirements(app, status);
  cli::add_certify(app, status);
  cli::add_keygen(app, status);
  cli::add_log(app, status);
  cli::add_verify(app, status);
  cli::add_status(app, status);
  cli::add_certificate(app, status);
  try {
    if (const auto ended = app.parse(argc, argv)) return *ended == 0 ? cli::kClean : cli::kUsage;
  } catch (const std::exception& error) {
    return cli::complain(cli::kUnreadable, error.what());
  }
  return status;
}
