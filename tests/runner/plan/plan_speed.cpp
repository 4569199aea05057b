// How long it takes to plan a sweep of N trials with two columns: no test, a program to measure
// with. plan_speed [N]

#include <sys/resource.h>

#include <chrono>
#include <iostream>

#include "core/text.hpp"
#include "runner/plan/record.hpp"
#include "tests/runner/plan/example.hpp"

namespace {

using Clock = std::chrono::steady_clock;

/// Seconds since the last lap, and the most memory so far.
std::string lap(Clock::time_point& since) {
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - since).count();
  since = now;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return sweep::concat(sweep::fixed(seconds, 3), " s (", usage.ru_maxrss / 1024, " MB)");
}

}  // namespace

int main(int argc, char** argv) {
  using namespace sweep::plan;
  const std::string trials = argc > 1 ? argv[1] : "10000";
  auto since = Clock::now();
  const auto document =
      example_document("[grid]\n\"training.seed\" = {from = 1, to = " + trials + ", step = 1}\n");
  std::cout << "read " << lap(since);
  const Sweep sweep = resolve_sweep(document, built_in_catalogue());
  std::cout << ", resolve " << lap(since);
  const Graph graph = example_graph(sweep);
  std::cout << ", graph " << lap(since);
  const auto record = plan_record(sweep, graph, "example.toml");
  std::cout << ", record " << lap(since) << ": " << sweep.trials.size() << " trials, "
            << graph.tasks.size() << " tasks\n";
}
