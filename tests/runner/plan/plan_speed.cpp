// How long it takes to plan a sweep of N trials with two columns: no test, a program to measure
// with. plan_speed [N]

#include <chrono>
#include <iostream>

#include "runner/plan/record.hpp"
#include "tests/runner/plan/example.hpp"

namespace {

using Clock = std::chrono::steady_clock;

double lap(Clock::time_point& since) {
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - since).count();
  since = now;
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace sweep::plan;
  const std::string trials = argc > 1 ? argv[1] : "10000";
  std::string seeds;
  for (int i = 0; i < std::stoi(trials); ++i) seeds += std::to_string(i) + ",";
  auto since = Clock::now();
  const auto document = example_document("[grid]\n\"training.seed\" = [" + seeds + "]\n");
  std::cout << "read " << lap(since) << " s" << std::flush;
  const Sweep sweep = resolve_sweep(document, built_in_catalogue());
  std::cout << ", resolve " << lap(since) << " s" << std::flush;
  const Graph graph = example_graph(sweep);
  std::cout << ", graph " << lap(since) << " s" << std::flush;
  const auto record = plan_record(sweep, graph, "example.toml");
  std::cout << ", record " << lap(since) << " s: " << sweep.trials.size() << " trials, "
            << graph.tasks.size() << " tasks\n";
}
