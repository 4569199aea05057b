#include "trainer/datasets/csv.hpp"

#include <algorithm>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::trainer {
namespace {

constexpr std::uintmax_t kMaxBytes = 64 << 20;
constexpr std::size_t kMaxFieldBytes = 10'000;
constexpr std::size_t kMaxFields = 5'000'000;  // of the file: what they take in memory
constexpr std::size_t kMaxColumns = 1'000;
constexpr std::size_t kExcerptBytes = 60;
constexpr std::size_t kColumnsNamed = 20;

/// Splits a text into rows of fields.
class CsvReader {
 public:
  CsvReader(const std::string& text, const std::string& file) : text_(text), file_(file) {
    check_is_text();
    if (text_.rfind("\xEF\xBB\xBF", 0) == 0) at_ = 3;
    const std::string first_line = text_.substr(at_, text_.find('\n', at_) - at_);
    separator_ = std::count(first_line.begin(), first_line.end(), ';') >
                         std::count(first_line.begin(), first_line.end(), ',')
                     ? ';'
                     : ',';
  }

  /// The next row that is not blank; false at the end.
  bool next(Csv::Row& row) {
    while (at_ < text_.size()) {
      row = {line_, {}};
      do add_field(row);
      while (take(separator_));
      const bool carriage_return = take('\r');
      if (!take('\n') && !carriage_return && at_ < text_.size())
        fail(line_,
             "text behind a closing quote (the row can't be split into fields); correct the "
             "quotes");
      ++line_;
      if (row.fields.size() > 1 || !row.fields.front().empty()) return true;
    }
    return false;
  }

 private:
  [[noreturn]] void fail(std::size_t line, const std::string& problem) const {
    throw InputError(concat(file_, ":", line, ": ", problem));
  }

  /// A NUL byte would end names before their end, on the way to the operating system.
  void check_is_text() const {
    const auto nul = text_.find('\0');
    if (nul == std::string::npos) return;
    fail(static_cast<std::size_t>(
             std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(nul), '\n')) +
             1,
         "a byte is 0 (the file is damaged or in UTF-16, label files are UTF-8); save it as CSV in "
         "UTF-8");
  }

  void add_field(Csv::Row& row) {
    const std::size_t line = line_;
    row.fields.push_back(field());
    if (row.fields.back().size() > kMaxFieldBytes)
      fail(line, concat("the field '", excerpt(row.fields.back()), "' has ",
                        row.fields.back().size(), " bytes (labels have at most ", kMaxFieldBytes,
                        "; a quote may be unclosed); correct the row"));
    if (row.fields.size() > kMaxColumns || ++fields_ > kMaxFields)
      fail(line,
           concat("there are too many fields (at most ", kMaxColumns, " columns and ", kMaxFields,
                  " fields in all are read); take the label file of the dataset"));
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string field() {
    if (take('"')) return quoted();
    const std::string ends{separator_, '\r', '\n'};
    const std::size_t end = std::min(text_.find_first_of(ends, at_), text_.size());
    std::string value = text_.substr(at_, end - at_);
    at_ = end;
    const auto first = value.find_first_not_of(" \t");
    if (first == std::string::npos) return "";
    return value.substr(first, value.find_last_not_of(" \t") - first + 1);
  }

  std::string quoted() {
    const std::size_t opened = line_;
    std::string value;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"' && !take('"')) return value;
      if (c == '\n') ++line_;
      value += c;
    }
    fail(opened, "a quote is never closed (the rest of the file is one field); close it");
  }

  const std::string& text_;
  std::string file_;
  std::size_t at_ = 0, line_ = 1, fields_ = 0;
  char separator_ = ',';
};

}  // namespace

std::string excerpt(const std::string& text) {
  std::string shown = text.substr(0, kExcerptBytes);
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') c = '?';
  return text.size() > kExcerptBytes ? shown + "..." : shown;
}

Csv::Csv(const std::filesystem::path& path) : path_(path) {
  std::error_code missing;  // read_text says it better
  const std::uintmax_t bytes = std::filesystem::file_size(path, missing);
  if (!missing && bytes > kMaxBytes)
    throw InputError(concat("'", path.string(), "' has ", bytes,
                            " bytes (more than a label file needs); unpack it again"));
  std::string text;
  try {
    text = read_text(path);
  } catch (const Error& error) {
    throw InputError(concat("the label file can't be read: ", error.what(),
                            "; give the dataset's folder as dataset.root"));
  }
  CsvReader reader(text, path.string());
  Row row;
  if (!reader.next(row))
    throw InputError(concat("'", path.string(),
                            "' is empty (it must name the images and their labels); "
                            "unpack it again"));
  header_ = row.fields;
  for (auto name = header_.begin(); name != header_.end(); ++name)
    if (!name->empty() && std::find(header_.begin(), name, *name) != name)
      throw InputError(concat(where(row), ": the column '", excerpt(*name),
                              "' is there twice (which one holds?); delete one"));
  while (reader.next(row)) {
    if (row.fields.size() != header_.size())
      throw InputError(concat(where(row), ": the row has ", row.fields.size(),
                              " fields, the header has ", header_.size(), "; correct the row"));
    rows_.push_back(row);
  }
}

std::size_t Csv::column(const std::string& name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end())
    throw InputError(concat("'", path_.string(), "' has no column '", name, "' (it has: ",
                            columns_text(), "); use the file of the public distribution"));
  return static_cast<std::size_t>(found - header_.begin());
}

std::string Csv::columns_text() const {
  std::vector<std::string> names;
  for (const auto& name : header_) names.push_back(excerpt(name));
  names.resize(std::min(names.size(), kColumnsNamed));
  return join(names, ", ") + (header_.size() > kColumnsNamed
                                  ? concat(" and ", header_.size() - kColumnsNamed, " more")
                                  : "");
}

std::string Csv::where(const Row& row) const {
  return concat(path_.string(), ":", row.line);
}

}  // namespace sweep::trainer
