#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "core/atomic_file.hpp"

namespace sweep::tensorboard {

/// A file of scalars that TensorBoard reads, in records of the format TFRecord. A record is written
/// by one call, so that a crash leaves at most the last one torn, which TensorBoard skips. See
/// docs/decisions/006-tensorboard-files.md.
class EventFile {
 public:
  /// Creates the folder and a new file in it, events.out.tfevents.SECONDS.HOST.PID.COUNT: after a
  /// restart TensorBoard goes on with the newer one. @throws Error{storage}
  explicit EventFile(const std::filesystem::path& folder);

  /// @param step       of the training: the horizontal axis
  /// @param wall_time  seconds since 1970
  /// @param scalars    by tag, "loss/total"; NaN and infinities are shown as such, all are rounded
  ///                   to float32
  /// @throws Error{storage}; the file then is as before
  void add_scalars(std::int64_t step, double wall_time,
                   const std::map<std::string, double>& scalars);

  const std::filesystem::path& path() const { return path_; }

 private:
  void write(const std::string& event);

  std::filesystem::path path_;
  FileDescriptor file_;
  std::int64_t size_ = 0;  ///< bytes of whole records
};

}  // namespace sweep::tensorboard
