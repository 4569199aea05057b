#include "runner/upkeep/journal_check.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <string_view>
#include <vector>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/inspect/journal_reader.hpp"

namespace sweep::upkeep {
namespace {

/// Calls `on_event` with what has the form of an event. Returns what is wrong with other lines.
std::vector<std::string> read_events(const std::filesystem::path& path,
                                     const std::function<void(const JsonNode&)>& on_event) {
  inspect::JournalReader reader(path);
  reader.poll([&](const JsonNode& event) {
    event.at("event").text();
    if (const auto time = event.find("time")) inspect::utc_seconds(*time);
    on_event(event);
  });
  return reader.problems();
}

/// Of "line 12: 'PATH' is damaged (WHY); ADVICE" the line and why.
std::string without_advice(const std::string& problem) {
  constexpr std::string_view kDamaged = " is damaged (", kEnd = "); ";
  const auto line = problem.find(": '"), why = problem.find(kDamaged);
  const auto end = problem.find(kEnd, why);
  if (line == std::string::npos || why == std::string::npos || end == std::string::npos)
    return problem;
  const auto begin = why + kDamaged.size();
  return concat(problem.substr(0, line), ": ", problem.substr(begin, end - begin));
}

bool ends_in_half_a_line(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  char last = '\n';
  if (file.seekg(-1, std::ios::end)) file.get(last);
  return last != '\n';
}

}  // namespace

std::string journal_fault(const std::filesystem::path& path) {
  const auto problems = read_events(path, [](const JsonNode&) {});
  if (!problems.empty())
    return concat("has lines that are no events (", without_advice(problems.front()), ")");
  if (ends_in_half_a_line(path)) return "ends in half a line (its writer was killed)";
  return "";
}

void mend_journal(const std::filesystem::path& path) {
  std::string text;
  read_events(path, [&](const JsonNode& event) { text += event.json().dump() + "\n"; });
  write_atomically(path, text);
}

std::int64_t last_epoch(const std::filesystem::path& path) {
  std::int64_t last = 0;
  read_events(path, [&](const JsonNode& event) {
    if (event.at("event").text() == "run") last = std::max(last, event.at("epoch").integer());
  });
  return last;
}

}  // namespace sweep::upkeep
