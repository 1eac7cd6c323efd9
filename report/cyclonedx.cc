// CycloneDX 1.6 (ECMA-424): the image as a firmware component, what was recognised inside it, each with its occurrence.
// The serial number is made from the image and the tool, not drawn: the same run gives the same document.
#include "core/hash.h"
#include "core/json_text.h"
#include "report/json.h"

namespace assay::report {
namespace {

// A UUID of version 8 (RFC 9562: vendor-specific) from a digest.
std::string uuid_of(const Digest& digest) {
  std::array<uint8_t, 16> b{};
  std::copy_n(digest.bytes.begin(), b.size(), b.begin());
  b[6] = static_cast<uint8_t>((b[6] & 0x0f) | 0x80);
  b[8] = static_cast<uint8_t>((b[8] & 0x3f) | 0x80);
  const std::string h = hex(b);
  return h.substr(0, 8) + "-" + h.substr(8, 4) + "-" + h.substr(12, 4) + "-" + h.substr(16, 4) + "-" + h.substr(20);
}

// One component however often it occurs.
struct Occurring {
  const Component* component;
  std::vector<const Evidence*> at;
};

std::vector<Occurring> together(const std::vector<Component>& components) {
  std::vector<Occurring> out;
  std::map<std::tuple<std::string, std::string, std::string>, size_t> seen;
  for (const Component& c : components) {
    const auto [it, fresh] = seen.insert({{c.name, c.version, c.purl}, out.size()});
    if (fresh) out.push_back({&c, {}});
    out[it->second].at.push_back(&c.at);
  }
  return out;
}

Json component(const Examination& e, const Occurring& o) {
  const Component& c = *o.component;
  Json occurrences = Json::array();
  for (const Evidence* at : o.at)
    occurrences.push_back(
        {{"location", full_way(e, at->artifact)}, {"offset", at->offset}, {"additionalContext", escape(at->shows)}});
  const std::string method =
      c.how == "version-string" || c.how == "kernel" || c.how == "bootloader" ? "binary-analysis" : "manifest-analysis";
  Json out = {{"type", c.how == "kernel" ? "operating-system" : "library"},
              {"bom-ref", escape(c.name) + "@" + escape(c.version) + "#" + escape(c.purl)},
              {"name", escape(c.name)}};
  if (!c.version.empty()) out["version"] = escape(c.version);
  if (!c.purl.empty()) out["purl"] = escape(c.purl);
  out["evidence"] = {
      {"identity",
       Json::array({{{"field", "version"}, {"methods", Json::array({{{"technique", method}, {"confidence", 0.9}}})}}})},
      {"occurrences", occurrences}};
  out["properties"] = Json::array({{{"name", "assay:how"}, {"value", c.how}}});
  return out;
}

}  // namespace

std::string cyclonedx(const Examination& e) {
  Json components = Json::array();
  for (const Occurring& o : together(e.facts.components)) components.push_back(component(e, o));
  const Digest identity = sha256(Bytes(e.sha256.hex() + e.tool_version + e.as_of));
  const std::string image_ref = "image-" + e.sha256.hex();
  Json out = {
      {"$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json"},
      {"bomFormat", "CycloneDX"},
      {"specVersion", "1.6"},
      {"serialNumber", "urn:uuid:" + uuid_of(identity)},
      {"version", 1},
      {"metadata",
       {{"timestamp", e.as_of + "T00:00:00Z"},
        {"tools",
         {{"components", Json::array({{{"type", "application"}, {"name", "assay"}, {"version", e.tool_version}}})}}},
        {"component",
         {{"type", "firmware"},
          {"bom-ref", image_ref},
          {"name", escape(e.name)},
          {"hashes", Json::array({{{"alg", "SHA-256"}, {"content", e.sha256.hex()}}})}}}}},
      {"components", components},
      {"compositions", Json::array({{{"aggregate", "incomplete"}, {"assemblies", Json::array({image_ref})}}})}};
  return json_text(out, 1) + "\n";
}

}  // namespace assay::report
