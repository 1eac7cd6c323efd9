// assay verify CERT: what a stranger can check of a certificate, said in words, and what was not checked.
#include "certify/certificate.h"
#include "certify/files.h"
#include "certify/judge_status.h"
#include "certify/witness.h"
#include "cli/recompute.h"
#include "core/date.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace assay::cli {
namespace {

using certify::Bundle;
using certify::Certificate;
using certify::Terms;

struct Flags : Recomputation {
  std::string certificate, signer, log_key, log, trust, as_of;
  std::vector<std::string> images;
};

// Collects what was not checked while the rest is, so that it is said last and nothing is passed over.
struct Check {
  const Flags& flags;
  Certificate certificate;
  Terms terms;
  std::optional<certify::Trust> trust;
  std::vector<std::string> open;
  bool complete = true;  // false: what roots.json asks for could not be looked at
  bool waivers_checked = false;

  const Bundle& verdict() const { return certificate.bundles[0]; }
};

// Text that a certificate holds escaped, as it is to be printed; a forged one may not have escaped it.
std::string said(const std::string& text) { return escape(unescape(text)); }

size_t shown(const Certificate& certificate) {
  return static_cast<size_t>(std::ranges::count(certificate.bundles, "", &Bundle::withheld));
}

Result<void> check_trust(Check& c) {
  const std::string roots = TRY(certify::read_file(c.flags.trust, 1 << 20));
  c.trust = TRY(certify::read_trust(roots, c.flags.trust));
  TRY_VOID(certify::check_log(*c.trust, c.certificate.log));
  std::string names;
  for (const Bundle& bundle : c.certificate.bundles) {
    if (!bundle.withheld.empty()) continue;
    const std::string name = TRY(certify::check_signer(*c.trust, bundle.signer, certify::kSignsCertificates,
                                                       c.certificate.log, bundle.entry.index));
    if (names.find(name) == std::string::npos) names += (names.empty() ? "" : ", ") + name;
  }
  fmt::print("checked: by {}, the log is one you trust and every shown statement is signed by a key that may: {}\n",
             c.flags.trust, escape(names));
  return {};
}

Result<void> check_signer(Check& c) {
  const std::string pem = TRY(certify::read_file(c.flags.signer, 1 << 20));
  const auto key = TRY(certify::public_key_from_pem(pem, c.flags.signer));
  for (const Bundle& bundle : c.certificate.bundles)
    if (bundle.withheld.empty() && bundle.signer != key)
      return fail(Fault::kMalformed, "signed by key " + bundle.signer.id() + ", not by " + c.flags.signer);
  fmt::print("checked: every shown statement is signed by {}\n", c.flags.signer);
  return {};
}

Result<void> check_keys(Check& c) {
  if (!c.flags.trust.empty()) TRY_VOID(check_trust(c));
  if (!c.flags.signer.empty()) TRY_VOID(check_signer(c));
  if (!c.flags.log_key.empty() && c.certificate.log.text() != c.flags.log_key)
    return fail(Fault::kMalformed, "logged by " + c.certificate.log.text() + ", not by " + c.flags.log_key);
  if (!c.flags.log_key.empty()) fmt::print("checked: the log is {}\n", c.flags.log_key);
  if (c.flags.trust.empty() && c.flags.signer.empty())
    c.open.push_back("whose key " + c.verdict().signer.id() + " is (--trust roots.json or --signer K.pub)");
  if (c.flags.trust.empty() && c.flags.log_key.empty())
    c.open.push_back("whether " + c.certificate.log.text() + " is the log you trust (--trust or --log-key)");
  return {};
}

// The certified image that a file is, of several equal ones the first that none was shown for; the error: none.
Result<const certify::CertifiedImage*> image_at(const Terms& terms, const std::string& path,
                                                const std::vector<const certify::CertifiedImage*>& seen) {
  const std::string bytes = TRY(certify::read_file(path, 1ull << 36));
  const std::string digest = sha256(Bytes(bytes)).hex();
  const certify::CertifiedImage* found = nullptr;
  for (const certify::CertifiedImage& image : terms.images)
    if (image.sha256 == digest && (!found || std::ranges::find(seen, found) != seen.end())) found = &image;
  if (found) return found;
  return fail(Fault::kMalformed, path + " (sha256 " + digest + ") is not what was certified");
}

// Once each image of the submission was examined again.
Result<void> check_verdicts(Check& c, std::map<const certify::CertifiedImage*, Recomputed> again) {
  std::vector<Recomputed> images;
  for (const certify::CertifiedImage& image : c.terms.images)
    if (const auto at = again.find(&image); at != again.end()) images.push_back(std::move(at->second));
  std::string open = "it needs every image of the submission (--image)";
  if (images.size() == c.terms.images.size()) open = TRY(rejudge(c.flags, c.certificate, c.terms, images));
  c.waivers_checked = open.empty();
  if (open.empty()) return {};
  c.complete = false;
  c.open.push_back("that the verdicts follow from the results: " + open);
  return {};
}

Result<void> check_images(Check& c) {
  std::vector<const certify::CertifiedImage*> seen;
  std::map<const certify::CertifiedImage*, Recomputed> again;
  for (const std::string& path : c.flags.images) {
    const auto* image = TRY(image_at(c.terms, path, seen));
    seen.push_back(image);
    fmt::print("checked: {} is the certified {}\n", path, said(image->name));
    if (!c.flags.all && c.flags.sample == 0) continue;
    Recomputation one = c.flags;
    one.image = path;
    auto all = TRY(recompute(one, c.certificate, c.terms, *image));
    if (all) again.emplace(image, std::move(*all));
  }
  if (c.flags.all)
    TRY_VOID(check_verdicts(c, std::move(again)));
  else
    c.open.push_back("that the verdicts follow from the results (--recompute with every --image)");
  for (const certify::CertifiedImage& image : c.terms.images)
    if (std::ranges::find(seen, &image) == seen.end())
      c.open.push_back("that you hold the certified " + said(image.name) + ", sha256 " + escape(image.sha256) +
                       " (--image)");
  if (!c.flags.all && c.flags.sample == 0)
    c.open.push_back("that the analyses give these results (--image with --recompute, or --sample N)");
  return {};
}

// A certificate's checkpoint carries the log's signature alone.
void say_witnesses_are_open(Check& c) {
  if (!c.trust || c.trust->cosignatures == 0) return;
  c.complete = false;
  c.open.push_back(
      fmt::format("the cosignatures that {} asks for ({}): they stand in the log, not in a certificate: --log",
                  c.flags.trust, c.trust->cosignatures));
}

// Which witnesses vouch for the checkpoint, and when they say they saw it.
Result<void> check_cosignatures(Check& c, const certify::Checkpoint& at) {
  if (!c.trust || c.trust->witnesses.empty()) return {};
  const certify::Note note = TRY(certify::parse_note(at.note, "checkpoint"));
  uint64_t good = 0;
  for (const certify::VerifierKey& witness : c.trust->witnesses)
    for (const certify::NoteSignature& signature : note.signatures) {
      if (!TRY(certify::is_signed_by(note, signature, witness))) continue;
      ++good;
      const uint64_t time = TRY(certify::cosignature_time(signature));
      fmt::print("checked: witness {} saw these {} entries; the day it says: {}\n", escape(witness.name), at.size,
                 date_of(static_cast<int64_t>(time)));
      break;
    }
  if (good < c.trust->cosignatures)
    return fail(Fault::kMalformed,
                fmt::format("the checkpoint of {} entries has the cosignatures of {} witnesses; {} asks for {}",
                            at.size, good, c.flags.trust, c.trust->cosignatures));
  return {};
}

Result<void> check_status(Check& c, const certify::LogView& log, const certify::Checkpoint& now) {
  const auto events = TRY(certify::statuses_of(c.verdict(), log, now));
  const auto may = c.trust ? certify::by_trust(*c.trust, c.certificate.log) : certify::by_keys({c.verdict().signer});
  const auto judged = certify::judge_status(events, c.verdict(), c.certificate.log, may);
  for (const std::string& one : judged.ignored) fmt::print("ignored: {}\n", one);
  const std::string what =
      std::string(certify::name_of(judged.status)) + (judged.why.empty() ? "" : " (" + judged.why + ")");
  if (judged.status != certify::Status::kIssued && judged.status != certify::Status::kUnderReview)
    return fail(Fault::kMalformed, "the certificate is " + what);
  fmt::print("checked: status in all entries of the log since: {}\n", what);
  return {};
}

Result<void> check_log(Check& c) {
  if (c.flags.log.empty()) {
    c.open.push_back("later changes of status, and that the log still has this history (--log)");
    say_witnesses_are_open(c);
    return {};
  }
  const certify::LogView log = TRY(certify::view_log(c.flags.log, c.certificate.log));
  const certify::Checkpoint now = TRY(log.checkpoint());
  for (const Bundle& bundle : c.certificate.bundles)
    if (bundle.withheld.empty()) TRY_VOID(certify::check_growth(bundle.entry.checkpoint, now, log.read));
  fmt::print("checked: the log at {} still has that history; it has {} entries now\n", c.flags.log, now.size);
  TRY_VOID(check_cosignatures(c, now));
  return check_status(c, log, now);
}

Result<void> check_validity(Check& c) {
  if (c.terms.valid_until.empty()) return {};
  const std::string day = c.flags.as_of.empty() ? today() : c.flags.as_of;
  if (day < c.terms.valid_from || day > c.terms.valid_until)
    return fail(Fault::kMalformed, "on " + day + " it is not valid: it says validFrom " + c.terms.valid_from +
                                       ", validUntil " + c.terms.valid_until);
  fmt::print("checked: on {} it is within its days, {} to {} (claimed by the signer)\n", day, c.terms.valid_from,
             c.terms.valid_until);
  return {};
}

void say_what_it_says(const Check& c) {
  std::string levels;
  for (const std::string& level : c.terms.levels) levels += (levels.empty() ? ", level " : ", ") + escape(level);
  if (const std::string product = certify::product_line(c.terms); !product.empty())
    fmt::print("it says: of {}, as the vendor's declaration calls it\n", said(product));
  fmt::print("it says: {} under {}{}\n", c.terms.passed ? "PASSED" : "FAILED", escape(c.terms.policy_uri), levels);
  for (const auto& [ref, until] : c.terms.waived)
    fmt::print("it says: {} is waived until {}\n", said(ref), escape(until));
}

Result<bool> verify(const Flags& flags) {
  const std::string text = TRY(certify::read_file(flags.certificate, 1 << 28));
  Check c{flags, TRY(certify::read_certificate(text, flags.certificate)), {}, {}, {}};
  c.terms = TRY(certify::read_terms(c.verdict().envelope.payload, flags.certificate));
  const size_t signatures = shown(c.certificate);
  fmt::print("checked: encoding of every byte, {} signatures, that the log {} holds them, the verdict's list of them\n",
             signatures, c.certificate.log.name);
  if (signatures < c.certificate.bundles.size())
    c.open.push_back(fmt::format("{} statements that this view withholds; the verdict names their digests",
                                 c.certificate.bundles.size() - signatures));
  TRY_VOID(check_keys(c));
  TRY_VOID(check_log(c));
  TRY_VOID(check_validity(c));
  TRY_VOID(check_images(c));
  if (!c.terms.waived.empty() && !c.waivers_checked)
    c.open.push_back("the approvers' signatures of waivers (the policy names their keys)");
  for (const std::string& one : c.open) fmt::print("not checked: {}\n", one);
  say_what_it_says(c);
  return c.complete && (!flags.trust.empty() || (!flags.signer.empty() && !flags.log_key.empty()));
}

int status_of(Fault fault) {
  if (fault == Fault::kIo) return kUnreadable;
  return fault == Fault::kForeign ? kIncomplete : kFindings;  // refused: see recompute.h
}

int run(const Flags& flags) {
  if ((flags.all || flags.sample > 0) && flags.images.empty())
    return complain(kUsage, "--recompute and --sample need the image: --image FILE");
  if (!flags.policy.empty() && !flags.all) return complain(kUsage, "--policy is for --recompute");
  if (!flags.as_of.empty())
    if (const auto day = seconds_of_date(flags.as_of); !day) return complain(kUsage, "--as-of: " + day.error().what);
  const auto trusted = verify(flags);
  if (trusted) return *trusted ? kClean : kIncomplete;
  const int status = status_of(trusted.error().fault);
  return complain(status, (status == kFindings ? "rejected: " : "") + trusted.error().what);
}

}  // namespace

