#include "storage/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"
#include "storage/line_reader.hpp"

namespace sweep::storage {
namespace {

/// Where the last whole line ends. From behind, block by block: a journal may be larger than
/// memory.
off_t end_of_whole_lines(const FileDescriptor& file, const std::filesystem::path& path) {
  std::array<char, 65536> block{};
  off_t end = ::lseek(file.get(), 0, SEEK_END);
  while (end > 0) {
    const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(block.size()));
    const ssize_t count =
        ::pread(file.get(), block.data(), static_cast<std::size_t>(end - begin), begin);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw storage_error("read", path.string(), errno);
    const auto newline =
        std::string_view(block.data(), static_cast<std::size_t>(count)).find_last_of('\n');
    if (newline != std::string_view::npos) return begin + static_cast<off_t>(newline) + 1;
    end = begin;
  }
  return 0;
}

}  // namespace

Journal::Journal(const std::filesystem::path& path) : path_(path) {
  create_folders(path.parent_path());
  file_ = FileDescriptor(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (file_.get() < 0) throw storage_error("open", path.string(), errno);
  const off_t whole = end_of_whole_lines(file_, path), bytes = ::lseek(file_.get(), 0, SEEK_END);
  if (whole != bytes && ::ftruncate(file_.get(), whole) != 0)
    throw storage_error("mend", path.string(), errno);
  sync_folder(path.parent_path());
}

void Journal::append(Json event) {
  event["time"] = utc_time();
  // What an executor printed last may be any bytes: no reason to lose the event.
  pending_ += event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void Journal::commit() {
  if (pending_.empty()) return;
  const off_t end = ::lseek(file_.get(), 0, SEEK_END);
  if (end < 0) throw storage_error("write", path_.string(), errno);
  try {
    write_all(file_.get(), std::as_bytes(std::span(pending_)), path_);
    if (::fsync(file_.get()) != 0) throw storage_error("sync", path_.string(), errno);
  } catch (const Error&) {
    // Half a line would swallow the next one.
    if (::ftruncate(file_.get(), end) != 0) log_warning(path_.string() + " may end in half a line");
    throw;
  }
  pending_.clear();
}

void for_each_event(const std::filesystem::path& path,
                    const std::function<void(const Json&)>& action) {
  LineReader(path).poll([&](std::optional<std::string_view> line) {
    const Json event = line ? parse_untrusted(*line) : Json();
    if (event.is_object()) action(event);
  });
}

std::vector<Json> read_journal(const std::filesystem::path& path) {
  std::vector<Json> events;
  for_each_event(path, [&](const Json& event) { events.push_back(event); });
  return events;
}

std::string utc_time() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace sweep::storage
