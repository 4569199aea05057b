#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sweep {

/// An open file descriptor, closed with its owner.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  int get() const { return fd_; }
  void close();

 private:
  int fd_ = -1;
};

/// Writes all bytes. @throws Error{storage}
void write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& path);

/// Makes `pieces`, one after the other, the whole content of `path`: written beside it, fsynced and
/// renamed, so that a reader never sees half a file and an old file survives every failure.
/// @throws Error{storage}
void write_atomically(const std::filesystem::path& path,
                      std::span<const std::span<const std::byte>> pieces);
void write_atomically(const std::filesystem::path& path, std::string_view text);

/// The same where nothing is yet: of several processes one writes, the others get false and change
/// nothing. On a file system without hard links the last of them wins. @throws Error{storage}
bool write_new(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// True for a file that write_atomically left behind because its process was killed.
bool is_temporary(const std::filesystem::path& path);

/// Makes the creations and renames in a folder survive a power cut. @throws Error{storage}
void sync_folder(const std::filesystem::path& folder);

/// Creates the folder and its parents; an empty path is the current folder. @throws Error{storage}
void create_folders(const std::filesystem::path& folder);

/// The whole file. @throws Error{storage}, also for a folder
std::string read_text(const std::filesystem::path& path);

}  // namespace sweep
