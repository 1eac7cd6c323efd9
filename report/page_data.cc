#include "report/page_data.h"

#include "core/hash.h"
#include "report/code_totals.h"
#include "report/page_code.h"

namespace assay::report {
namespace {

std::string text(std::string_view raw) { return escape(raw); }

Json numbers(const std::vector<uint8_t>& values) {
  Json out = Json::array();
  for (const uint8_t v : values) out.push_back(v);
  return out;
}

// [range, offset, length] each; the page joins them to the bytes of the image.
Json spans_of(const Artifact& a) {
  Json out = Json::array();
  for (const Span& s : a.spans) out.push_back(Json::array({static_cast<int>(s.range), s.offset, s.length}));
  return out;
}

Json artifact(const Examination& e, const WayIndex& ways, size_t index) {
  const Artifact& a = e.artifacts[index];
  const int64_t above = ways.nearest_above(index);
  Json out = {{"up", above}, {"name", ways.name_below(index, above)}, {"kind", std::string(name_of(a.node.kind))}};
  if (!a.format.empty()) out["format"] = a.format;
  if (a.verified) out["verified"] = true;
  if (a.offset != kNowhere) out["offset"] = a.offset;
  out["size"] = a.size;
  if (a.parent >= 0 && a.parent != above) out["in"] = a.parent;
  if (!a.codec.empty()) out["codec"] = a.codec;
  if (a.has_content) out["sha256"] = a.sha256.hex();
  if (a.node.mode) out["mode"] = *a.node.mode;
  if (a.node.uid) out["uid"] = *a.node.uid;
  if (a.node.gid) out["gid"] = *a.node.gid;
  if (a.node.mtime) out["mtime"] = *a.node.mtime;
  if (a.node.device)
    out["device"] = std::to_string(*a.node.device >> 32) + ":" + std::to_string(*a.node.device & 0xffffffff);
  if (!a.node.target.empty()) out["target"] = text(a.node.target);
  for (const auto& [name, value] : a.node.xattrs) out["xattrs"].push_back(Json::array({text(name), text(value)}));
  if (a.unread) out["unread"] = true;
  if (!a.spans.empty() && a.node.kind <= Kind::kPart) out["spans"] = spans_of(a);
  return out;
}

// The excerpt that holds the first byte of an evidence; -1: none was kept.
int64_t excerpt_for(const Examination& e, const Evidence& evidence) {
  if (evidence.length == 0) return -1;
  for (size_t i = 0; i < e.excerpts.size(); ++i) {
    const Excerpt& x = e.excerpts[i];
    if (x.artifact == evidence.artifact && x.offset <= evidence.offset && evidence.offset < x.offset + x.bytes.size())
      return static_cast<int64_t>(i);
  }
  return -1;
}

Json evidence(const Examination& e, const WayIndex& ways, const Evidence& v) {
  Json out = {
      {"artifact", ways.at(v.artifact)}, {"way", full_way(e, v.artifact)},  {"offset", v.offset}, {"length", v.length},
      {"shows", text(v.shows)},          {"command", command_for(e, v, {})}};
  if (const int64_t excerpt = excerpt_for(e, v); excerpt >= 0) out["excerpt"] = excerpt;
  return out;
}

Json finding(const Examination& e, const WayIndex& ways, const Finding& f) {
  Json out = {{"id", f.id},
              {"rule", f.rule},
              {"title", text(f.title)},
              {"severity", std::string(name_of(f.severity))},
              {"confidence", std::string(name_of(f.confidence))},
              {"cwe", f.cwe},
              {"requirements", f.requirements},
              {"claim", text(f.claim)},
              {"evidence", Json::array()}};
  for (const Evidence& v : f.evidence) out["evidence"].push_back(evidence(e, ways, v));
  return out;
}

Json rule(const Rule& r) {
  return {{"id", r.id},       {"version", r.version}, {"title", r.title},
          {"means", r.means}, {"misses", r.misses},   {"mistakes", r.mistakes}};
}

Json header(const Examination& e) {
  Json out = {{"tool", e.tool_version},   {"rules_digest", e.rules_digest},
              {"as_of", e.as_of},         {"name", text(e.name)},
              {"size", e.size},           {"sha256", e.sha256.hex()},
              {"directory", e.directory}, {"declaration", e.declaration_digest},
              {"complete", e.complete},   {"because", Json::array()},
              {"keys", Json::array()}};
  for (const std::string& reason : e.incomplete_because) out["because"].push_back(text(reason));
  for (const auto& [format, digest] : e.keys_used) out["keys"].push_back(Json::array({text(format), digest}));
  out["bytes"] = {{"total", e.bytes.total},     {"header", e.bytes.header},   {"content", e.bytes.content},
                  {"padding", e.bytes.padding}, {"unknown", e.bytes.unknown}, {"encrypted", e.bytes.encrypted}};
  const CodeTotals code = code_totals(e.facts);
  out["code"] = {{"read", code.read},
                 {"programs", code.programs},
                 {"unread", code.unread},
                 {"functions", code.sum.functions},
                 {"instructions", code.sum.instructions},
                 {"undecodable", code.sum.undecodable},
                 {"jumps", code.sum.indirect_jumps},
                 {"jumps_resolved", code.sum.indirect_jumps_resolved},
                 {"calls", code.sum.indirect_calls},
                 {"calls_resolved", code.sum.indirect_calls_resolved}};
  out["files"] = {{"total", e.files.total}, {"read", e.files.read}, {"unread", e.files.unread}};
  return out;
}

}  // namespace

WayIndex::WayIndex(const Examination& examination) : examination_(examination) {
  for (size_t i = 0; i < examination.artifacts.size(); ++i) index_.emplace(examination.artifacts[i].way, i);
}

int64_t WayIndex::at(std::string_view way) const {
  const auto it = index_.find(way);
  return it == index_.end() ? -1 : static_cast<int64_t>(it->second);
}

// A strictly shorter way each step, so the tree that the page draws has no cycle.
int64_t WayIndex::nearest_above(size_t index) const {
  std::string_view way = examination_.artifacts[index].way;
  while (!way.empty()) {
    const size_t slash = way.rfind('/');
    way = slash == std::string_view::npos ? std::string_view() : way.substr(0, slash);
    if (const int64_t found = at(way); found >= 0) return found;
  }
  return -1;
}

std::string WayIndex::name_below(size_t index, int64_t above) const {
  const std::string& way = examination_.artifacts[index].way;
  if (way.empty()) return escape(examination_.name);
  const std::string& prefix = above < 0 ? way : examination_.artifacts[static_cast<size_t>(above)].way;
  return above < 0 || prefix.empty() ? way : way.substr(prefix.size() + 1);
}

Json page_data(const Examination& e, const CodeViews& code) {
  const WayIndex ways(e);
  Json out = {{"about", header(e)}};
  out["artifacts"] = Json::array();
  for (size_t i = 0; i < e.artifacts.size(); ++i) out["artifacts"].push_back(artifact(e, ways, i));
  out["findings"] = Json::array();
  for (const Finding& f : e.findings) out["findings"].push_back(finding(e, ways, f));
  out["rules"] = Json::array();
  for (const Rule& r : e.rules) out["rules"].push_back(rule(r));
  out["excerpts"] = Json::array();
  for (const Excerpt& x : e.excerpts) {
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(x.bytes.data()), x.bytes.size());
    out["excerpts"].push_back({{"offset", x.offset}, {"hex", hex(bytes)}});
  }
  out["entropy"] = {{"block", e.entropy_block}, {"values", numbers(e.entropy)}};
  out["code"] = page_code(e, ways, code);
  out["tables"] = page_tables(e, ways);
  return out;
}

}  // namespace assay::report
