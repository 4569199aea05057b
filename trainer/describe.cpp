#include "trainer/describe.hpp"

#include "attacks/attack.hpp"
#include "attacks/goal_options.hpp"
#include "trainer/datasets/dataset.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/models/model.hpp"
#include "trainer/preprocessors/preprocessor.hpp"
#include "trainer/training_options.hpp"

namespace sweep::trainer {
namespace {

template <class Registry>
Json catalogue() {
  auto names = Json::object();
  for (const auto& [name, entry] : Registry::instance().entries())
    names[name] = {{"summary", entry.summary}, {"schema", to_json(entry.schema)}};
  return names;
}

}  // namespace

Json describe_plugins() {
  return {{"datasets", catalogue<DatasetRegistry>()},
          {"models", catalogue<ModelRegistry>()},
          {"defences", catalogue<DefenceRegistry>()},
          {"preprocessors", catalogue<PreprocessorRegistry>()},
          {"attacks", catalogue<attacks::AttackRegistry>()},
          {"attack_goal", to_json(describe(attacks::goal_options()))},
          {"training", to_json(training_schema())}};
}

}  // namespace sweep::trainer
