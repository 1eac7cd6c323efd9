// The terminal report: one screen. What was looked at stands before what was found.
#include "report/code_totals.h"
#include "report/report.h"
#include "report/words.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace assay::report {
namespace {

constexpr size_t kMostFindings = 6;

class Screen {
 public:
  Screen(const Examination& examination, const Terminal& how) : e_(examination), how_(how) {}

  std::string print() {
    head();
    contents();
    coverage();
    findings();
    tail();
    return std::move(out_);
  }

 private:
  std::string paint(const char* code, std::string_view text) const {
    return how_.color ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
  }
  std::string severity(Severity s) const {
    constexpr const char* kCodes[] = {"2", "36", "33", "31", "1;31"};
    return paint(kCodes[static_cast<size_t>(s)], fmt::format("{:<8}", name_of(s)));
  }
  void line(const std::string& text = {}) { out_ += text + "\n"; }

  // Words wrapped to the width, each line behind `indent`; at most `most` lines.
  void paragraph(std::string_view text, const std::string& indent, size_t most = 3) {
    std::string current = indent;
    size_t count = 0;
    for (const std::string_view word : words(text)) {
      if (current.size() + word.size() + 1 > how_.width && current.size() > indent.size()) {
        if (++count == most) return line(current + " …");
        line(current);
        current = indent;
      }
      if (current.size() > indent.size()) current += ' ';
      current += word;
    }
    if (current.size() > indent.size()) line(current);
  }

  void head() {
    line(fmt::format("{}  {}  sha256 {}", paint("1", escape(e_.name)), human_size(e_.size),
                     e_.sha256.hex().substr(0, 16)));
  }

  // The containers from the outside in, each once, with what identifies the system.
  void contents() {
    std::vector<std::string> formats;
    std::set<std::string> seen;
    std::map<std::string, size_t> times;
    for (const Artifact& a : e_.artifacts)
      if (!a.format.empty() && (a.node.kind == Kind::kImage || a.node.kind == Kind::kPart)) {
        ++times[a.format];
        if (seen.insert(a.format).second) formats.push_back(a.format);
      }
    std::string chain;
    for (const std::string& format : formats) {
      chain += (chain.empty() ? "" : ", ") + format;
      if (times[format] > 1) chain += fmt::format(" ×{}", times[format]);
    }
    if (!chain.empty()) paragraph("holds  " + chain, "  ", 2);
    system_line();
  }

  void system_line() {
    std::map<std::string, size_t> machines;
    for (const Elf& elf : e_.facts.elf)
      ++machines[fmt::format("{} {}-bit {}-endian", elf.machine, elf.bits, elf.byte_order)];
    std::string text;
    if (!machines.empty()) {
      const auto most = std::ranges::max_element(machines, {}, [](const auto& m) { return m.second; });
      text = most->first;
    }
    for (const Component& c : e_.facts.components)
      if (c.how == "kernel") {
        text += fmt::format("{}Linux {}", text.empty() ? "" : ", ", escape(c.version));
        break;
      }
    const auto services = std::ranges::count_if(e_.facts.services, &Service::started);
    text += fmt::format("{}{} files, {} programs and libraries, {} components, {} services started, {} accounts",
                        text.empty() ? "" : "; ", e_.files.total, e_.facts.elf.size(), e_.facts.components.size(),
                        services, e_.facts.accounts.size());
    paragraph("system " + text, "  ", 2);
  }

