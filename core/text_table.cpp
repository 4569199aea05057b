#include "core/text_table.hpp"

#include <algorithm>

namespace sweep {

std::string printable(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, which UTF-8 writes as C2 80 to C2 9F, steer terminals too.
    const bool high = byte == 0xC2 && i + 1 < text.size() &&
                      static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                      static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (high) text.replace(i, 2, " ");
    if (byte < 0x20 || byte == 0x7F) text[i] = ' ';
  }
  return text;
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  }));
}

std::string left(const std::string& text, std::size_t size) {
  return text + std::string(size - std::min(size, width(text)), ' ');
}

std::string right(const std::string& text, std::size_t size) {
  return std::string(size - std::min(size, width(text)), ' ') + text;
}

std::string clipped(const std::string& text, std::size_t size) {
  if (width(text) <= size) return text;
  constexpr std::string_view kCut = "...";
  std::size_t end = 0;
  for (std::size_t letters = 0; end < text.size(); ++end)
    if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && ++letters + kCut.size() > size)
      break;
  return text.substr(0, end).append(kCut);
}

std::string csv_field(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string text = "\"";
  for (const char letter : field) text += letter == '"' ? "\"\"" : std::string(1, letter);
  return text + "\"";
}

std::string TextTable::text() const {
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& column : columns) lines.front().push_back(printable(column.heading));
  for (const auto& row : rows) {
    auto& line = lines.emplace_back();
    for (const auto& field : row) line.push_back(printable(field));
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& line : lines)
    for (std::size_t c = 0; c < widths.size(); ++c) widths[c] = std::max(widths[c], width(line[c]));
  std::string result, rule;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t c = 0; c < widths.size(); ++c)
      text += (c == 0 ? "" : "  ") +
              (columns[c].numbers ? right(line[c], widths[c]) : left(line[c], widths[c]));
    if (rule.empty()) rule = std::string(width(text), '-') + "\n";
    text.resize(text.find_last_not_of(' ') + 1);
    result += text + "\n" + (result.empty() ? rule : "");
  }
  return result;
}

std::string TextTable::csv() const {
  std::string result;
  const auto add = [&](const std::string& field, bool first) {
    result += (first ? "" : ",") + csv_field(field);
  };
  for (std::size_t c = 0; c < columns.size(); ++c) add(columns[c].heading, c == 0);
  result += "\n";
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) add(row[c], c == 0);
    result += "\n";
  }
  return result;
}

}  // namespace sweep
