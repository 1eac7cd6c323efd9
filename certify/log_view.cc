#include "certify/log_view.h"

#include "certify/files.h"
#include "certify/http.h"
#include "core/json_parse.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace assay::certify {
namespace {

constexpr uint64_t kForgetAfter = 256;  // bundles: a tree remembers every tile it read

Result<VerifierKey> key_in(const std::string& folder) {
  const std::string file = folder + "/log.json";
  const auto text = read_file(file, 1 << 16);
  if (!text)
    return fail(Fault::kIo,
                folder + " is no log of ours (" + text.error().what + "); --log-key names the key of another");
  const nlohmann::json json = TRY(parse_json(*text, file));
  if (!json.is_object() || !json.contains("verifierKey") || !json["verifierKey"].is_string())
    return fail(Fault::kMalformed, file + ": verifierKey is missing");
  return parse_verifier_key(json["verifierKey"].get<std::string>());
}

Digest hash_of_all(std::span<const Digest> leaves) {
  if (leaves.size() == 1) return leaves[0];
  return node_hash(hash_of_all(leaves.first(leaves.size() / 2)), hash_of_all(leaves.subspan(leaves.size() / 2)));
}

// A whole bundle by one proof, that of the subtree over it; the last, partial one entry by entry.
Result<void> prove_bundle(Tree& tree, const Checkpoint& at, uint64_t bundle, const std::vector<std::string>& entries) {
  std::vector<Digest> leaves;
  for (const std::string& entry : entries) leaves.push_back(leaf_hash(entry));
  const uint64_t first = bundle * kTileWidth;
  const auto wrong = [&] {
    return fail(Fault::kMalformed,
                "entries from " + std::to_string(first) + " on are not those the checkpoint speaks of");
  };
  if (leaves.size() == kTileWidth) {
    std::vector<Digest> proof = TRY(tree.inclusion(first));
    if (proof.size() < 8) return wrong();
    proof.erase(proof.begin(), proof.begin() + 8);
    if (!verify_inclusion(hash_of_all(leaves), bundle, ((at.size - 1) >> 8) + 1, proof, at.root)) return wrong();
    return {};
  }
  for (size_t i = 0; i < leaves.size(); ++i)
    if (!verify_inclusion(leaves[i], first + i, at.size, TRY(tree.inclusion(first + i)), at.root)) return wrong();
  return {};
}

}  // namespace

Result<Checkpoint> LogView::checkpoint() const {
  const std::string note = TRY(read("checkpoint"));
  return open_checkpoint(note, key, where + "/checkpoint");
}

Result<LogView> view_log(const std::string& where, const std::optional<VerifierKey>& key) {
  if (is_url(where)) {
    if (!key) return fail(Fault::kMalformed, "--log-key: a log at a URL needs the key that you trust");
    return LogView{where, *key, TRY(files_at(where))};
  }
  return LogView{where, key ? *key : TRY(key_in(where)), tiles_in(where)};
}

Result<void> each_entry(const TileReader& read, const Checkpoint& at, uint64_t from, const Visit& visit) {
  Tree tree(read, at.size);
  for (uint64_t bundle = from / kTileWidth; bundle * kTileWidth < at.size; ++bundle) {
    if (bundle % kForgetAfter == 0) tree = Tree(read, at.size);
    const auto entries = TRY(tree.bundle(bundle));
    TRY_VOID(prove_bundle(tree, at, bundle, entries));
    for (uint64_t i = 0; i < entries.size(); ++i)
      if (bundle * kTileWidth + i >= from) TRY_VOID(visit(bundle * kTileWidth + i, entries[i]));
  }
  return {};
}

}  // namespace assay::certify
