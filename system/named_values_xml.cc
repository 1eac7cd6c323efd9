// Names and values of an XML file, without a document: elements with text, attributes, and the two ways in which
// configuration files spell pairs: <Value Name="X" Value="Y"/> and <X val=Y/> (quotes may be missing there).
// XML 1.0 (fifth edition) for tags, comments, CDATA and the predefined entities; anything else is skipped over.
#include "system/named_values.h"

#include "core/text.h"

#include <algorithm>
#include <cctype>

namespace assay::system {
namespace {

constexpr size_t kMaximumXmlDepth = 64;

struct Attribute {
  std::string_view name, value;
  size_t start = 0, end = 0;
};

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}
bool is_xml_space(char c) { return std::isspace(static_cast<unsigned char>(c)); }

std::string decoded(std::string_view text) {
  constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto* entity =
        text[i] == '&'
            ? std::ranges::find_if(kEntities, [&](const auto& e) { return text.substr(i).starts_with(e.first); })
            : std::end(kEntities);
    out += entity == std::end(kEntities) ? text[i] : entity->second;
    i += entity == std::end(kEntities) ? 1 : entity->first.size();
  }
  return out;
}

class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : text_(text) {}

  NamedValues run() {
    while (at_ < text_.size() && !found_.limited) {
      const size_t open = text_.find('<', at_);
      if (open == std::string_view::npos) break;
      at_ = open;
      tag();
    }
    return std::move(found_);
  }

 private:
  struct Element {
    std::string_view name;
    std::string_view label;  // the value of its attribute "name", when it has one
    uint32_t group = 0;      // of what stands directly in it
    size_t start = 0, content = 0;
    bool has_children = false;
  };

  // Behind `mark`, or the end.
  void skip_past(std::string_view mark) {
    const size_t end = text_.find(mark, at_);
    at_ = end == std::string_view::npos ? text_.size() : end + mark.size();
  }
  void tag() {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("<!--")) return skip_past("-->");
    if (rest.starts_with("<![CDATA[")) return skip_past("]]>");
    if (rest.starts_with("<?") || rest.starts_with("<!")) return skip_past(">");
    if (rest.starts_with("</")) return close();
    open();
  }
  void close() {
    const size_t end_of_content = at_;
    const size_t name_end = std::min(text_.find_first_of("> \t\r\n", at_ + 2), text_.size());
    const std::string_view name = text_.substr(at_ + 2, name_end - at_ - 2);
    skip_past(">");
    if (beyond_ > 0) {
      --beyond_;
      return;
    }
    if (stack_.empty() || stack_.back().name != name) return unwind(name);
    const Element element = stack_.back();
    stack_.pop_back();
    if (element.has_children) return;
    std::string_view value = trim(text_.substr(element.content, end_of_content - element.content));
    if (value.starts_with("<![CDATA[") && value.ends_with("]]>")) value = value.substr(9, value.size() - 12);
    add(element.label.empty() ? element.name : element.label, value, element.start, at_, here());
  }
  void unwind(std::string_view name) {  // a close tag out of order: back to its element, if it is open at all
    const auto open = std::find_if(stack_.rbegin(), stack_.rend(), [&](const Element& e) { return e.name == name; });
    if (open != stack_.rend()) stack_.erase(std::prev(open.base()), stack_.end());
  }
  void open() {
    const size_t start = at_++;
    const size_t name_start = at_;
    while (at_ < text_.size() && !is_xml_space(text_[at_]) && text_[at_] != '>' && text_[at_] != '/') ++at_;
    Element element{.name = text_.substr(name_start, at_ - name_start), .group = ++groups_, .start = start};
    const std::vector<Attribute> attributes = read_attributes();
    const bool empty = at_ < text_.size() && text_[at_] == '/';
    skip_past(">");
    element.content = at_;
    if (!stack_.empty()) stack_.back().has_children = true;
    state(element, attributes);
    if (empty || element.name.empty()) return;
    if (stack_.size() == kMaximumXmlDepth) {
      ++beyond_;  // only counted, so that the close tags still pair up
      found_.limited = beyond_ > 100000;
    } else {
      stack_.push_back(element);
    }
  }
  std::vector<Attribute> read_attributes() {
    std::vector<Attribute> found;
    while (at_ < text_.size() && text_[at_] != '>') {
      if (text_[at_] == '/' && at_ + 1 < text_.size() && text_[at_ + 1] == '>') break;
      if (is_xml_space(text_[at_]) || text_[at_] == '/') {
        ++at_;
        continue;
      }
      Attribute attribute{.start = at_};
      while (at_ < text_.size() && !is_xml_space(text_[at_]) && text_[at_] != '=' && text_[at_] != '>') ++at_;
      attribute.name = text_.substr(attribute.start, at_ - attribute.start);
      if (at_ < text_.size() && text_[at_] == '=') attribute.value = attribute_value();
      attribute.end = at_;
      if (found.size() < 64) found.push_back(attribute);
    }
    return found;
  }
  std::string_view attribute_value() {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      const size_t end = std::min(text_.find(text_[at_], at_ + 1), text_.size());
      const std::string_view value = text_.substr(at_ + 1, end - at_ - 1);
      at_ = std::min(end + 1, text_.size());
      return value;
    }
    const size_t start = at_;
    while (at_ < text_.size() && !is_xml_space(text_[at_]) && text_[at_] != '>' &&
           !(text_[at_] == '/' && at_ + 1 < text_.size() && text_[at_ + 1] == '>'))
      ++at_;
    return text_.substr(start, at_ - start);
  }
  void state(Element& element, const std::vector<Attribute>& attributes) {
    const auto find = [&](std::initializer_list<std::string_view> names) {
      return std::ranges::find_if(attributes, [&](const Attribute& a) {
        return std::ranges::any_of(names, [&](std::string_view name) { return same(a.name, name); });
      });
    };
    const auto label = find({"name", "key", "param"}), value = find({"value", "val", "v"});
    if (label != attributes.end()) element.label = label->value;
    if (value != attributes.end())
      return add(label != attributes.end() ? label->value : element.name, value->value, element.start, at_, here());
    stack_.push_back(element);  // so that its name stands in their scope
    for (const Attribute& attribute : attributes)
      add(attribute.name, attribute.value, attribute.start, attribute.end, element.group);
    stack_.pop_back();
  }
  uint32_t here() const { return stack_.empty() ? 0 : stack_.back().group; }
  void add(std::string_view name, std::string_view value, size_t start, size_t end, uint32_t group) {
    if (name.empty() || name.size() > kMaximumNameBytes || value.size() > kMaximumValueBytes) return;
    if (found_.values.size() == kMaximumValues) {
      found_.limited = true;
      return;
    }
    std::string scope;
    const size_t from = stack_.size() > 3 ? stack_.size() - 3 : 0;  // the nearest three say what the value belongs to
    for (size_t i = from; i < stack_.size(); ++i)
      scope += (scope.empty() ? "" : "/") + std::string(stack_[i].name.substr(0, kMaximumNameBytes));
    found_.values.push_back({std::move(scope), std::string(name), decoded(value), start, end - start, group});
  }

  std::string_view text_;
  size_t at_ = 0, beyond_ = 0;
  uint32_t groups_ = 0;
  std::vector<Element> stack_;
  NamedValues found_;
};

}  // namespace

NamedValues read_xml(std::string_view text) { return XmlReader(text).run(); }

}  // namespace assay::system
