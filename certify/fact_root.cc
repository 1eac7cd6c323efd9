#include "certify/fact_root.h"

#include "certify/json.h"
#include "certify/merkle.h"
#include "core/json_parse.h"
#include "core/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <map>

namespace assay::certify {
namespace {

using engine::Arrow;

Digest hash_range(std::span<const Arrow> arrows) {
  if (arrows.empty()) return empty_root();
  if (arrows.size() == 1) return leaf_hash(std::string(bytes_of(arrows[0].key)).append(bytes_of(arrows[0].result)));
  const size_t left = std::bit_floor(arrows.size() - 1);
  return node_hash(hash_range(arrows.first(left)), hash_range(arrows.subspan(left)));
}

Result<Digest> digest_of_hex(const std::string& text, const std::string& field) {
  Digest out;
  if (text.size() != 64 || text.find_first_not_of("0123456789abcdef") != std::string::npos)
    return fail(Fault::kMalformed, field + ": not 64 hex digits: " + text.substr(0, 70));
  for (size_t i = 0; i < 32; ++i) out.bytes[i] = static_cast<uint8_t>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
  return out;
}

// Of a stranger's list: whatever is no text of a way becomes one.
std::string name_of(const Arrow& arrow) {
  return escape(unescape(arrow.name + (arrow.way.empty() ? "" : " of " + arrow.way)));
}

}  // namespace

FactRoot fact_root(std::vector<Arrow> ran) {
  std::erase_if(ran, [](const Arrow& arrow) { return arrow.result == Digest{}; });
  std::ranges::stable_sort(ran, {}, &Arrow::key);
  const auto same = [](const Arrow& a, const Arrow& b) { return a.key == b.key && a.result == b.result; };
  ran.erase(std::unique(ran.begin(), ran.end(), same), ran.end());
  return {hash_range(ran), std::move(ran)};
}

Statement arrows_statement(const Subject& image, const FactRoot& facts) {
  std::string predicate = "{\"factRoot\":" + json_string(facts.root.hex()) + ",\"arrows\":[";
  for (const Arrow& arrow : facts.arrows) {
    if (&arrow != &facts.arrows[0]) predicate += ",";
    predicate += "[" + json_string(arrow.name) + "," + json_string(arrow.way) + "," + json_string(arrow.key.hex()) +
                 "," + json_string(arrow.result.hex()) + "]";
  }
  return {kArrowsType, {image}, predicate + "]}"};
}

Result<FactRoot> read_arrows(std::string_view statement, const std::string& file) {
  try {
    const nlohmann::json json = TRY(parse_json(statement, file + ": the list of arrows"));
    const nlohmann::json& predicate = json.at("predicate");
    FactRoot out;
    for (const auto& row : predicate.at("arrows"))
      out.arrows.push_back({row.at(0).get<std::string>(), row.at(1).get<std::string>(), false,
                            TRY(digest_of_hex(row.at(2).get<std::string>(), file + ": arrows")),
                            TRY(digest_of_hex(row.at(3).get<std::string>(), file + ": arrows"))});
    out.root = TRY(digest_of_hex(predicate.at("factRoot").get<std::string>(), file + ": factRoot"));
    if (!std::ranges::is_sorted(out.arrows, {}, &Arrow::key) || hash_range(out.arrows) != out.root)
      return fail(Fault::kMalformed, file + ": factRoot is not the root of the arrows beside it");
    return out;
  } catch (const nlohmann::json::exception& error) {
    return fail(Fault::kMalformed, file + ": the list of arrows is damaged: " + error.what());
  }
}

std::string difference(const FactRoot& listed, const FactRoot& now, bool all) {
  std::map<std::pair<std::string, std::string>, const Arrow*> known;
  for (const Arrow& arrow : listed.arrows) known[{arrow.name, arrow.way}] = &arrow;
  std::vector<std::string> results, inputs, unknown, missing;
  for (const Arrow& arrow : now.arrows) {
    const auto at = known.find({arrow.name, arrow.way});
    if (at == known.end())
      unknown.push_back(name_of(arrow));
    else if (at->second->key != arrow.key)
      inputs.push_back(name_of(arrow));
    else if (at->second->result != arrow.result)
      results.push_back(name_of(arrow));
    if (at != known.end()) known.erase(at);
  }
  for (const auto& [name, arrow] : known) missing.push_back(name_of(*arrow));
  std::string out;
  const auto add = [&](const std::vector<std::string>& names, const char* what) {
    if (names.empty()) return;
    out += (out.empty() ? "" : "; ") + std::to_string(names.size()) + what + " (" + names[0] +
           (names.size() > 1 ? ", …)" : ")");
  };
  add(results, " arrows give another result");
  add(inputs, " arrows read another input");
  add(unknown, " arrows are not in the certificate");
  if (all) add(missing, " arrows of the certificate did not run");
  return out;
}

}  // namespace assay::certify
