#include "core/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <regex>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep {
namespace {

/// Removes the file that was written beside its place unless it has been renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) {
    static std::atomic<int> counter{0};
    // A name may be taken: containers give the same process numbers again, other hosts too.
    do {
      path_ = concat(target.string(), ".", ::getpid(), "-", counter++, ".tmp");
      file_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    } while (file_.get() < 0 && errno == EEXIST);
    if (file_.get() < 0) throw storage_error("create", path_.string(), errno);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!renamed_) ::unlink(path_.c_str());
  }

  void write(std::span<const std::byte> bytes) { write_all(file_.get(), bytes, path_); }

  /// False where there is one already.
  bool link_to(const std::filesystem::path& target) {
    sync();
    if (::link(path_.c_str(), target.c_str()) == 0) return true;
    if (errno == EEXIST) return names() > 1;  // made, and the answer was lost on its way
    if (errno != EPERM && errno != ENOTSUP && errno != ENOSYS)
      throw storage_error("link to", target.string(), errno);
    if (::access(target.c_str(), F_OK) == 0) return false;
    rename_to(target);
    return true;
  }

  void rename_to(const std::filesystem::path& target) {
    sync();
    file_.close();
    if (::rename(path_.c_str(), target.c_str()) != 0)
      throw storage_error("rename to", target.string(), errno);
    renamed_ = true;
  }

 private:
  void sync() const {
    if (::fsync(file_.get()) != 0) throw storage_error("sync", path_.string(), errno);
  }

  nlink_t names() const {
    struct stat status {};
    return ::fstat(file_.get(), &status) == 0 ? status.st_nlink : 0;
  }

  std::filesystem::path path_;
  FileDescriptor file_;
  bool renamed_ = false;
};

}  // namespace

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  close();
}

void FileDescriptor::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw storage_error("write", path.string(), errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void write_atomically(const std::filesystem::path& path,
                      std::span<const std::span<const std::byte>> pieces) {
  TemporaryFile temporary(path);
  for (const auto piece : pieces) temporary.write(piece);
  temporary.rename_to(path);
  sync_folder(path.parent_path());
}

void write_atomically(const std::filesystem::path& path, std::string_view text) {
  const std::span<const std::byte> piece = std::as_bytes(std::span(text));
  write_atomically(path, std::span(&piece, 1));
}

bool write_new(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  TemporaryFile temporary(path);
  temporary.write(bytes);
  if (!temporary.link_to(path)) return false;
  sync_folder(path.parent_path());
  return true;
}

bool is_temporary(const std::filesystem::path& path) {
  static const std::regex pattern(R"(.+\.\d+-\d+\.tmp)");
  return std::regex_match(path.filename().string(), pattern);
}

void sync_folder(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder.empty() ? "." : folder;
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) throw storage_error("open", path.string(), errno);
  // Some network file systems refuse to sync a folder; their renames are durable without it.
  if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != ENOTSUP)
    throw storage_error("sync", path.string(), errno);
}

void create_folders(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (folder.empty() || std::filesystem::is_directory(folder, ignored)) return;
  create_folders(folder.parent_path());
  const int failure = ::mkdir(folder.c_str(), 0777) == 0 ? 0 : errno;
  // Somebody else may have been faster.
  if (failure != 0 && !(failure == EEXIST && std::filesystem::is_directory(folder, ignored)))
    throw storage_error("create the folder", folder.string(), failure);
  if (failure == 0) sync_folder(folder.parent_path());
}

std::string read_text(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw storage_error("read", path.string(), errno);
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw storage_error("read", path.string(), errno);
    if (count == 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace sweep
