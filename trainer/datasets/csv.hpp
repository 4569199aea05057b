#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sweep::trainer {

/// A CSV file with a header (RFC 4180; ',' or ';' as the separator, CRLF, byte-order mark, blank lines).
class Csv {
 public:
  struct Row {
    std::size_t line = 0;  ///< in the file, from 1
    std::vector<std::string> fields;
  };

  /// @throws InputError when the file can't be read, is empty, or a row has another number of fields
  ///         than the header; names the file and the line.
  explicit Csv(const std::filesystem::path& path);

  const std::vector<std::string>& header() const { return header_; }
  const std::vector<Row>& rows() const { return rows_; }

  /// Index of a column. @throws InputError that lists the columns that are there.
  std::size_t column(const std::string& name) const;

  /// "labels.csv:12", for messages.
  std::string where(const Row& row) const;

 private:
  std::filesystem::path path_;
  std::vector<std::string> header_;
  std::vector<Row> rows_;
};

}  // namespace sweep::trainer
