// Random policies and evidence of few fields and values, so that conditions meet them. What reads it is a fixed share;
// ASSAY_WORLDS raises the number (./dev bench verdicts).
#pragma once
#include "certify/policy.h"

#include <cstdlib>
#include <random>

namespace assay::certify::test {

inline int worlds() {
  const char* asked = std::getenv("ASSAY_WORLDS");
  return asked != nullptr ? std::atoi(asked) : 400;
}

struct Random {
  std::mt19937 engine;
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(engine() % n); }
  template <class T, size_t N>
  T one_of(const T (&list)[N]) {
    return list[below(N)];
  }
  std::string value() {
    const char* const kValues[] = {"yes", "no", "unknown", "1", "2", ""};
    return one_of(kValues);
  }
  Record record() {
    const char* const kConfidences[] = {"possible", "likely", "certain"};
    const char* const kRules[] = {"r.one", "r.two", "r.three"};
    const char* const kDays[] = {"2026-10-20", "2026-01-01", ""};
    return make_record({{"a", value()},
                        {"b", value()},
                        {"day", one_of(kDays)},
                        {"rule", one_of(kRules)},
                        {"confidence", one_of(kConfidences)},
                        {"n", std::to_string(engine())}});
  }
  Evidences evidence() {
    Evidences e;
    e.as_of = "2026-11-01";
    for (const char* name : {"findings", "services", "elf", "declaration.services", "observed_ports.tcp"}) {
      if (below(12) == 0) continue;
      Collection& c = e.collections[name];
      c.complete = below(4) > 0;
      for (uint32_t n = below(4); n > 0; --n) c.records.push_back(record());
    }
    for (const char* rule : {"r.one", "r.two", "r.three"})
      if (below(8) > 0) e.rules.emplace_back(rule);
    const char* const kClasses[] = {"", "cpe-router", "olt"};
    e.network_class = one_of(kClasses);
    return e;
  }
  std::string condition() {
    const char* const kFields[] = {"a", "b", "rule", "day"};
    const std::string field = one_of(kFields);
    if (field == "day") return "days_since(day) <= 30";
    if (field == "rule") return below(2) ? "rule == r.one" : "rule in (r.one, r.two)";
    const char* const kOps[] = {" == yes", " != no", " ^= y", " in (yes, 1)", " <= 1", " > 1"};
    return field + one_of(kOps);
  }
  std::string conditions() { return condition() + (below(2) ? " and " + condition() : ""); }
  std::string test() {
    const char* const kCollections[] = {"findings", "services", "elf", "observed_ports.tcp"};
    const std::string collection = one_of(kCollections);
    const bool adverse = is_adverse(collection);
    const std::string of = collection + (below(4) ? "[" + conditions() + "]" : "");
    std::string rest = below(3) == 0 ? ", needs: [declaration.services]" : "";
    if (collection == "findings" && below(2)) rest += ", confidence: likely";
    if (below(4) == 0) rest += ", minus: declaration.services, by: [a]";
    switch (below(adverse ? 3 : 6)) {
      case 0:
        return "{none: '" + of + "'" + rest + "}";
      case 1:
        return "{count: '" + of + "', op: '" + (below(2) ? "<" : "<=") + "', value: " + std::to_string(1 + below(2)) +
               rest + "}";
      case 2:
        return "{all: '" + of + "', holding: '" + conditions() + "'" + rest + "}";
      case 3:
        return "{any: '" + of + "'" + rest + "}";
      case 4:
        return "{count: '" + of + "', op: '" + (below(2) ? ">" : ">=") + "', value: " + std::to_string(below(3)) +
               rest + "}";
      default:
        return "{ratio: '" + of + "', holding: '" + conditions() +
               "', op: '>=', value: " + std::to_string(below(1001)) + rest + "}";
    }
  }
  std::string policy() {
    std::string out =
        "apiVersion: assay/v1\nkind: CertificationPolicy\nmetadata: {name: p, version: 1}\n"
        "decision: {level: L, validity_days: 10, most_inconclusive: " +
        std::to_string(below(4)) + "}\nrequirements:\n";
    for (uint32_t n = 0; n < 4; ++n) {
      out += "  - ref: R" + std::to_string(n) + "\n";
      if (below(4) == 0) out += "    severity: advisory\n";
      if (below(4) == 0) out += "    classes: [cpe-router]\n";
      if (below(6) == 0) continue;
      out += "    check:\n";
      for (uint32_t tests = 1 + below(2); tests > 0; --tests) out += "      - " + test() + "\n";
    }
    return out;
  }
};

}  // namespace assay::certify::test
