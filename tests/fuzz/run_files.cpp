// The other files of a run's folder: plan.json, status.json, and requests in control/.

#include "runner/engine/control.hpp"
#include "runner/inspect/plan.hpp"
#include "runner/inspect/status_file.hpp"
#include "runner/report/plan_file.hpp"
#include "tests/fuzz/target.hpp"

using namespace sweep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::as_text(data, size));
  const fuzz::InputFile input(text);
  fuzz::may_refuse([&] {
    const inspect::Plan plan = inspect::read_plan(input.path());
    for (const auto& trial : plan.trials) inspect::needed_tasks(plan, trial);
  });
  fuzz::may_refuse([&] { report::read_plan(input.path(), "input"); });
  fuzz::may_refuse([&] { inspect::read_status(input.path()); });
  engine::parse_request(text);
  return 0;
}
