// How far the machine code of all programs could be read, in sums.
#pragma once
#include "core/finding.h"

namespace assay::report {

struct CodeTotals {
  bool read = true;                   // false: there are programs, but nobody looked at their code
  uint64_t programs = 0, unread = 0;  // unread: of them not a word could be read
  CodeUnit sum;                       // processor, unread and at stay empty
};

inline CodeTotals code_totals(const Facts& facts) {
  CodeTotals out;
  for (const CodeUnit& u : facts.code) {
    ++out.programs;
    if (u.processor.empty()) ++out.unread;
    out.sum.functions += u.functions;
    out.sum.instructions += u.instructions;
    out.sum.bytes += u.bytes;
    out.sum.undecodable += u.undecodable;
    out.sum.indirect_jumps += u.indirect_jumps;
    out.sum.indirect_jumps_resolved += u.indirect_jumps_resolved;
    out.sum.indirect_calls += u.indirect_calls;
    out.sum.indirect_calls_resolved += u.indirect_calls_resolved;
  }
  out.read = facts.elf.empty() || !facts.code.empty();
  return out;
}

}  // namespace assay::report
