#include "cli/recompute.h"

#include "certify/fact_root.h"
#include "certify/files.h"
#include "cli/judging.h"
#include "core/json_parse.h"
#include "core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <random>

namespace assay::cli {
namespace {

using certify::CertifiedImage;
using certify::FactRoot;
using certify::Terms;

// A different program may compute different results and be right: comparing would say nothing.
Result<void> check_program(const Terms& terms) {
  const std::string own = sha256(Bytes(TRY(certify::read_file("/proc/self/exe", 1 << 30)))).hex();
  if (own == terms.program_sha256) return {};
  return fail(Fault::kForeign, "cannot recompute: certified by assay " + escape(terms.program_version) +
                                   " with sha256 " + escape(terms.program_sha256) +
                                   ", this is another program (sha256 " + own +
                                   "); build that version and run its `assay verify`");
}

std::string subject_of(const certify::Bundle& bundle) {
  const auto json = parse_json(bundle.envelope.payload, "statement");
  const nlohmann::json::json_pointer at("/subject/0/digest/sha256");
  return json && json->contains(at) && json->at(at).is_string() ? json->at(at).get<std::string>() : "";
}

Result<FactRoot> listed_arrows(const certify::Certificate& certificate, const CertifiedImage& image) {
  for (const certify::Bundle& bundle : certificate.bundles) {
    if (certify::statement_type(bundle) != certify::kArrowsType || subject_of(bundle) != image.sha256) continue;
    FactRoot out = TRY(certify::read_arrows(bundle.envelope.payload, "certificate"));
    if (out.root.hex() == image.fact_root) return out;
    return fail(Fault::kMalformed,
                "the list of arrows has the root " + out.root.hex() + ", the verdict says " + escape(image.fact_root));
  }
  return fail(Fault::kMalformed, "the certificate does not show the list of arrows of " + escape(image.name));
}

Result<engine::Options> options_for(const Recomputation& flags, const Terms& terms) {
  JudgingFlags judging;
  static_cast<Common&>(judging) = flags;
  judging.declaration = flags.declaration, judging.as_of = terms.as_of;
  engine::Options options = TRY(judging.examination_options());
  if (flags.declaration.empty() && !terms.declaration_sha256.empty())
    return fail(Fault::kForeign,
                "cannot recompute without the declaration that was judged: --declaration FILE, sha256 " +
                    escape(terms.declaration_sha256));
  if (options.declaration_digest != terms.declaration_sha256)
    return fail(Fault::kMalformed,
                terms.declaration_sha256.empty()
                    ? "--declaration: the certificate was judged without one"
                    : "--declaration: the certificate needs the one with sha256 " + escape(terms.declaration_sha256));
  for (const auto& [format, digest] : terms.keys)
    if (std::ranges::none_of(options.keys, [&](const auto& key) {
          return key.first == format && sha256(Bytes(key.second)).hex() == digest;
        }))
      return fail(Fault::kMalformed, "--format-key: the certificate needs the key of " + escape(format) +
                                         " with sha256 " + escape(digest));
  return options;
}

bool reads_one_content(const engine::Arrow& arrow) { return arrow.name == "unpack" || arrow.name == "file"; }

// Ways of N arrows out of those that read one content, drawn anew at each run.
std::vector<std::string> draw(const FactRoot& listed, uint64_t count) {
  std::vector<std::string> ways, out;
  for (const engine::Arrow& arrow : listed.arrows)
    if (reads_one_content(arrow)) ways.push_back(arrow.way);
  std::ranges::sort(ways);
  ways.erase(std::unique(ways.begin(), ways.end()), ways.end());
  std::ranges::sample(ways, std::back_inserter(out), static_cast<ptrdiff_t>(count),
                      std::mt19937_64(std::random_device{}()));
  return out;
}

Result<Recomputed> run_again(const engine::Options& options) {
  auto inspection = TRY(engine::Inspection::run(options));
  end_progress_line();
  std::vector<engine::Arrow> arrows = inspection.arrows();
  // With a part of the tree alone, what looks at the whole reads something else.
  if (!options.focus.empty()) std::erase_if(arrows, [](const auto& arrow) { return !reads_one_content(arrow); });
  return Recomputed{std::move(inspection), certify::fact_root(std::move(arrows)), options.declaration};
}

std::string name_of(const std::string& way, const CertifiedImage& image) {
  return escape(unescape(way.empty() ? image.name : way));
}

// An arrow listed at a drawn way that no content of the image has was invented. Compared by key, because contents that
// occur twice ran once.
Result<void> check_drawn_ran(const FactRoot& listed, const FactRoot& now, const std::vector<std::string>& drawn,
                             const CertifiedImage& image) {
  for (const engine::Arrow& arrow : listed.arrows)
    if (reads_one_content(arrow) && std::ranges::find(drawn, arrow.way) != drawn.end() &&
        !std::ranges::binary_search(now.arrows, arrow.key, {}, &engine::Arrow::key))
      return fail(Fault::kMalformed, "computed again, nothing ran at " + name_of(arrow.way, image) +
                                         ", which the certificate lists (" + escape(arrow.name) + ")");
  return {};
}

}  // namespace

Result<std::optional<Recomputed>> recompute(const Recomputation& flags, const certify::Certificate& certificate,
                                            const Terms& terms, const CertifiedImage& image) {
  TRY_VOID(check_program(terms));
  engine::Options options = TRY(options_for(flags, terms));
  const auto listed = listed_arrows(certificate, image);
  if (!listed && !flags.all) return std::unexpected(listed.error());
  if (!flags.all) options.focus = draw(*listed, flags.sample);
  Recomputed again = TRY(run_again(options));
  const FactRoot& now = again.facts;
  const std::string differs = listed ? certify::difference(*listed, now, flags.all) : "";
  if (!differs.empty() || (flags.all && now.root.hex() != image.fact_root))
    return fail(Fault::kMalformed, "computed again, " + escape(image.name) + " gives another result: fact root " +
                                       now.root.hex() + ", certified " + escape(image.fact_root) +
                                       (differs.empty() ? "" : ": " + differs));
  if (flags.all) {
    fmt::print("checked: all {} arrows of {} ran again, fact root {}\n", now.arrows.size(), escape(image.name),
               escape(image.fact_root));
    return again;
  }
  TRY_VOID(check_drawn_ran(*listed, now, options.focus, image));
  fmt::print("checked: {} of {} arrows of {} ran again with the same results:\n", now.arrows.size(), image.arrows,
             escape(image.name));
  for (const std::string& way : options.focus) fmt::print("  {}\n", name_of(way, image));
  return std::nullopt;
}

}  // namespace assay::cli
