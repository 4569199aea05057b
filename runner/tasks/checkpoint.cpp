#include "runner/tasks/checkpoint.hpp"

#include <ATen/ATen.h>

#include <string_view>

#include "core/text.hpp"
#include "runner/tasks/tensors.hpp"
#include "trainer/training.hpp"

namespace sweep::tasks {
namespace {

constexpr std::string_view kTensors = "tensors/";

}  // namespace

storage::Content checkpoint_content(const trainer::TrainingState& state) {
  storage::Content content;
  // Long histories do not fit into an attribute: the progress is a text in an array of its own.
  const std::string progress = Json(state.progress).dump();
  content.arrays["progress"] =
      storage::Array::own(std::vector<std::uint8_t>(progress.begin(), progress.end()),
                          {static_cast<std::int64_t>(progress.size())});
  for (const auto& [name, tensor] : state.tensors)
    content.arrays[concat(kTensors, name)] = to_array(tensor);
  return content;
}

trainer::TrainingState training_state(const storage::Content& content) {
  trainer::TrainingState state;
  const auto text = content.array("progress").values<std::uint8_t>();
  Json::parse(text.begin(), text.end()).get_to(state.progress);
  for (const auto& [name, array] : content.arrays)
    if (name.starts_with(kTensors)) state.tensors[name.substr(kTensors.size())] = to_tensor(array);
  return state;
}

}  // namespace sweep::tasks
