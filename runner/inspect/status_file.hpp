#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sweep::inspect {

/// What a rank does at this moment.
struct RankStatus {
  std::int64_t rank = 0;
  std::string host, device;
  std::string state;  ///< idle, busy, held, lost, out
  std::string label;  ///< of its task
  std::string text;   ///< "epoch 4/10 loss 1.2345 850 images/s"
  std::string log;
  std::int64_t attempt = 0;
  std::optional<std::int64_t> task;  ///< index in the plan
  std::optional<double> fraction, since_s, loss, images_per_second, memory_bytes;
  std::optional<std::int64_t> epoch;
};

/// status.json: what only the coordinator knows.
struct StatusFile {
  bool there = false;
  std::string state;  ///< running, draining, finished, interrupted, failed
  std::string host;
  std::int64_t pid = 0;
  std::int64_t time = 0;   ///< when it was written, seconds since 1970; 0: not known
  std::int64_t epoch = 0;  ///< number of the run
  std::optional<double> elapsed_s, eta_s;
  std::vector<RankStatus> ranks;
};

/// Of a run that does not write its status for so long nobody knows whether it lives.
inline constexpr std::int64_t kDiedAfterSeconds = 30;

/// It says so, and said it a moment ago.
bool is_active(const StatusFile& status);

/// Keys that are missing keep their defaults; a file that is not there is not `there`.
/// @throws InputError naming the key of another type
StatusFile read_status(const std::filesystem::path& path);

}  // namespace sweep::inspect
