// assay status EVENT CERT: what became of a certificate, as a signed and logged statement of its own.
#include "certify/files.h"
#include "certify/judge_status.h"
#include "certify/terms.h"
#include "cli/commands.h"

#include <fmt/format.h>

namespace assay::cli {
namespace {

struct Flags {
  std::string event, certificate, key, log, reason, by, day, trust;
};

struct Read {
  certify::Certificate certificate;
  certify::Terms terms;
};
Result<Read> read(const std::string& file) {
  const std::string text = TRY(certify::read_file(file, 1 << 28));
  Read out{TRY(certify::read_certificate(text, file)), {}};
  out.terms = TRY(certify::read_terms(out.certificate.bundles[0].envelope.payload, file));
  return out;
}

std::string digest_of(const certify::Certificate& certificate) {
  return sha256(Bytes(certificate.bundles[0].envelope.payload)).hex();
}

// Whose earlier events count: by roots.json, else those of the certificate's key and of this one.
Result<certify::MaySetStatus> who_may(const Flags& flags, const certify::Bundle& verdict,
                                      const certify::SigningKey& key, const certify::Log& log) {
  if (flags.trust.empty()) return certify::by_keys({verdict.signer, key.public_key()});
  const std::string roots = TRY(certify::read_file(flags.trust, 1 << 20));
  return certify::by_trust(TRY(certify::read_trust(roots, flags.trust)), log.key());
}

Result<void> set(const Flags& flags) {
  const Read given = TRY(read(flags.certificate));
  const certify::Bundle& verdict = given.certificate.bundles[0];
  certify::StatusEvent event{.event = flags.event,
                             .reason = flags.reason,
                             .claimed_on = flags.day.empty() ? today() : flags.day,
                             .verdict = digest_of(given.certificate),
                             .log = given.certificate.log.name,
                             .index = verdict.entry.index};
  if (!flags.by.empty()) event.by = digest_of(TRY(read(flags.by)).certificate);
  const certify::SigningKey key = TRY(certify::SigningKey::open(flags.key));
  certify::Log log = TRY(certify::Log::open(flags.log));
  if (log.key() != given.certificate.log)
    return fail(Fault::kMalformed, "--log: " + flags.log + " is " + log.key().text() + "; the certificate stands in " +
                                       given.certificate.log.text() + ", where its status must stand too");
  const auto view = TRY(certify::view_log(flags.log, log.key()));
  const certify::Checkpoint before = TRY(view.checkpoint());
  const auto events = TRY(certify::statuses_of(verdict, view, before));
  const auto now = certify::judge_status(events, verdict, log.key(), TRY(who_may(flags, verdict, key, log)));
  const auto next = TRY(certify::after(now.status, flags.event));
  const std::string name = given.terms.images.empty() ? "certificate" : given.terms.images[0].name;
  const uint64_t index = TRY(certify::set_status(event, name, key, flags.log, log));
  fmt::print("{} is {} by entry {} of {}\n", flags.certificate, certify::name_of(next), index, log.key().name);
  return {};
}

int run(const Flags& flags) {
  const auto done = set(flags);
  if (done) return kClean;
  return complain(done.error().fault == Fault::kIo ? kUnreadable : kUsage, done.error().what);
}

}  // namespace

void add_status(App& app, int& status) {
  App* command = app.add_subcommand("status", "Suspend, withdraw or reinstate a certificate: signed and logged");
  auto flags = std::make_shared<Flags>();
  command->add_option("EVENT", flags->event, "issue, review, suspend, reinstate, withdraw, expire or supersede")
      ->required()
      ->one_of(certify::status_events());
  command->add_option("CERT", flags->certificate, "The certificate's file")->required();
  command->add_option("--key", flags->key, "Key that may (role status in roots.json): a file, or pkcs11:URI")
      ->required()
      ->type_name("K");
  command->add_option("--log", flags->log, "Folder of the certificate's log")->required()->type_name("DIR");
  command->add_option("--reason", flags->reason, "Why, for readers")->required()->type_name("TEXT");
  command->add_option("--by", flags->by, "Of supersede: the certificate that takes its place")->type_name("CERT");
  command
      ->add_option("--trust", flags->trust, "roots.json: whose earlier events count [the certificate's key, this key]")
      ->type_name("FILE");
  command->add_option("--on", flags->day, "Day you claim, YYYY-MM-DD [today]")->type_name("DATE");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
