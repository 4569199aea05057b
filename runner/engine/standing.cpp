#include "runner/engine/standing.hpp"

#include <map>
#include <string>

#include "runner/plan/presence.hpp"
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

}  // namespace

std::vector<Standing> standings(const plan::Graph& graph, const storage::Store& store,
                                const std::filesystem::path& journal,
                                const std::function<void(std::size_t)>& progress) {
  const auto earlier = from_journal(journal);
  std::size_t seen = 0;
  const auto made = plan::made(graph, [&](const storage::ArtifactId& id) {
    progress(seen++);
    return store.verify(id);
  });
  std::vector<Standing> standing;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const storage::ArtifactId& id = graph.tasks[i].output;
    const auto found = earlier.find(id.hash);
    const bool again = found == earlier.end() || id.kind == storage::ArtifactKind::dataset;
    standing.push_back(made[i] ? Standing::done : again ? Standing::open : found->second);
  }
  return standing;
}

}  // namespace sweep::engine
