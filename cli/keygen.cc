// assay keygen -o K: a key pair for signing certificates, logs or cosignatures.
#include "certify/files.h"
#include "certify/keys.h"
#include "cli/commands.h"

#include <fmt/core.h>

namespace assay::cli {
namespace {

struct Flags {
  std::string output, type = "ed25519";
};

Result<void> write_pair(const Flags& flags) {
  if (certify::file_exists(flags.output) || certify::file_exists(flags.output + ".pub"))
    return fail(Fault::kIo, flags.output + " or " + flags.output + ".pub is there already; a key is never replaced");
  const auto algorithm = flags.type == "p256" ? certify::Algorithm::kP256 : certify::Algorithm::kEd25519;
  const certify::SigningKey key = TRY(certify::SigningKey::generate(algorithm));
  TRY_VOID(certify::write_durably(flags.output, TRY(key.pem()), 0600, certify::Existing::kKeep));
  TRY_VOID(certify::write_durably(flags.output + ".pub", key.public_key().pem(), 0644, certify::Existing::kKeep));
  fmt::print("{} key {}\n", certify::algorithm_name(algorithm), key.public_key().id());
  return {};
}

int run(const Flags& flags) {
  if (auto written = write_pair(flags); !written) return complain(kUnreadable, written.error().what);
  return kClean;
}

}  // namespace

void add_keygen(App& app, int& status) {
  App* command = app.add_subcommand("keygen", "Make a key pair: K (private, mode 0600) and K.pub");
  auto flags = std::make_shared<Flags>();
  command->add_option("-o,--output", flags->output, "File for the private key")->required()->type_name("K");
  command->add_option("--type", flags->type, "ed25519 or p256 [ed25519]; logs and witnesses need ed25519")
      ->one_of({"ed25519", "p256"})
      ->type_name("TYPE");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