  void coverage() {
    const ByteCount& b = e_.bytes;
    const auto percent = [&](uint64_t n) {
      return b.total ? 100.0 * static_cast<double>(n) / static_cast<double>(b.total) : 0.0;
    };
    line();
    std::string bytes =
        fmt::format("looked at  {:.2f} % of {} bytes", percent(b.total - b.unknown - b.encrypted), b.total);
    bytes += fmt::format(" (content {:.1f} %, headers {:.1f} %, padding {:.1f} %)", percent(b.content),
                         percent(b.header), percent(b.padding));
    line(bytes);
    if (b.unknown > 0) line(fmt::format("           unknown {}{}", human_size(b.unknown), largest(Range::kUnknown)));
    unknown_ranges();
    if (b.encrypted > 0)
      line("           " + paint("1;31", fmt::format("encrypted {}", human_size(b.encrypted))) +
           ": not examinable without the key");
    line(fmt::format("           {} of {} files read", e_.files.read, e_.files.total));
    code();
    not_read();
    if (!e_.complete)
      for (const std::string& reason : e_.incomplete_because)
        paragraph(paint("1;33", "incomplete") + ": " + escape(reason), "           ", 2);
  }

  void not_read() {
    if (e_.facts.problems.empty()) return;
    const Problem& first = e_.facts.problems[0];
    const size_t more = e_.facts.problems.size() - 1;
    paragraph(fmt::format("not read {}: {}{}{}", full_way(e_, first.artifact), escape(first.what),
                          first.offset > 0 ? fmt::format(" (at {:#x})", first.offset) : "",
                          more > 0 ? fmt::format("; and {} more, in --json and --html", more) : ""),
              "           ", 2);
  }

  void code() {
    const CodeTotals t = code_totals(e_.facts);
    if (!t.read) return line("           code of programs not read (--no-code)");
    if (t.programs == 0) return;
    const CodeUnit& s = t.sum;
    line(fmt::format("           code of {} of {} programs: {} functions, {} instructions, {} bytes undecodable",
                     t.programs - t.unread, t.programs, s.functions, s.instructions, s.undecodable));
    line(fmt::format("           resolved {} of {} indirect jumps, {} of {} indirect calls", s.indirect_jumps_resolved,
                     s.indirect_jumps, s.indirect_calls_resolved, s.indirect_calls));
  }

  // What lies in the input as it is: inside decoded streams nothing of the input is left to account for.
  std::vector<const Artifact*> plain_artifacts() const {
    std::vector<const Artifact*> found;
    std::vector<bool> plain(e_.artifacts.size());
    for (size_t i = 0; i < e_.artifacts.size(); ++i) {
      const Artifact& a = e_.artifacts[i];
      plain[i] = a.node.kind == Kind::kImage || (a.node.kind == Kind::kPart && a.codec.empty() && a.parent >= 0 &&
                                                 plain[static_cast<size_t>(a.parent)]);
      if (plain[i]) found.push_back(&a);
    }
    return found;
  }

  // The largest few, with what they look like; the reports that machines and browsers read have all of them.
  void unknown_ranges() {
    constexpr size_t kShown = 3;
    constexpr uint64_t kWorthALine = 4096;
    std::set<std::string_view> plain;
    for (const Artifact* a : plain_artifacts()) plain.insert(a->way);
    std::vector<const UnknownRange*> ranges;
    for (const UnknownRange& u : e_.facts.unknown_ranges)
      if (u.size >= kWorthALine && plain.contains(u.at.artifact)) ranges.push_back(&u);
    std::ranges::stable_sort(ranges, std::ranges::greater(), &UnknownRange::size);
    for (size_t i = 0; i < std::min(kShown, ranges.size()); ++i) {
      const UnknownRange& u = *ranges[i];
      paragraph(fmt::format("{}+{:#x}, {}: {}", full_way(e_, u.at.artifact), u.at.offset, human_size(u.size),
                            escape(u.at.shows)),
                "             ", 2);
    }
  }

  std::string largest(Range range) const {
    uint64_t most = 0;
    std::string where;
    for (const Artifact* a : plain_artifacts())
      for (const Span& span : a->spans)
        if (span.range == range && span.length > most)
          most = span.length, where = fmt::format("{}+{:#x}", full_way(e_, a->way), span.offset);
    return most ? fmt::format(", the largest {} at {}", human_size(most), where) : "";
  }

