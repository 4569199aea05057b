#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sweep {

/// The text on one line, without characters that steer a terminal.
std::string printable(std::string text);

/// Letters on the terminal: bytes of UTF-8 that start one.
std::size_t width(std::string_view text);

/// The text filled up with blanks to `size` letters.
std::string left(const std::string& text, std::size_t size);
std::string right(const std::string& text, std::size_t size);

/// At most `size` letters of the text; what was cut is shown as "...".
std::string clipped(const std::string& text, std::size_t size);

/// A field as RFC 4180 wants it.
std::string csv_field(const std::string& field);

/// Columns for a terminal, two blanks apart, under a heading and a rule.
struct TextTable {
  struct Column {
    std::string heading;
    bool numbers = false;  ///< aligned at the right
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  ///< as many texts in each as there are columns

  /// Ends with a line break. Texts are made printable; nothing is cut.
  std::string text() const;
  /// The same as RFC 4180, the headings first.
  std::string csv() const;
};

}  // namespace sweep
