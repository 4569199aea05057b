#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sweep::trainer {

/// The first 60 bytes of a text of a user's file, control characters replaced: for messages.
std::string excerpt(const std::string& text);

/// A CSV file with a header: RFC 4180, and what else is seen in the wild (';' as the separator,
/// any line end, byte-order mark, blank lines, spaces around fields).
class Csv {
 public:
  struct Row {
    std::size_t line = 0;  ///< in the file, from 1
    std::vector<std::string> fields;
  };

  /// @throws InputError naming file and line when the file can't be read, is empty, is no
  ///         text or has more than 64 MiB, 1000 columns, 5 million fields or 10,000 bytes in one,
  ///         two columns have one name, a quote is not closed, or a row has another number of
  ///         fields than the header.
  explicit Csv(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::vector<std::string>& header() const { return header_; }
  const std::vector<Row>& rows() const { return rows_; }

  /// Index of a column. @throws InputError that lists the columns that are there.
  std::size_t column(const std::string& name) const;

  /// "labels.csv:12", for messages.
  std::string where(const Row& row) const;

 private:
  std::string columns_text() const;

  std::filesystem::path path_;
  std::vector<std::string> header_;
  std::vector<Row> rows_;
};

}  // namespace sweep::trainer
