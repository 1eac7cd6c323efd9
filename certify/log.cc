#include "certify/log.h"

#include "certify/files.h"
#include "certify/integrate.h"
#include "certify/journal.h"
#include "certify/json.h"
#include "core/json_parse.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

namespace assay::certify {
namespace {

constexpr uint64_t kAtOnce = 8 << 20;  // bytes of entries that one round of publishing moves

struct Config {
  VerifierKey key;
  std::string key_at;
};

Result<Config> read_config(const std::string& folder) {
  const std::string file = folder + "/log.json";
  const auto text = read_file(file, 1 << 16);
  if (!text) return fail(Fault::kIo, folder + " is no log (" + text.error().what + "); `assay log init` makes one");
  const nlohmann::json json = TRY(parse_json(*text, file));
  for (const char* field : {"verifierKey", "key"})
    if (!json.is_object() || !json.contains(field) || !json[field].is_string())
      return fail(Fault::kMalformed, file + ": " + field + " is missing");
  return Config{TRY(parse_verifier_key(json["verifierKey"].get<std::string>())), json["key"].get<std::string>()};
}

std::string absolute(const std::string& path) {
  char* real = realpath(path.c_str(), nullptr);
  std::string out = real ? real : path;
  free(real);
  return out;
}

}  // namespace

struct Log::State {
  std::string folder;
  Config config;
  Journal journal;
  File publish_lock;
  std::optional<SigningKey> signer;

  Result<Checkpoint> checkpoint() const {
    const std::string file = folder + "/checkpoint";
    const std::string note = TRY(read_file(file, 1 << 20));
    return open_checkpoint(note, config.key, file);
  }
  Published published() const {
    return [this]() -> Result<uint64_t> { return TRY(checkpoint()).size; };
  }
  Result<Checkpoint> sign(uint64_t size, const Digest& root) {
    if (!signer) signer = TRY(SigningKey::open(config.key_at));
    Note note{checkpoint_text(config.key.name, size, root), {}};
    note.signatures.push_back(TRY(sign_note(note.text, config.key.name, *signer)));
    const std::string bytes = note_bytes(note);
    Checkpoint made = TRY(open_checkpoint(bytes, config.key, config.key_at));  // another key than at init: refused here
    TRY_VOID(write_durably(folder + "/checkpoint", bytes));
    return made;
  }
  // Everything that is durable now into tiles; the caller holds the publish lock.
  Result<Checkpoint> publish_until(uint64_t end) {
    Checkpoint now = TRY(checkpoint());
    while (now.size < end) {
      const auto entries = TRY(journal.read(now.size, end, kAtOnce));
      const Digest root = TRY(integrate(folder, now, entries));
      now = TRY(sign(now.size + entries.size(), root));
      journal.published(now.size);
    }
    return now;
  }
};

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::Log(Log&&) noexcept = default;
Log::~Log() = default;
const VerifierKey& Log::key() const { return state_->config.key; }

Result<void> Log::init(const std::string& folder, const std::string& key_at, const std::string& origin) {
  SigningKey key = TRY(SigningKey::open(key_at));
  const VerifierKey verifier = TRY(verifier_key(origin, kNoteEd25519, key.public_key()));
  if (file_exists(folder + "/log.json")) return fail(Fault::kMalformed, folder + " is a log already");
  TRY_VOID(make_folders(folder));
  TRY_VOID(Journal::create(folder, 0));
  const std::string where = key_at.starts_with("pkcs11:") ? key_at : absolute(key_at);
  Note note{checkpoint_text(origin, 0, empty_root()), {}};
  note.signatures.push_back(TRY(sign_note(note.text, origin, key)));
  TRY_VOID(write_durably(folder + "/checkpoint", note_bytes(note)));
  return write_durably(folder + "/log.json",
                       "{\"verifierKey\":" + json_string(verifier.text()) + ",\"key\":" + json_string(where) + "}\n",
                       0600);
}

Result<Log> Log::open(const std::string& folder) {
  Config config = TRY(read_config(folder));
  Journal journal = TRY(Journal::open(folder));
  File lock(::open((folder + "/lock.publish").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock) return system_error("open " + folder + "/lock.publish");
  return Log(std::make_unique<State>(folder, std::move(config), std::move(journal), std::move(lock)));
}

Result<uint64_t> Log::append(const std::vector<std::string>& entries) {
  if (entries.empty()) return fail(Fault::kMalformed, "no entry to append");
  for (const std::string& entry : entries)
    if (entry.size() > kLongestEntry)
      return fail(Fault::kLimit, "entry: " + std::to_string(entry.size()) + " bytes, 65535 at most");
  return state_->journal.append(entries, state_->published());
}

Result<Checkpoint> Log::checkpoint() const { return state_->checkpoint(); }

Result<Checkpoint> Log::publish() {
  if (flock(state_->publish_lock.fd(), LOCK_EX) != 0) return system_error("lock " + state_->folder);
  const Journal::Held held(state_->publish_lock.fd());
  const uint64_t end = TRY(state_->journal.sync(state_->published()));
  Checkpoint now = TRY(state_->publish_until(end));
  if (!state_->journal.is_long()) return now;
  const uint64_t all = TRY(state_->journal.sync(state_->published()));
  now = TRY(state_->publish_until(all));
  const Journal::Held still = TRY(state_->journal.hold());
  TRY_VOID(state_->journal.begin_anew(now.size));
  return now;
}

Result<LogEntry> Log::prove(uint64_t index, const Checkpoint& at) const {
  Tree tree(tiles_in(state_->folder), at.size);
  return LogEntry{index, TRY(tree.inclusion(index)), at};
}

Result<void> Log::add_cosignature(const NoteSignature& signature, const VerifierKey& witness) {
  if (flock(state_->publish_lock.fd(), LOCK_EX) != 0) return system_error("lock " + state_->folder);
  const Journal::Held held(state_->publish_lock.fd());
  const Checkpoint now = TRY(checkpoint());
  Note note = TRY(parse_note(now.note, "checkpoint"));
  if (!TRY(is_signed_by(note, signature, witness)))
    return fail(Fault::kMalformed, "the cosignature is not of " + witness.name);
  std::erase_if(note.signatures,
                [&](const NoteSignature& s) { return s.name == signature.name && s.id == signature.id; });
  note.signatures.push_back(signature);
  return write_durably(state_->folder + "/checkpoint", note_bytes(note));
}

}  // namespace assay::certify
