#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "runner/upkeep/store_scan.hpp"
#include "storage/store.hpp"

namespace sweep::upkeep {

/// What is wrong with a file.
struct Fault {
  std::string code;  ///< "damaged", "misnamed", "unreadable"
  std::string why;   ///< "its checksum does not match"
};

/// A file after its check.
struct CheckResult {
  std::optional<Fault> fault;
  Json spec;  ///< what the artifact was made from; null for checkpoints and faulty files
};

/// How far a long check has come.
struct Progress {
  std::size_t files = 0, all_files = 0;
  std::uintmax_t bytes = 0, all_bytes = 0;
};
using OnProgress = std::function<void(const Progress& progress)>;

/// Checks that the artifact says of itself that it is `id`: its kind, its name, and that its name
/// is the SHA-256 of its spec. `attributes` may come from anywhere.
CheckResult check_identity(const storage::ArtifactId& id, const Json& attributes);

/// Checks every artifact: checksum, HDF5, identity. Reads on `jobs` threads, changes nothing, and
/// no file can harm this process. `on_progress` is called by this thread.
std::vector<CheckResult> check_artifacts(const std::vector<FoundArtifact>& artifacts, int jobs,
                                         const OnProgress& on_progress);

/// The same for checkpoints, whose identity nothing says.
std::vector<CheckResult> check_checkpoints(const std::vector<FoundCheckpoint>& checkpoints,
                                           int jobs, const OnProgress& on_progress);

/// The artifacts that a spec names.
std::vector<storage::ArtifactId> inputs_of(const Json& spec);

/// The set that a shard with this spec is a part of. @throws Json::exception when it is not one
storage::ArtifactId set_of_shard(Json spec);

}  // namespace sweep::upkeep
