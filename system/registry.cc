// Every analysis. Tree analyses run in this order: later ones read what earlier ones put into the facts.
#include "system/file.h"
#include "system/tree.h"

#include <array>

namespace assay::system {

// File analyses, alphabetical: each in the file of its name.
extern const FileAnalysis kElfFacts;
extern const FileAnalysis kFileTypes;
extern const FileAnalysis kKernel;
extern const FileAnalysis kKeys;
extern const FileAnalysis kOutbound;
extern const FileAnalysis kVersions;

// Tree analyses, in the order they run.
extern const TreeAnalysis kMounts;
extern const TreeAnalysis kStartup;
extern const TreeAnalysis kAccounts;
extern const TreeAnalysis kCredentials;
extern const TreeAnalysis kPermissions;
extern const TreeAnalysis kSettings;
extern const TreeAnalysis kFirewall;
extern const TreeAnalysis kPackages;
extern const TreeAnalysis kBoot;
extern const TreeAnalysis kUpdate;
extern const TreeAnalysis kServices;
extern const TreeAnalysis kWeb;
extern const TreeAnalysis kLeftovers;

namespace {

// clang-format off
constexpr const FileAnalysis* kFileAnalyses[] = {
    &kElfFacts,
    &kFileTypes,
    &kKernel,
    &kKeys,
    &kOutbound,
    &kVersions,
};
// clang-format on
// clang-format off
constexpr const TreeAnalysis* kTreeAnalyses[] = {
    &kMounts,
    &kStartup,
    &kAccounts,
    &kCredentials,
    &kPermissions,
    &kSettings,
    &kFirewall,
    &kPackages,
    &kBoot,
    &kUpdate,
    &kServices,
    &kWeb,
    &kLeftovers,
};
// clang-format on

}  // namespace

std::span<const FileAnalysis* const> file_analyses() { return kFileAnalyses; }
std::span<const TreeAnalysis* const> tree_analyses() { return kTreeAnalyses; }

}  // namespace assay::system
