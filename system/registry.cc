// Every analysis. Tree analyses run in this order: later ones read what earlier ones put into the facts.
#include "system/file.h"
#include "system/tree.h"

#include <array>

namespace assay::system {

// clang-format off
// File analyses, alphabetical: each in the file of its name.
namespace elf_facts { extern const FileAnalysis kElfFacts; }
namespace file_types { extern const FileAnalysis kFileTypes; }
namespace kernel { extern const FileAnalysis kKernel; }
namespace keys { extern const FileAnalysis kKeys; }
namespace outbound { extern const FileAnalysis kOutbound; }
namespace versions { extern const FileAnalysis kVersions; }

// Tree analyses, in the order they run.
namespace mounts { extern const TreeAnalysis kMounts; }
namespace startup { extern const TreeAnalysis kStartup; }
namespace accounts { extern const TreeAnalysis kAccounts; }
namespace credentials { extern const TreeAnalysis kCredentials; }
namespace permissions { extern const TreeAnalysis kPermissions; }
namespace settings { extern const TreeAnalysis kSettings; }
namespace firewall { extern const TreeAnalysis kFirewall; }
namespace packages { extern const TreeAnalysis kPackages; }
namespace boot { extern const TreeAnalysis kBoot; }
namespace update { extern const TreeAnalysis kUpdate; }
namespace services { extern const TreeAnalysis kServices; }
namespace web { extern const TreeAnalysis kWeb; }
namespace leftovers { extern const TreeAnalysis kLeftovers; }
// clang-format on

namespace {

// clang-format off
constexpr const FileAnalysis* kFileAnalyses[] = {
    &elf_facts::kElfFacts,
    &file_types::kFileTypes,
    &kernel::kKernel,
    &keys::kKeys,
    &outbound::kOutbound,
    &versions::kVersions,
};
// clang-format on
// clang-format off
constexpr const TreeAnalysis* kTreeAnalyses[] = {
    &mounts::kMounts,
    &startup::kStartup,
    &accounts::kAccounts,
    &credentials::kCredentials,
    &permissions::kPermissions,
    &settings::kSettings,
    &firewall::kFirewall,
    &packages::kPackages,
    &boot::kBoot,
    &update::kUpdate,
    &services::kServices,
    &web::kWeb,
    &leftovers::kLeftovers,
};
// clang-format on

}  // namespace

std::span<const FileAnalysis* const> file_analyses() { return kFileAnalyses; }
std::span<const TreeAnalysis* const> tree_analyses() { return kTreeAnalyses; }

}  // namespace assay::system