void add_verify(App& app, int& status) {
  App* command = app.add_subcommand("verify", "Check a certificate; says what was checked and what not");
  auto flags = std::make_shared<Flags>();
  command->add_option("CERT", flags->certificate, "The certificate's file")->required();
  command->add_option("--trust", flags->trust, "roots.json: logs, witnesses and keys you trust, and for what")
      ->type_name("FILE");
  command->add_option("--signer", flags->signer, "Public key that must have signed, K.pub")->type_name("FILE");
  command->add_option("--log-key", flags->log_key, "Verifier key of the log that must hold it")->type_name("VKEY");
  command->add_option("--log", flags->log, "The log, folder or URL: same history still, and the status now")
      ->type_name("DIR|URL");
  command->add_option("--as-of", flags->as_of, "Day on which it must be valid, YYYY-MM-DD [today]")->type_name("DATE");
  command->add_option("--image", flags->images, "Image that must be the one certified")->type_name("FILE");
  command->add_flag("--recompute", flags->all, "Run all analyses again, judge again, and compare");
  command->add_option("--sample", flags->sample, "Run N of them again, drawn at random")->type_name("N");
  command->add_option("--declaration", flags->declaration, "For these: the declaration that was judged")
      ->type_name("FILE");
  command->add_option("--policy", flags->policy, "For --recompute: the policy, unless it is a ready one")
      ->type_name("FILE");
  command->add_option("--format-key", flags->keys, "For these: the key of an encrypted format, FORMAT=FILE")
      ->type_name("KEY");
  command->add_option("--workers", flags->workers, "For these: processes [one per core]")->type_name("N");
  command->footer(
      "Exit status: 0 all that was asked holds and keys were given, 1 rejected, 3 unreadable,\n"
      "4 keys were not given, witnesses were asked for without --log, recomputing was refused\n"
      "(another program certified, the declaration is missing) or could not judge again.");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
