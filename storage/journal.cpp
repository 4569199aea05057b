#include "storage/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <fstream>
#include <string>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace sweep::storage {

Journal::Journal(const std::filesystem::path& path) : path_(path) {
  create_folders(path.parent_path());
  file_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (file_.get() < 0) throw storage_error("open", path.string(), errno);
  const std::string text = read_text(path);
  const auto end = text.find_last_of('\n');
  const std::size_t whole = end == std::string::npos ? 0 : end + 1;
  if (whole != text.size() && ::ftruncate(file_.get(), static_cast<off_t>(whole)) != 0)
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
  std::ifstream file(path, std::ios::binary);
  std::string line;
  while (std::getline(file, line) && !file.eof()) {  // at its end: a line that is not finished
    const Json event = Json::parse(line, nullptr, false);
    if (event.is_object()) action(event);
  }
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
