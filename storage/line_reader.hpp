#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/atomic_file.hpp"

namespace sweep::storage {

/// Reads a file of lines while it is written: every whole line once, a block in memory at a time.
class LineReader {
 public:
  static constexpr std::size_t kLongestLine = std::size_t{16} << 20;

  explicit LineReader(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }

  /// Calls `on_line` with each line that was finished since the last call, and with nothing for one
  /// that is longer than kLongestLine; true when there was one. A file that is not there has no
  /// lines. @throws InputError when it is no regular file, Error{storage}
  bool poll(const std::function<void(std::optional<std::string_view>)>& on_line);

  /// Lines before this moment are of no interest.
  void skip_to_end();

 private:
  bool open();

  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t offset_ = 0;  ///< of the first byte that was not read yet
  std::string pending_;       ///< a line that is not finished yet
  bool too_long_ = false;
};

}  // namespace sweep::storage