  // One finding a line or two: what and where; the command beneath shows it in full.
  void findings() {
    std::array<size_t, 5> counts{};
    for (const Finding& f : e_.findings) ++counts[static_cast<size_t>(f.severity)];
    line();
    line(fmt::format("found  {} critical, {} high, {} medium, {} low, {} notes", counts[4], counts[3], counts[2],
                     counts[1], counts[0]));
    size_t shown = 0;
    for (const Finding& f : e_.findings) {
      if (shown == kMostFindings || (f.severity < Severity::kMedium && shown > 0)) break;
      ++shown;
      line(fmt::format("{} {}  {}", severity(f.severity), f.id, paint("1", escape(f.title))));
      paragraph(escape(shortened(f.claim)), "         ", 2);
    }
    if (shown == 0) return;
    line();
    const size_t all = e_.findings.size();
    line(fmt::format("assay show {} {}  shows the evidence; --html FILE writes {} as a page", image(),
                     e_.findings[0].id, all == 1 ? "the finding" : fmt::format("all {} findings", all)));
  }

  std::string image() const { return how_.image.empty() ? escape(e_.name) : how_.image; }

  // The way of the volume with the most files is long and stands in almost every claim.
  std::string shortened(std::string claim) const {
    const std::string& volume = largest_volume();
    for (size_t at = 0; volume.size() > 1 && (at = claim.find(volume, at)) != std::string::npos;)
      claim.replace(at, volume.size(), "/");
    return claim;
  }
  const std::string& largest_volume() const {
    if (!volume_known_) {
      std::map<int32_t, size_t> files;
      for (const Artifact& a : e_.artifacts)
        if (a.node.kind != Kind::kPart && a.parent >= 0) ++files[a.parent];
      const auto most = std::ranges::max_element(files, {}, [](const auto& entry) { return entry.second; });
      if (most != files.end()) {
        const Artifact& container = e_.artifacts[static_cast<size_t>(most->first)];
        if (container.format != "directory")
          volume_ = container.way.empty() ? container.format + "/" : container.way + "/" + container.format + "/";
      }
      volume_known_ = true;
    }
    return volume_;
  }

  void tail() {
    std::string missing;
    for (const std::string& protection : e_.sandbox)
      if (protection.starts_with("no ")) missing += (missing.empty() ? "" : "; ") + protection;
    if (!missing.empty()) line("workers ran with less protection than meant: " + missing);
    if (!largest_volume().empty()) line("/ stands for " + full_way(e_, largest_volume()));
    line(fmt::format("assay {}, {} checks, as of {}. No finding is no proof that there is nothing.", e_.tool_version,
                     e_.rules.size(), e_.as_of));
  }

  const Examination& e_;
  const Terminal& how_;
  std::string out_;
  mutable std::string volume_;
  mutable bool volume_known_ = false;
};

}  // namespace

std::string terminal(const Examination& examination, const Terminal& how) { return Screen(examination, how).print(); }

std::string finding(const Examination& examination, const Finding& f, const Terminal& how) {
  std::string out = fmt::format("{}  {}  {} ({})\n", f.id, name_of(f.severity), escape(f.title), f.rule);
  out += fmt::format("  {}\n  confidence: {}", escape(f.claim), name_of(f.confidence));
  for (const uint32_t cwe : f.cwe) out += fmt::format(", CWE-{}", cwe);
  for (const std::string& requirement : f.requirements) out += ", " + requirement;
  out += "\n";
  for (const Rule& rule : examination.rules)
    if (rule.id == f.rule)
      out += fmt::format("  means: {}\n  misses: {}\n  mistakes: {}\n", rule.means, rule.misses, rule.mistakes);
  for (const Evidence& evidence : f.evidence) {
    out += fmt::format("\n  {}+{:#x}", full_way(examination, evidence.artifact), evidence.offset);
    if (evidence.length > 0) out += fmt::format(", {} bytes", evidence.length);
    out += fmt::format("\n    {}\n    $ {}\n", escape(evidence.shows), command_for(examination, evidence, how.image));
  }
  return out + "\n";
}

}  // namespace assay::report
