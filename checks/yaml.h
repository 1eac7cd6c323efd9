// Strict YAML for the documents that people write (declaration, policy, results): every key is known or an error with
// its line, because a misspelt key that is silently ignored would turn one statement into another. Through yaml-cpp.
#pragma once
#include "core/result.h"

#include <yaml-cpp/yaml.h>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay::yaml {

constexpr size_t kLongestText = 255;

class Document {
 public:
  // `name` opens every message: "declaration: line 3: services[0].port: …".
  explicit Document(std::string_view name, size_t longest_text = kLongestText)
      : name_(name), longest_text_(longest_text) {}

  // One document of at most 1 MiB without anchors and aliases (an alias can make a small text very large).
  Result<YAML::Node> load(std::string_view text) const;

  std::unexpected<Error> complain(const YAML::Mark& mark, const std::string& where, const std::string& what) const;

  Result<std::string> text(const YAML::Node& node, const std::string& where) const;
  Result<std::string> one_of(const YAML::Node& node, const std::string& where,
                             std::span<const std::string_view> words) const;
  Result<uint64_t> number(const YAML::Node& node, const std::string& where, uint64_t least, uint64_t most) const;
  Result<std::string> date(const YAML::Node& node, const std::string& where) const;  // YYYY-MM-DD
  Result<std::vector<std::string>> texts(const YAML::Node& node, const std::string& where) const;

  using Visit = std::function<Result<void>(const std::string& key, const YAML::Node& value, const YAML::Mark& mark)>;
  // Each key of a mapping once, in the order written; a key that is unknown, missing or stands twice is an error.
  Result<void> mapping(const YAML::Node& node, const std::string& where, std::span<const std::string_view> known,
                       std::span<const std::string_view> required, const Visit& visit) const;

 private:
  std::string name_;
  size_t longest_text_;
};

std::string list(std::span<const std::string_view> names);  // "a, b, c"

}  // namespace assay::yaml
