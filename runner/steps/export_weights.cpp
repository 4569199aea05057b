#include <ATen/ATen.h>

#include <iostream>
#include <string_view>

#include "core/text.hpp"
#include "runner/steps/output.hpp"
#include "runner/steps/steps.hpp"
#include "runner/tasks/tensors.hpp"
#include "storage/artifact_file.hpp"
#include "trainer/tensors.hpp"
#include "trainer/weights/weights.hpp"

namespace sweep::steps {

ExitCode export_weights(const ExportRequest& request) {
  check_output(request.out, {request.model});
  const storage::Content content = storage::read_artifact(request.model);
  constexpr std::string_view kState = "state/";
  trainer::NamedTensors state;
  for (const auto& [name, array] : content.arrays)
    if (name.starts_with(kState)) state[name.substr(kState.size())] = tasks::to_tensor(array);
  if (state.empty())
    throw InputError(concat("'", request.model.string(),
                            "' holds no model (a sweep keeps its models in "
                            "OUT/artifacts/model/); give one of those files"));
  trainer::write_safetensors(request.out, state);
  const Json spec = Json::parse(content.attributes.value("spec", "{}"), nullptr, false);
  std::cout << "wrote " << request.out.string() << " (" << state.size() << " tensors; model "
            << (spec.is_object() ? spec.value("model", Json::object()).dump()
                                 : "of unknown options")
            << ", classes " << content.attributes.value("class_names", "unknown") << ")\n";
  return ExitCode::ok;
}

}  // namespace sweep::steps
