#include "runner/steps/checkpoint.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/tasks/checkpoint.hpp"
#include "storage/artifact_file.hpp"
#include "trainer/training.hpp"

namespace sweep::steps {
namespace {

/// The keys, dotted, whose values are not the same.
std::vector<std::string> differences(const Json& a, const Json& b) {
  std::vector<std::string> keys;
  for (const auto& change : Json::diff(a, b)) {
    std::string key = change.at("path").get<std::string>();
    for (char& c : key)
      if (c == '/') c = '.';
    keys.push_back(key.substr(std::min<std::size_t>(1, key.size())));
  }
  return keys;
}

}  // namespace

Checkpoint::Checkpoint(const std::filesystem::path& out, Json spec)
    : path_(out.string() + ".checkpoint.h5"), spec_(std::move(spec)) {}

std::optional<trainer::TrainingState> Checkpoint::read() const {
  if (!std::filesystem::exists(path_)) return std::nullopt;
  try {
    const storage::Content content = storage::read_artifact(path_);
    const Json spec = Json::parse(content.attributes.at("spec").get<std::string>());
    if (const auto keys = differences(spec, spec_); !keys.empty())
      throw InputError(
          concat("'", path_.string(), "' is the checkpoint of another training (", join(keys, ", "),
                 "); go on with that one's options, remove the file, or choose another "
                 "--out"));
    return tasks::training_state(content);
  } catch (const Error& error) {
    if (error.type() != FailureType::bad_data) throw;
    throw InputError(concat(error.what(), "; remove the file to train from the start"));
  }
}

void Checkpoint::save(const trainer::TrainingState& state) const {
  storage::Content content = tasks::checkpoint_content(state);
  content.attributes["spec"] = spec_.dump();
  storage::write_artifact(path_, content);
}

void Checkpoint::remove() const {
  std::error_code ignored;  // it is of no use any more, and does no harm
  std::filesystem::remove(path_, ignored);
}

}  // namespace sweep::steps
