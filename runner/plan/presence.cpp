#include "runner/plan/presence.hpp"

#include <unordered_map>

namespace sweep::plan {

std::vector<bool> made(const Graph& graph,
                       const std::function<bool(const storage::ArtifactId&)>& is_there) {
  std::vector<bool> made;
  std::unordered_map<std::string, bool> consumed;  // all that needs it is there
  for (const auto& task : graph.tasks) {
    made.push_back(is_there(task.output));
    for (const auto& input : task.inputs) {
      bool& all = consumed.emplace(input.hash, true).first->second;
      all = all && made.back();
    }
  }
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (!graph.tasks[i].temporary) continue;
    const auto found = consumed.find(graph.tasks[i].output.hash);
    if (found != consumed.end() && found->second) made[i] = true;
  }
  return made;
}

}  // namespace sweep::plan
