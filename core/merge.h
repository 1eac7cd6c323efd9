// Facts of many artifacts brought together.
#pragma once
#include "core/facts.h"

namespace assay {

void append(Facts& into, Facts&& from);                       // kind by kind, in order
void place_facts(Facts& facts, const std::string& artifact);  // sets every empty evidence and problem artifact

}  // namespace assay
