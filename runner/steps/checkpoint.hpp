#pragma once

#include <filesystem>
#include <optional>

#include "core/json.hpp"

namespace sweep::trainer {
struct TrainingState;
}

namespace sweep::steps {

/// An unfinished training, in a file beside the one that it will write.
class Checkpoint {
 public:
  /// @param spec  all that the training follows from
  Checkpoint(const std::filesystem::path& out, Json spec);

  const std::filesystem::path& path() const { return path_; }

  /// What save() has left, or nothing. @throws InputError when it is of another training or damaged
  std::optional<trainer::TrainingState> read() const;
  void save(const trainer::TrainingState& state) const;
  void remove() const;

 private:
  std::filesystem::path path_;
  Json spec_;
};

}  // namespace sweep::steps
