#include "runner/steps/checkpoint.hpp"

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/tasks/tensors.hpp"
#include "storage/artifact_file.hpp"
#include "trainer/training.hpp"

namespace sweep::steps {
namespace {

constexpr std::string_view kTensors = "tensors/";

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
    trainer::TrainingState state;
    const auto text = content.array("progress").values<std::uint8_t>();
    Json::parse(text.begin(), text.end()).get_to(state.progress);
    for (const auto& [name, array] : content.arrays)
      if (name.starts_with(kTensors))
        state.tensors[name.substr(kTensors.size())] = tasks::to_tensor(array);
    return state;
  } catch (const Error& error) {
    if (error.type() != FailureType::bad_data) throw;
    throw InputError(concat(error.what(), "; remove the file to train from the start"));
  }
}

void Checkpoint::save(const trainer::TrainingState& state) const {
  storage::Content content;
  content.attributes["spec"] = spec_.dump();
  // Long histories do not fit into an attribute: the progress is a text in an array of its own.
  const std::string progress = Json(state.progress).dump();
  content.arrays["progress"] =
      storage::Array::own(std::vector<std::uint8_t>(progress.begin(), progress.end()),
                          {static_cast<std::int64_t>(progress.size())});
  for (const auto& [name, tensor] : state.tensors)
    content.arrays[concat(kTensors, name)] = tasks::to_array(tensor);
  storage::write_artifact(path_, content);
}

void Checkpoint::remove() const {
  std::error_code ignored;  // it is of no use any more, and does no harm
  std::filesystem::remove(path_, ignored);
}

}  // namespace sweep::steps
