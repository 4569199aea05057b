#pragma once

#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace sweep {

/// The arguments, streamed one after the other.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

std::string join(std::span<const std::string> parts, std::string_view separator);

/// The pieces between separators; an empty text has one empty piece.
std::vector<std::string> split(std::string_view text, char separator);

/// " (did you mean 'x'?)" when a candidate is within two edits, or a third of the name's length in
/// edits, else " (valid: a, b, c)".
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

/// "4.2 s", "3 min 05 s", "2 h 07 min".
std::string duration_text(double seconds);

/// `value` with `decimals` digits behind the point.
std::string fixed(double value, int decimals);

}  // namespace sweep
