#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "core/atomic_file.hpp"

namespace sweep::trainer {

/// A weight file that is open for reading. Its size is known before anything is read, so that
/// memory is taken only for what the file can hold.
class WeightFile {
 public:
  /// @throws InputError when there is no such file or it is no regular one.
  explicit WeightFile(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  /// Fills `bytes` from `offset` on. @throws InputError when the file ends before.
  void read(std::uint64_t offset, std::span<std::byte> bytes) const;

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
};

/// @throws InputError "the weights 'a.pth' can't be used (`fault`); `remedy`"
[[noreturn]] void refuse_weights(const std::filesystem::path& path, const std::string& fault,
                                 const std::string& remedy = "make or download the file again");

/// A text of a file between quotes: control characters are escaped, long ones cut.
std::string quote(std::string_view text);

}  // namespace sweep::trainer
