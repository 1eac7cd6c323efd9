// See yaml.h.
#include "checks/yaml.h"

#include "core/date.h"
#include "core/suggest.h"

#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace assay::yaml {
namespace {

constexpr size_t kLargest = 1 << 20;    // bytes of YAML
constexpr size_t kMostEntries = 10000;  // of one list

// Looks for aliases and anchors before anything is built from them.
class Plain : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override { ++documents; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { see(mark, anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { see(mark, 1); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string&) override {
    see(mark, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    see(mark, anchor);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    see(mark, anchor);
  }
  void OnMapEnd() override {}

  int documents = 0;
  bool aliased = false;
  YAML::Mark where;

 private:
  void see(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor == 0 || aliased) return;
    aliased = true;
    where = mark;
  }
};

bool holds(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

std::string list(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

// Where: "services[2].port"; a YAML mark counts lines from 0 and is -1 where yaml-cpp does not know it.
std::unexpected<Error> Document::complain(const YAML::Mark& mark, const std::string& where,
                                          const std::string& what) const {
  const std::string line = mark.line < 0 ? "" : "line " + std::to_string(mark.line + 1) + ": ";
  return fail(Fault::kMalformed, name_ + ": " + line + where + ": " + what,
              mark.pos < 0 ? 0 : static_cast<uint64_t>(mark.pos));
}

Result<YAML::Node> Document::load(std::string_view text) const {
  if (text.size() > kLargest)
    return fail(Fault::kLimit, name_ + ": " + std::to_string(text.size()) + " bytes, more than 1 MiB");
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Plain plain;
    while (parser.HandleNextDocument(plain)) {
      if (plain.aliased) return complain(plain.where, name_, "anchors and aliases are not read");
      if (plain.documents > 1) return fail(Fault::kMalformed, name_ + ": more than one YAML document");
    }
    if (plain.documents == 0) return fail(Fault::kMalformed, name_ + ": is empty");
    return YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    return complain(error.mark, name_, "not YAML: " + error.msg);
  }
}

Result<std::string> Document::text(const YAML::Node& node, const std::string& where) const {
  if (!node.IsScalar()) return complain(node.Mark(), where, "must be a text");
  const std::string& value = node.Scalar();
  if (value.empty()) return complain(node.Mark(), where, "must not be empty");
  if (value.size() > longest_text_)
    return complain(node.Mark(), where, "is longer than " + std::to_string(longest_text_) + " bytes");
  return value;
}

Result<std::string> Document::one_of(const YAML::Node& node, const std::string& where,
                                     std::span<const std::string_view> words) const {
  std::string written = TRY(text(node, where));
  if (!holds(words, written)) {
    std::string all;
    for (size_t i = 0; i < words.size(); ++i)
      all += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(words[i]);
    return complain(node.Mark(), where, "must be " + all + ", not \"" + written + "\"" + did_you_mean(written, words));
  }
  return written;
}

Result<uint64_t> Document::number(const YAML::Node& node, const std::string& where, uint64_t least,
                                  uint64_t most) const {
  const std::string written = TRY(text(node, where));
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value);
  if (error != std::errc() || end != written.data() + written.size() || value < least || value > most)
    return complain(
        node.Mark(), where,
        "must be a number from " + std::to_string(least) + " to " + std::to_string(most) + ", not \"" + written + "\"");
  return value;
}

Result<std::string> Document::date(const YAML::Node& node, const std::string& where) const {
  std::string written = TRY(text(node, where));
  if (!seconds_of_date(written))
    return complain(node.Mark(), where, "must be a date YYYY-MM-DD, not \"" + written + "\"");
  return written;
}

Result<std::vector<std::string>> Document::texts(const YAML::Node& node, const std::string& where) const {
  if (!node.IsSequence()) return complain(node.Mark(), where, "must be a list");
  if (node.size() > kMostEntries) return complain(node.Mark(), where, "has more than 10000 entries");
  std::vector<std::string> out;
  for (const YAML::Node& entry : node) out.push_back(TRY(text(entry, where + "[" + std::to_string(out.size()) + "]")));
  return out;
}

Result<void> Document::mapping(const YAML::Node& node, const std::string& where,
                               std::span<const std::string_view> known, std::span<const std::string_view> required,
                               const Visit& visit) const {
  if (!node.IsMap()) return complain(node.Mark(), where, "must be a mapping with " + list(known));
  std::vector<std::string> seen;
  for (const auto& pair : node) {
    std::string key = TRY(text(pair.first, where));
    if (!holds(known, key))
      return complain(pair.first.Mark(), where,
                      "unknown key \"" + key + "\" (known: " + list(known) + ")" + did_you_mean(key, known));
    if (std::ranges::find(seen, key) != seen.end())
      return complain(pair.first.Mark(), where, "key \"" + key + "\" stands twice");
    TRY_VOID(visit(key, pair.second, pair.first.Mark()));
    seen.push_back(std::move(key));
  }
  for (const std::string_view key : required)
    if (std::ranges::find(seen, key) == seen.end())
      return complain(node.Mark(), where, "needs the key \"" + std::string(key) + "\"");
  return {};
}

}  // namespace assay::yaml
