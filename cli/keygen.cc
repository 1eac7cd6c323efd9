// assay keygen -o K: a key pair for signing certificates, logs or cosignatures.
#include "certify/files.h"
#include "certify/keys.h"
#include "cli/commands.h"

#include <fmt/core.h>

namespace assay::cli {
namespace {

struct Flags {
  std::string output, of, type;
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

// Of a key in a token, or of a private key whose K.pub is gone.
Result<void> write_public(const Flags& flags) {
  const certify::SigningKey key = TRY(certify::SigningKey::open(flags.of));
  const std::string file = flags.output + ".pub";
  if (certify::file_exists(file)) return fail(Fault::kIo, file + " is there already; a key is never replaced");
  TRY_VOID(certify::write_durably(file, key.public_key().pem(), 0644, certify::Existing::kKeep));
  fmt::print("{} key {}\n", certify::algorithm_name(key.public_key().algorithm), key.public_key().id());
  return {};
}

// A private key's file that holds none is unreadable; a pkcs11: URI that is none is usage.
int status_of(const Flags& flags, Fault fault) {
  const bool damaged = fault == Fault::kMalformed && !flags.of.empty() && !flags.of.starts_with("pkcs11:");
  return fault == Fault::kIo || damaged ? kUnreadable : kUsage;
}

int run(const Flags& flags) {
  if (!flags.of.empty() && !flags.type.empty())
    return complain(kUsage, "--type is for a new key; with --of the key has its type");
  const auto written = flags.of.empty() ? write_pair(flags) : write_public(flags);
  return written ? kClean : complain(status_of(flags, written.error().fault), written.error().what);
}

}  // namespace

void add_keygen(App& app, int& status) {
  App* command = app.add_subcommand("keygen", "Make a key pair: K (private, mode 0600) and K.pub");
  auto flags = std::make_shared<Flags>();
  command->add_option("-o,--output", flags->output, "File for the private key")->required()->type_name("K");
  command->add_option("--type", flags->type, "ed25519 or p256 [ed25519]; logs and witnesses need ed25519")
      ->one_of({"ed25519", "p256"})
      ->type_name("TYPE");
  command->add_option("--of", flags->of, "Make none: write K.pub of this private key, a file or pkcs11:URI")
      ->type_name("KEY");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
