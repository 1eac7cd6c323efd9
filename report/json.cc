// The JSON report (docs/report.schema.json).
#include "report/json.h"

#include "core/json_text.h"
#include "report/code_totals.h"

namespace assay::report {
namespace {

Json artifact(ToJson& to, const Examination& e, const Artifact& a) {
  Json out = {{"path", full_way(e, a.way)}, {"kind", std::string(name_of(a.node.kind))}};
  if (!a.format.empty()) out["format"] = a.format;
  if (a.offset != kNowhere) out["offset"] = a.offset;
  out["size"] = a.size;
  if (a.has_content) out["sha256"] = a.sha256.hex();
  if (a.node.mode) out["mode"] = *a.node.mode;
  if (a.node.uid) out["uid"] = *a.node.uid;
  if (a.node.gid) out["gid"] = *a.node.gid;
  if (a.node.links) out["nlink"] = *a.node.links;
  if (a.node.mtime) out["mtime"] = *a.node.mtime;
  if (a.node.device) out["device"] = {{"major", *a.node.device >> 32}, {"minor", *a.node.device & 0xffffffff}};
  if (!a.node.target.empty()) out["target"] = escape(a.node.target);
  if (!a.node.xattrs.empty()) out["xattrs"] = to.value(a.node.xattrs);
  if (!a.codec.empty()) out["codec"] = a.codec;
  if (a.unread) out["unread"] = true;
  if (!a.spans.empty()) out["bytes"] = to.value(count(a.spans));
  return out;
}

Json component(ToJson& to, const Component& c) {
  return {{"name", escape(c.name)},
          {"version", escape(c.version)},
          {"purl", escape(c.purl)},
          {"how", c.how},
          {"evidence", to.value(c.at)}};
}

Json finding(ToJson& to, const Examination& e, const Finding& f) {
  return {{"id", f.id},
          {"rule", f.rule},
          {"version", f.version},
          {"title", escape(f.title)},
          {"severity", std::string(name_of(f.severity))},
          {"confidence", std::string(name_of(f.confidence))},
          {"cwe", f.cwe},
          {"requirements", f.requirements},
          {"artifact", full_way(e, f.evidence.empty() ? "" : f.evidence[0].artifact)},
          {"claim", escape(f.claim)},
          {"evidence", to.value(f.evidence)}};
}

Json code_coverage(const Examination& e) {
  const CodeTotals t = code_totals(e.facts);
  return {{"read", t.read},
          {"programs", t.programs},
          {"programs_unread", t.unread},
          {"functions", t.sum.functions},
          {"instructions", t.sum.instructions},
          {"bytes", t.sum.bytes},
          {"undecodable", t.sum.undecodable},
          {"indirect_jumps", {{"total", t.sum.indirect_jumps}, {"resolved", t.sum.indirect_jumps_resolved}}},
          {"indirect_calls", {{"total", t.sum.indirect_calls}, {"resolved", t.sum.indirect_calls_resolved}}}};
}

}  // namespace

std::string json(const Examination& e) {
  ToJson to(e);
  Json out;
  out["schema"] = "assay-report/1";
  out["tool"] = {{"name", "assay"}, {"version", e.tool_version}, {"rules", e.rules_digest}};
  out["as_of"] = e.as_of;
  out["input"] = {{"name", escape(e.name)},
                  {"size", e.size},
                  {"sha256", e.sha256.hex()},
                  {"kind", e.directory ? "directory" : "file"}};
  if (!e.declaration_digest.empty()) out["declaration"] = {{"sha256", e.declaration_digest}};
  if (!e.keys_used.empty()) {
    out["keys"] = Json::array();
    for (const auto& [format, digest] : e.keys_used) out["keys"].push_back({{"format", format}, {"sha256", digest}});
  }
  out["complete"] = e.complete;
  out["incomplete_because"] = to.value(e.incomplete_because);
  out["coverage"] = {{"bytes", to.value(e.bytes)},
                     {"files", {{"total", e.files.total}, {"read", e.files.read}, {"unread", e.files.unread}}},
                     {"code", code_coverage(e)}};
  out["artifacts"] = Json::array();
  for (const Artifact& a : e.artifacts) out["artifacts"].push_back(artifact(to, e, a));
  out["components"] = Json::array();
  for (const Component& c : e.facts.components) out["components"].push_back(component(to, c));
  out["facts"] = to.value(e.facts);
  for (Json& problem : out["facts"]["problems"])
    problem["artifact"] = full_way(e, problem["artifact"].get<std::string>());
  out["findings"] = Json::array();
  for (const Finding& f : e.findings) out["findings"].push_back(finding(to, e, f));
  out["rules"] = to.value(e.rules);
  return json_text(out, 1) + "\n";
}

}  // namespace assay::report
