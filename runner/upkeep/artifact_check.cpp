#include "runner/upkeep/artifact_check.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"
#include "storage/artifact_file.hpp"

namespace sweep::upkeep {
namespace {

using storage::ArtifactId;
using storage::ArtifactKind;

/// Keys of a spec that name artifacts, and the kind that they name. A model's spec has its own
/// options under "model".
constexpr std::array<std::pair<const char*, ArtifactKind>, 6> kInputKeys{{
    {"dataset", ArtifactKind::dataset},
    {"model", ArtifactKind::model},
    {"teacher", ArtifactKind::model},
    {"preprocessor", ArtifactKind::preprocessor},
    {"adversarial_set", ArtifactKind::adversarial_set},
    {"adversarial_sets", ArtifactKind::adversarial_set},
}};

std::string text_of(const Json& attributes, const char* key) {
  const auto found = attributes.find(key);
  return found != attributes.end() && found->is_string() ? found->get<std::string>() : "";
}

Fault fault_of(const Error& error) {
  return {error.type() == FailureType::storage ? "unreadable" : "damaged", error.what()};
}

/// The fault of a file's checksum. Several threads may ask.
std::optional<Fault> checksum_fault(const std::filesystem::path& path) {
  try {
    storage::verify_checksum(path);
    return std::nullopt;
  } catch (const Error& error) {
    return fault_of(error);
  }
}

#ifdef __SANITIZE_ADDRESS__
// Files are opened in child processes. The sanitizer's allocator is locked for ever in one that was
// forked while another thread allocated (GCC 12).
constexpr std::size_t kMostThreads = 0;
#else
constexpr std::size_t kMostThreads = std::numeric_limits<std::size_t>::max();
#endif

/// Verifies checksums on threads of its own, and gives the results to one that has the time.
class Verifier {
 public:
  Verifier(std::vector<std::filesystem::path> paths, int jobs) : paths_(std::move(paths)) {
    const auto useful = std::clamp<std::size_t>(paths_.size(), 1, static_cast<std::size_t>(jobs));
    for (std::size_t i = 0; i < std::min(useful, kMostThreads); ++i)
      threads_.emplace_back([this] {
        while (verify_next()) continue;
      });
  }
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;
  ~Verifier() {
    next_ = paths_.size();
    for (auto& thread : threads_) thread.join();
  }

  /// The next file that is done: its index and its fault.
  std::pair<std::size_t, std::optional<Fault>> wait() {
    if (threads_.empty()) verify_next();
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !done_.empty(); });
    auto first = std::move(done_.front());
    done_.pop_front();
    return first;
  }

 private:
  /// @return whether there was one left
  bool verify_next() {
    const std::size_t i = next_++;
    if (i >= paths_.size()) return false;
    auto fault = checksum_fault(paths_[i]);
    const std::lock_guard lock(mutex_);
    done_.emplace_back(i, std::move(fault));
    arrived_.notify_one();
    return true;
  }

  std::vector<std::filesystem::path> paths_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::pair<std::size_t, std::optional<Fault>>> done_;
  std::vector<std::thread> threads_;
};

/// `open` looks into the file with this index, whose checksum is right.
template <class Found, class Open>
std::vector<CheckResult> check_all(const std::vector<Found>& files, int jobs,
                                   const OnProgress& on_progress, Open open) {
  Progress progress{.all_files = files.size()};
  std::vector<std::filesystem::path> paths;
  for (const auto& file : files) {
    paths.push_back(file.path);
    progress.all_bytes += file.bytes;
  }
  std::vector<CheckResult> results(files.size());
  Verifier verifier(paths, jobs);
  for (; progress.files < files.size(); ++progress.files) {
    auto [i, fault] = verifier.wait();
    try {
      results[i] = fault ? CheckResult{std::move(fault), Json()} : open(files[i]);
    } catch (const Error& error) {
      results[i].fault = fault_of(error);
    }
    progress.bytes += files[i].bytes;
    if (on_progress) on_progress(progress);
  }
  return results;
}

}  // namespace

CheckResult check_identity(const ArtifactId& id, const Json& attributes) {
  const auto misnamed = [](const std::string& why) {
    return CheckResult{Fault{"misnamed", why}, Json()};
  };
  const std::string text = text_of(attributes, "spec");
  if (text_of(attributes, "name") != id.hash)
    return misnamed(concat("it says that its name is '", text_of(attributes, "name"), "'"));
  if (sha256(text) != id.hash) return misnamed("its name is not the SHA-256 of its spec");
  Json spec = parse_untrusted(text);
  const auto kind = to_string(id.kind);
  if (!spec.is_object() || text_of(spec, "kind") != kind || text_of(attributes, "kind") != kind)
    return misnamed(concat("it says that it is of the kind '", text_of(attributes, "kind"), "'"));
  return {std::nullopt, std::move(spec)};
}

std::vector<CheckResult> check_artifacts(const std::vector<FoundArtifact>& artifacts, int jobs,
                                         const OnProgress& on_progress) {
  return check_all(artifacts, jobs, on_progress, [](const FoundArtifact& artifact) {
    return check_identity(artifact.id, storage::inspect_artifact(artifact.path));
  });
}

std::vector<CheckResult> check_checkpoints(const std::vector<FoundCheckpoint>& checkpoints,
                                           int jobs, const OnProgress& on_progress) {
  return check_all(checkpoints, jobs, on_progress, [](const FoundCheckpoint& checkpoint) {
    storage::inspect_artifact(checkpoint.path);
    return CheckResult{};
  });
}

std::vector<ArtifactId> inputs_of(const Json& spec) {
  std::vector<ArtifactId> inputs;
  for (const auto& [key, kind] : kInputKeys) {
    const auto found = spec.find(key);
    if (found == spec.end()) continue;
    for (const auto& value : found->is_array() ? *found : Json::array({*found}))
      if (value.is_string() && is_hash(value.get<std::string>()))
        inputs.push_back({kind, value.get<std::string>()});
  }
  return inputs;
}

ArtifactId set_of_shard(Json spec) {
  spec.erase("first");
  spec.erase("count");
  spec["kind"] = to_string(ArtifactKind::adversarial_set);
  return {ArtifactKind::adversarial_set, sha256(spec.dump())};
}

}  // namespace sweep::upkeep
