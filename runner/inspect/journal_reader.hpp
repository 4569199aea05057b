#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/untrusted_json.hpp"
#include "storage/line_reader.hpp"

namespace sweep::inspect {

/// Reads journal.jsonl while it is written: every whole line once. Nothing in it is trusted.
class JournalReader {
 public:
  explicit JournalReader(std::filesystem::path path);

  /// Calls `on_event` with each line that was finished since the last call; true when there was
  /// one. Lines that are no event, or that `on_event` throws InputError about, become problems(). A
  /// journal that is not there has no lines. @throws Error{storage}
  bool poll(const std::function<void(const JsonNode& event)>& on_event);

  /// Events before this moment are of no interest.
  void skip_to_end() { lines_.skip_to_end(); }

  /// "line 12: 'journal.jsonl' is damaged (...)", the first of them.
  const std::vector<std::string>& problems() const { return problems_; }
  /// How many lines became problems; problems() has only the first.
  std::size_t left_out() const { return left_out_; }

 private:
  void read_line(std::optional<std::string_view> line,
                 const std::function<void(const JsonNode&)>& on_event);

  storage::LineReader lines_;
  JsonOrigin origin_;
  std::uint64_t line_ = 0;
  std::vector<std::string> problems_;
  std::size_t left_out_ = 0;
};

/// Seconds since 1970 of "2026-01-31T12:34:56Z". @throws InputError naming the key
std::int64_t utc_seconds(const JsonNode& node);

/// The opposite, for people: "2026-01-31 12:34:56 UTC".
std::string utc_text(std::int64_t seconds);

}  // namespace sweep::inspect
