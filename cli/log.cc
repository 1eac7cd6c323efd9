// assay log …: a transparency log in a folder.
#include "certify/log.h"
#include "certify/files.h"
#include "certify/http.h"
#include "certify/integrate.h"
#include "certify/log_view.h"
#include "certify/witness.h"
#include "cli/commands.h"

#include <fmt/format.h>

#include <ctime>
#include <optional>

namespace assay::cli {
namespace {

struct Flags {
  std::string log, key, origin, since, output, name, state, log_key, address = "127.0.0.1";
  std::vector<std::string> entries;
  std::optional<uint64_t> index;
  uint16_t port = 8080;
};

// What cannot be read or written is 3 everywhere; `refused` is for all else.
int report(const Result<void>& done, int refused) {
  if (done) return kClean;
  return complain(done.error().fault == Fault::kIo ? kUnreadable : refused, done.error().what);
}

Result<void> append(const Flags& flags) {
  certify::Log log = TRY(certify::Log::open(flags.log));
  std::vector<std::string> entries;
  for (const std::string& file : flags.entries)
    entries.push_back(TRY(certify::read_file(file, certify::kLongestEntry)));
  TRY_VOID(log.checkpoint());  // nothing is added to a log that does not hold
  const uint64_t first = TRY(log.append(entries));
  const certify::Checkpoint now = TRY(log.publish());
  for (size_t i = 0; i < entries.size(); ++i) fmt::print("{}\t{}\n", first + i, flags.entries[i]);
  fmt::print("checkpoint: {} entries\n", now.size);
  return {};
}

Result<void> checkpoint(const Flags& flags) {
  certify::Log log = TRY(certify::Log::open(flags.log));
  return write_file("-", TRY(log.publish()).note);
}

Result<void> make(const Flags& flags) {
  TRY_VOID(certify::Log::init(flags.log, flags.key, flags.origin));
  const certify::Log log = TRY(certify::Log::open(flags.log));
  fmt::print("{}\nThis is the log's verifier key: readers put it into roots.json (logs) or give it as --log-key.\n",
             log.key().text());
  return {};
}

// Without writing anything: a read-only log, a full disk and somebody else's log do.
Result<certify::LogView> view(const Flags& flags) {
  std::optional<certify::VerifierKey> key;
  if (!flags.log_key.empty()) key = TRY(certify::parse_verifier_key(flags.log_key));
  return certify::view_log(flags.log, key);
}

Result<certify::Checkpoint> kept(const Flags& flags, const certify::VerifierKey& key) {
  const std::string bytes = TRY(certify::read_file(flags.since, 1 << 20));
  return certify::open_checkpoint(bytes, key, flags.since);
}

Result<void> prove(const Flags& flags) {
  const certify::LogView log = TRY(view(flags));
  const certify::Checkpoint now = TRY(log.checkpoint());
  certify::Tree tree(log.read, now.size);
  if (!flags.since.empty()) {
    const auto old = TRY(kept(flags, log.key));
    return write_file(flags.output, certify::tlog_consistency(old.size, TRY(tree.consistency(old.size)), now));
  }
  return write_file(flags.output, certify::tlog_proof(*flags.index, TRY(tree.inclusion(*flags.index)), now));
}
int run_prove(const Flags& flags) {
  if (!flags.index && flags.since.empty()) return complain(kUsage, "log prove: give --index N or --since CHECKPOINT");
  return report(prove(flags), kUnreadable);
}

Result<void> verify(const Flags& flags) {
  const certify::LogView log = TRY(view(flags));
  const certify::Checkpoint now = TRY(log.checkpoint());
  TRY_VOID(certify::verify_tree(log.read, now));
  fmt::print("checked: signature of {}, {} entries, every tile, the root\n", log.key.text(), now.size);
  if (flags.since.empty()) {
    fmt::print(
        "not checked: that this is the same log as before; --since FILE holds an earlier checkpoint against it\n");
    return {};
  }
  const auto old = TRY(kept(flags, log.key));
  TRY_VOID(certify::check_growth(old, now, log.read));
  fmt::print("checked: the {} entries of {} are its first\n", old.size, flags.since);
  return {};
}

Result<void> serve(const Flags& flags) {
  const auto log = TRY(certify::view_log(flags.log, {}));
  TRY_VOID(log.checkpoint());
  return certify::serve(flags.log, flags.address, flags.port, [&](int port) {
    fmt::print("serving {} at http://{}:{}/\n", log.key.text(), flags.address, port);
    std::fflush(stdout);
  });
}

Result<void> witness(const Flags& flags) {
  certify::Log log = TRY(certify::Log::open(flags.log));
  const certify::SigningKey key = TRY(certify::SigningKey::open(flags.key));
  const certify::Checkpoint now = TRY(log.checkpoint());
  const auto seen = TRY(certify::witness({flags.name, flags.state, static_cast<uint64_t>(std::time(nullptr))}, key, now,
                                         log.key(), certify::tiles_in(flags.log)));
  TRY_VOID(log.add_cosignature(seen.signature, seen.key));
  fmt::print("{} cosigned {} entries\n", seen.key.text(), now.size);
  return {};
}

App* part(App* log, const char* name, const char* what, Flags& flags) {
  App* command = log->add_subcommand(name, what);
  command->add_option("LOG", flags.log, "Folder of the log")->required();
  return command;
}

}  // namespace

void add_log(App& app, int& status) {
  App* log = app.add_subcommand("log", "Keep a transparency log: C2SP tlog-tiles in a folder");
  log->require_subcommand();
  auto flags = std::make_shared<Flags>();
  App* init = part(log, "init", "Make an empty log", *flags);
  init->add_option("--key", flags->key, "Ed25519 key: a file of `assay keygen`, or pkcs11:URI")->required();
  init->add_option("--origin", flags->origin, "Name of the log, like log.example/2026")->required();
  init->callback([=, &status] { status = report(make(*flags), kUsage); });
  App* add = part(log, "append", "Append entries; prints their indexes when they are durable and signed", *flags);
  add->add_option("FILE", flags->entries, "One entry each, 65535 bytes at most")->required();
  add->callback([=, &status] { status = report(append(*flags), kUnreadable); });
  part(log, "checkpoint", "Sign what is durable and print the checkpoint", *flags)->callback([=, &status] {
    status = report(checkpoint(*flags), kUnreadable);
  });
  App* proof = part(log, "prove", "Write a proof: of an entry (C2SP tlog-proof), or of growth (tlog-witness)", *flags);
  proof->add_option("--index", flags->index, "Of the entry");
  proof->add_option("--since", flags->since, "A checkpoint kept from before: the proof that the log only grew")
      ->type_name("FILE");
  proof->add_option("--log-key", flags->log_key, "Verifier key, where LOG is a URL or not ours")->type_name("VKEY");
  flags->output = "-";
  proof->add_option("-o,--output", flags->output, "File [standard output]");
  proof->callback([=, &status] { status = run_prove(*flags); });
  App* check =
      part(log, "verify", "Check every entry, tile and signature; exit 1: one does not hold, 3: unreadable", *flags);
  check->add_option("--since", flags->since, "A checkpoint kept from before: a rewritten log is noticed")
      ->type_name("FILE");
  check->add_option("--log-key", flags->log_key, "Verifier key, where LOG is a URL or not ours")->type_name("VKEY");
  check->callback([=, &status] { status = report(verify(*flags), kFindings); });
  App* web = part(log, "serve", "Serve checkpoint, tiles and status statements over HTTP; nothing else", *flags);
  web->add_option("--address", flags->address, "Address to listen on [127.0.0.1]");
  web->add_option("--port", flags->port, "Port; 0: any free one [8080]");
  web->callback([=, &status] { status = report(serve(*flags), kUnreadable); });
  App* watch = part(log, "witness", "Cosign the checkpoint if the log only grew since it was seen last", *flags);
  watch->add_option("--key", flags->key, "The witness's Ed25519 key")->required();
  watch->add_option("--name", flags->name, "The witness's name, like witness.example/w1")->required();
  watch->add_option("--state", flags->state, "Folder where it remembers what it saw")->required();
  watch->callback([=, &status] { status = report(witness(*flags), kFindings); });
}

}  // namespace assay::cli
