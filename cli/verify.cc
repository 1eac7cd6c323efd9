// assay verify CERT: what a stranger can check of a certificate, said in words, and what was not checked.
#include "certify/certificate.h"
#include "certify/files.h"
#include "certify/witness.h"
#include "cli/commands.h"
#include "core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace assay::cli {
namespace {

struct Flags {
  std::string certificate, signer, log_key, image, log;
};

bool names_image(const certify::Certificate& certificate, const std::string& digest) {
  const auto json = nlohmann::json::parse(certificate.bundles[0].envelope.payload, nullptr, false);
  if (!json.is_object() || !json.contains("subject")) return false;
  for (const auto& subject : json["subject"])
    if (subject.is_object() && subject.value("/digest/sha256"_json_pointer, std::string()) == digest) return true;
  return false;
}

Result<void> check_keys(const Flags& flags, const certify::Certificate& certificate) {
  if (!flags.signer.empty()) {
    const std::string pem = TRY(certify::read_file(flags.signer, 1 << 20));
    const auto key = TRY(certify::public_key_from_pem(pem, flags.signer));
    for (const certify::Bundle& bundle : certificate.bundles)
      if (bundle.signer != key)
        return fail(Fault::kMalformed, "signed by key " + bundle.signer.id() + ", not by " + flags.signer);
    fmt::print("checked: every statement is signed by {}\n", flags.signer);
  }
  if (!flags.log_key.empty()) {
    if (certificate.log.text() != flags.log_key)
      return fail(Fault::kMalformed, "logged by " + certificate.log.text() + ", not by " + flags.log_key);
    fmt::print("checked: the log is {}\n", flags.log_key);
  }
  return {};
}

Result<void> check_log(const Flags& flags, const certify::Certificate& certificate) {
  const std::string note = TRY(certify::read_file(flags.log + "/checkpoint", 1 << 20));
  const auto now = TRY(certify::open_checkpoint(note, certificate.log, flags.log + "/checkpoint"));
  for (const certify::Bundle& bundle : certificate.bundles)
    TRY_VOID(certify::check_growth(bundle.entry.checkpoint, now, certify::tiles_in(flags.log)));
  fmt::print("checked: the log at {} still has that history; it has {} entries now\n", flags.log, now.size);
  return {};
}

Result<bool> verify(const Flags& flags) {
  const std::string text = TRY(certify::read_file(flags.certificate, 1 << 28));
  const auto certificate = TRY(certify::read_certificate(text, flags.certificate));
  fmt::print("checked: encoding of every byte, {} signatures, that the log {} holds them, the verdict's list of them\n",
             certificate.bundles.size(), certificate.log.name);
  TRY_VOID(check_keys(flags, certificate));
  if (!flags.image.empty()) {
    const std::string digest = sha256(Bytes(TRY(certify::read_file(flags.image, 1ull << 36)))).hex();
    if (!names_image(certificate, digest))
      return fail(Fault::kMalformed, flags.image + " (sha256 " + digest + ") is not what was certified");
    fmt::print("checked: {} is what was certified\n", flags.image);
  }
  if (!flags.log.empty()) TRY_VOID(check_log(flags, certificate));
  if (flags.signer.empty())
    fmt::print("not checked: whose key {} is (--signer K.pub)\n", certificate.bundles[0].signer.id());
  if (flags.log_key.empty())
    fmt::print("not checked: whether {} is the log you trust (--log-key)\n", certificate.log.text());
  if (flags.image.empty()) fmt::print("not checked: that an image is the one certified (--image)\n");
  if (flags.log.empty()) fmt::print("not checked: that the log still has this history (--log)\n");
  fmt::print("not checked: later changes of status, the days of validity, the analyses themselves\n");
  return !flags.signer.empty() && !flags.log_key.empty();
}

int run(const Flags& flags) {
  const auto trusted = verify(flags);
  if (!trusted)
    return complain(trusted.error().fault == Fault::kIo ? kUnreadable : kFindings, "rejected: " + trusted.error().what);
  return *trusted ? kClean : kIncomplete;
}

}  // namespace

void add_verify(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("verify", "Check a certificate; says what was checked and what not");
  auto flags = std::make_shared<Flags>();
  command->add_option("CERT", flags->certificate, "The certificate's file")->required();
  command->add_option("--signer", flags->signer, "Public key that must have signed, K.pub")->type_name("FILE");
  command->add_option("--log-key", flags->log_key, "Verifier key of the log that must hold it")->type_name("VKEY");
  command->add_option("--image", flags->image, "Image that must be the one certified")->type_name("FILE");
  command->add_option("--log", flags->log, "Folder of the log, to see that it still has this history")
      ->type_name("DIR");
  command->footer(
      "Exit status: 0 all holds and both keys were given, 1 rejected, 3 unreadable, 4 a key was not given.");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
