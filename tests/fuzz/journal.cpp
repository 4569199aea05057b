// The journal of a run, as the next run reads it and as `status` does.

#include "storage/journal.hpp"
#include "runner/inspect/history.hpp"
#include "runner/inspect/journal_reader.hpp"
#include "tests/fuzz/target.hpp"

using namespace sweep;

namespace {

/// With the artifacts that the seeds name.
inspect::Plan small_plan() {
  inspect::Plan plan;
  for (const char* hash : {"aa", "bb", "cc"}) {
    plan.by_hash.emplace(hash, plan.tasks.size());
    plan.tasks.push_back({.output = {storage::ArtifactKind::model, hash}});
  }
  return plan;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::InputFile input(fuzz::as_text(data, size));
  fuzz::may_refuse([&] {
    storage::for_each_event(input.path(), [](const Json& event) { Json copy = event; });
    const inspect::Plan plan = small_plan();
    inspect::History history(plan);
    inspect::JournalReader reader(input.path());
    reader.poll([&](const JsonNode& event) { history.apply(event); });
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) (void)history.task(i).seconds();
    inspect::utc_text(history.last_time());
  });
  return 0;
}
