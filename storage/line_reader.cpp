#include "storage/line_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::storage {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20;

}  // namespace

bool LineReader::open() {
  if (file_.get() >= 0) return true;
  // Not blocking: a pipe that has taken its place would never be opened.
  file_ = FileDescriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file_.get() < 0 && errno != ENOENT) throw storage_error("open", path_.string(), errno);
  std::error_code error;
  if (file_.get() >= 0 && !std::filesystem::is_regular_file(path_, error))
    throw InputError(concat("'", path_.string(),
                            "' is not a file (the history of a run is one); "
                            "remove it and run the sweep again"));
  return file_.get() >= 0;
}

void LineReader::skip_to_end() {
  if (!open()) return;
  const off_t end = ::lseek(file_.get(), 0, SEEK_END);
  if (end < 0) throw storage_error("read", path_.string(), errno);
  offset_ = static_cast<std::uint64_t>(end);
}

bool LineReader::poll(const std::function<void(std::optional<std::string_view>)>& on_line) {
  if (!open()) return false;
  bool any = false;
  std::string block(kBlock, '\0');
  for (;;) {
    const ssize_t count =
        ::pread(file_.get(), block.data(), block.size(), static_cast<off_t>(offset_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw storage_error("read", path_.string(), errno);
    if (count == 0) return any;
    std::string_view rest(block.data(), static_cast<std::size_t>(count));
    offset_ += rest.size();
    for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos;
         rest.remove_prefix(end + 1)) {
      any = true;
      std::string_view line = rest.substr(0, end);
      if (!pending_.empty()) line = pending_ += line;
      on_line(too_long_ ? std::nullopt : std::optional(line));
      pending_.clear();
      too_long_ = false;
    }
    too_long_ = too_long_ || pending_.size() + rest.size() > kLongestLine;
    if (!too_long_) pending_ += rest;
  }
}

}  // namespace sweep::storage
