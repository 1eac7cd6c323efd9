#include "certify/page.h"

#include "certify/page_style.h"
#include "certify/requirements.h"
#include "certify/statement.h"
#include "core/json_parse.h"
#include "core/json_text.h"
#include "core/text.h"

#include <nlohmann/json.hpp>

#include <map>

namespace assay::certify {
namespace {

using Json = nlohmann::json;

// Everything that is printed comes from a stranger's file.
std::string html(std::string_view text) {
  std::string out;
  for (const char c : escape(text)) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string said(std::string_view text) { return html(unescape(text)); }  // what a statement holds escaped
std::string code(std::string_view text) { return "<code>" + html(text) + "</code>"; }
std::string row(std::string_view name, const std::string& value) {
  return "<dt>" + html(name) + "</dt><dd>" + value + "</dd>";
}
std::string text_of(const Json& object, const char* field) {
  return object.is_object() && object.contains(field) && object[field].is_string() ? object[field].get<std::string>()
                                                                                   : "";
}
std::string number_of(const Json& object, const char* pointer) {
  const Json::json_pointer at(pointer);
  if (!object.contains(at) || !object.at(at).is_number_unsigned()) return "not said";
  std::string out = std::to_string(object.at(at).get<uint64_t>());
  for (size_t digits = out.size(); digits > 3;) out.insert(digits -= 3, ",");
  return out;
}

// What the test results beside the verdict say; empty where a view withholds them.
struct Results {
  std::vector<Json> judgements, coverages;
};
Results results_of(const Certificate& certificate) {
  Results out;
  for (const Bundle& bundle : certificate.bundles) {
    if (statement_type(bundle) != kTestResultType) continue;
    const auto json = parse_json(bundle.envelope.payload, "test result");
    const Json::json_pointer at(std::string("/predicate/") + kExtension);
    if (!json || !json->contains(at) || !json->at(at).is_object()) continue;
    const Json& extension = json->at(at);
    for (const Json& one : extension.value("judgements", Json::array())) out.judgements.push_back(one);
    const Json coverage = extension.value("coverage", Json::array());  // of each image
    for (const Json& one : coverage) out.coverages.push_back(one);
  }
  return out;
}

const char* class_of(const std::string& verdict) {
  return verdict == "PASS" ? "pass" : verdict == "FAIL" ? "fail" : verdict == "NOT_APPLICABLE" ? "soft" : "open";
}

// Titles come with this program, not with the certificate.
std::string title_of(const std::string& ref) {
  static const auto kTitles = [] {
    std::map<std::string, std::string> out;
    for (const Standard& s : standards())
      for (const Requirement& r : s.requirements) out[reference_of(s, r)] = r.title;
    return out;
  }();
  const auto at = kTitles.find(ref);
  return at == kTitles.end() ? "" : at->second;
}

std::string requirement(const Json& judgement) {
  const std::string ref = text_of(judgement, "ref"), title = title_of(ref);
  return said(ref) + (judgement.value("blocking", true) ? "" : " <span class=soft>(not blocking)</span>") +
         (title.empty() ? "" : "<br><span class=soft>" + html(title) + "</span>");
}

// A reason for each test, a line each.
std::string reasons(const Json& judgement) {
  std::string out;
  const std::string because = text_of(judgement, "because");
  for (std::string_view rest = because; !rest.empty();) {
    const size_t end = rest.find("; ");
    out += (out.empty() ? "" : "<br>") + said(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
  }
  return out;
}

std::string heading(const std::string& title, const std::string& verdict) {
  return "<h2>" + html(title) + " <span class=\"tag " + class_of(verdict) + "\">" + html(verdict) + "</span></h2>";
}

std::string judgements(const Results& results, const std::string& verdict, const std::string& title) {
  std::string rows;
  for (const Json& one : results.judgements)
    if (text_of(one, "verdict") == verdict)
      rows += "<tr><td>" + requirement(one) + "</td><td>" + reasons(one) + "</td></tr>";
  if (rows.empty()) return "";
  return heading(title, verdict) + "<table><thead><tr><th>Requirement</th><th>What was seen</th></tr></thead><tbody>" +
         rows + "</tbody></table>";
}

// Many, and all for one reason.
std::string not_tested(const Results& results) {
  std::string items;
  for (const Json& one : results.judgements)
    if (text_of(one, "verdict") == "NOT_TESTED") items += "<li>" + requirement(one) + "</li>";
  if (items.empty()) return "";
  return heading("Not tested", "NOT_TESTED") +
         "<p>The policy has no test for these: they need other evidence than it judges.</p><ul class=many>" + items +
         "</ul>";
}

std::string counts(const Results& results) {
  std::map<std::string, size_t> count;
  for (const Json& one : results.judgements) ++count[text_of(one, "verdict")];
  std::string out;
  for (const auto& [verdict, n] : count)
    out += (out.empty() ? "" : " · ") + std::to_string(n) + " <span class=\"" + class_of(verdict) + "\">" +
           html(verdict) + "</span>";
  return out.empty() ? "" : "<p>" + out + "</p>";
}

std::string head(const Terms& terms, const std::string& qr) {
  std::string levels;
  for (const std::string& level : terms.levels) levels += (levels.empty() ? "" : ", ") + level;
  const std::string product = product_line(terms);
  return "<header><div><h1>Certificate of examination</h1>" +
         (product.empty() ? "" : "<p class=product>" + said(product) + "</p>") + "<p class=\"verdict " +
         std::string(terms.passed ? "pass" : "fail") + "\">" + (terms.passed ? "PASSED" : "FAILED") +
         "</p><p>under the policy " + code(terms.policy_uri) + (levels.empty() ? "" : ", level " + code(levels)) +
         "</p><p class=soft>Days claimed by the signer: " + html(terms.valid_from) + " to " + html(terms.valid_until) +
         "</p></div><figure>" + qr + "<figcaption>SHA-256 of the certificate's file</figcaption></figure></header>";
}

// What the vendor says of the product: no verdict rests on the names, and whether a requirement applies on the class.
std::string named(const Terms& terms) {
  std::string out;
  const std::string product = product_line(terms);
  if (!product.empty())
    out += row("Product", said(product) + "<br><span class=soft>as its declaration calls it</span>");
  if (!terms.unique_id.empty()) out += row("Unique id", said(terms.unique_id));
  if (!terms.network_class.empty()) out += row("Class", said(terms.network_class));
  return out;
}

std::string examined(const Terms& terms) {
  std::string out = "<h2>What was examined</h2><dl>" + named(terms);
  for (const CertifiedImage& image : terms.images) {
    out += row("Image", said(image.name) + "<br>sha256 " + code(image.sha256));
    if (!image.fact_root.empty())
      out += row("Fact root", code(image.fact_root) + "<br>over " + std::to_string(image.arrows) +
                                  " analyses that can be run again");
  }
  out += row("Program", "assay " + html(terms.program_version) + ", sha256 " + code(terms.program_sha256));
  out += row("Policy", code(terms.policy_uri) + "<br>sha256 " + code(terms.policy_sha256));
  out += row("Declaration",
             terms.declaration_sha256.empty() ? "none was handed in" : "sha256 " + code(terms.declaration_sha256));
  out += row("Judged as of", html(terms.as_of));
  for (const auto& [format, digest] : terms.keys) out += row("Key for " + format, "sha256 " + code(digest));
  for (const auto& [ref, until] : terms.waived)
    out += row("Waived", said(ref) + "<br>until " + html(until) +
                             "; the signer claims that the approvers whom the policy names signed it");
  return out + "</dl>";
}

std::string coverage(const Results& results) {
  std::string out = "<h2>How much was looked at</h2>";
  if (results.coverages.empty()) return out + "<p>This view withholds the test results, where the coverage stands.</p>";
  for (const Json& one : results.coverages) {
    out += "<p>" +
           std::string(one.value("complete", false) ? "The examination was complete."
                                                    : "<b>The examination was not complete.</b>") +
           "</p><dl>";
    if (results.coverages.size() > 1) out += row("Image", code(text_of(one, "image")));
    for (const Json& why : one.value("because", Json::array()))
      out += row("Because", said(why.is_string() ? why.get<std::string>() : ""));
    out += row("Bytes", number_of(one, "/bytes/total") + "; not understood " + number_of(one, "/bytes/unknown") +
                            "; encrypted " + number_of(one, "/bytes/encrypted"));
    out += row("Files", number_of(one, "/files/total") + "; not readable " + number_of(one, "/files/unread")) + "</dl>";
  }
  return out;
}

std::string withheld(const Certificate& certificate) {
  std::string rows;
  for (const Bundle& bundle : certificate.bundles)
    if (!bundle.withheld.empty()) rows += "<li>sha256 " + code(bundle.withheld) + "</li>";
  return rows.empty()
             ? ""
             : "<h2>What this view withholds</h2><p>Statements that the verdict names by these digests:</p><ul>" +
                   rows + "</ul>";
}

std::string how_to_check(const Certificate& certificate, const std::string& digest) {
  const Bundle& verdict = certificate.bundles[0];
  return "<h2>How to check it</h2><p>This page is a rendering. What counts is the file with the SHA-256 " +
         code(digest) + ", which the code above repeats.</p><pre>" +
         code("assay verify cert.json --trust roots.json --log LOG --image IMAGE --recompute") + "</pre><dl>" +
         row("Signed by key", code(verdict.signer.id())) + row("Log", code(certificate.log.text())) +
         row("Entry", std::to_string(verdict.entry.index) + " of " + std::to_string(verdict.entry.checkpoint.size) +
                          " when it was made") +
         "</dl><p>The signatures and log proofs are Sigstore bundles and C2SP checkpoints: other programs check them "
         "too. Whether the "
         "certificate was suspended or withdrawn since stands in the log, not here.</p>";
}

Result<std::string> write_page(const Certificate& certificate, const Terms& terms, std::string_view file) {
  const std::string digest = sha256(Bytes(file)).hex();
  const Results results = results_of(certificate);
  std::string out =
      "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport "
      "content=\"width=device-width,initial-scale=1\">"
      "<meta http-equiv=Content-Security-Policy content=\"default-src 'none';style-src "
      "'unsafe-inline'\"><title>Certificate " +
      digest.substr(0, 16) + "</title><style>" + kPageStyle + "</style></head><body>" +
      head(terms, TRY(qr_svg("sha256:" + digest)));
  out +=
      "<div class=box><b>No proof of absence.</b> The certificate says what was examined, by which program and rules, "
      "and what came of "
      "it. It does not say that there is nothing else: what no rule looks for, and what was not tested or not read, "
      "may be there.</div>";
  out += examined(terms) + coverage(results);
  out += "<h2>Verdicts</h2>" + (results.judgements.empty()
                                    ? "<p>This view withholds the verdicts of single requirements.</p>"
                                    : counts(results));
  out += judgements(results, "FAIL", "Failed") + judgements(results, "INCONCLUSIVE", "Not decided") +
         not_tested(results) + judgements(results, "PASS", "Passed") +
         judgements(results, "NOT_APPLICABLE", "Not applicable");
  return out + withheld(certificate) + how_to_check(certificate, digest) + "</body></html>\n";
}

}  // namespace

Result<std::string> certificate_page(const Certificate& certificate, const Terms& terms, std::string_view file) {
  try {
    return write_page(certificate, terms, file);
  } catch (const Json::exception& error) {
    return fail(Fault::kMalformed, std::string("the test results are damaged: ") + error.what());
  }
}

}  // namespace assay::certify
