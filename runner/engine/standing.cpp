#include "runner/engine/standing.hpp"

#include <map>
#include <string>

#include "storage/journal.hpp"

namespace sweep::engine {
namespace {

/// What the last event of each artifact means for the next run.
std::map<std::string, Standing> from_journal(const std::filesystem::path& journal) {
  std::map<std::string, Standing> standing;
  storage::for_each_event(journal, [&](const Json& event) {
    const Json what = event.value("event", Json()), artifact = event.value("artifact", Json());
    if (!what.is_string() || !artifact.is_string()) return;
    Standing& state = standing[artifact.get<std::string>()];
    const Json final = event.value("final", Json(false));
    state = what == "failed" && final == true ? Standing::failed
            : what == "cancelled"             ? Standing::cancelled
            : what == "pruned"                ? Standing::pruned
                                              : Standing::open;
  });
  return standing;
}

/// Temporary artifacts count as done when all that is made of them is.
void finish_temporary(const plan::Graph& graph, std::vector<Standing>& standing) {
  std::map<storage::ArtifactId, bool> consumed;
  for (std::size_t i = 0; i < graph.tasks.size(); ++i)
    for (const auto& input : graph.tasks[i].inputs) {
      const auto known = consumed.emplace(input, true).first;
      known->second = known->second && standing[i] == Standing::done;
    }
  for (std::size_t i = 0; i < graph.tasks.size(); ++i)
    if (graph.tasks[i].temporary && consumed[graph.tasks[i].output]) standing[i] = Standing::done;
}

}  // namespace

std::vector<Standing> standings(const plan::Graph& graph, const storage::Store& store,
                                const std::filesystem::path& journal,
                                const std::function<void(std::size_t)>& progress) {
  const auto earlier = from_journal(journal);
  std::vector<Standing> standing;
  for (const auto& task : graph.tasks) {
    progress(standing.size());
    const auto found = earlier.find(task.output.hash);
    const bool again = found == earlier.end() || task.output.kind == storage::ArtifactKind::dataset;
    standing.push_back(store.verify(task.output) ? Standing::done
                       : again                   ? Standing::open
                                                 : found->second);
  }
  finish_temporary(graph, standing);
  return standing;
}

}  // namespace sweep::engine
