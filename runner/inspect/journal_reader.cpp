#include "runner/inspect/journal_reader.hpp"

#include <ctime>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::inspect {
namespace {

constexpr std::size_t kMostProblems = 20;

}  // namespace

JournalReader::JournalReader(std::filesystem::path path)
    : lines_(std::move(path)),
      origin_{lines_.path().string(), "the line is left out; sweep_runner doctor mends journals"} {}

bool JournalReader::poll(const std::function<void(const JsonNode&)>& on_event) {
  return lines_.poll([&](std::optional<std::string_view> line) { read_line(line, on_event); });
}

void JournalReader::read_line(std::optional<std::string_view> line,
                              const std::function<void(const JsonNode&)>& on_event) {
  ++line_;
  try {
    const Json json = line ? parse_untrusted(*line) : Json();
    if (!json.is_object()) refuse_damaged(origin_, "it is not a JSON object");
    on_event(JsonNode(json, origin_));
  } catch (const InputError& error) {
    ++left_out_;
    if (problems_.size() < kMostProblems)
      problems_.push_back(concat("line ", line_, ": ", error.what()));
  }
}

std::int64_t utc_seconds(const JsonNode& node) {
  const std::string text = node.text();
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  node.check(end != nullptr && text.back() == 'Z', "a time (2026-01-31T12:34:56Z)");
  return ::timegm(&parts);
}

std::string utc_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  if (::gmtime_r(&time, &parts) == nullptr) return "an unknown time";
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

}  // namespace sweep::inspect
