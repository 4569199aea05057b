#include "runner/inspect/journal_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::inspect {
namespace {

constexpr std::size_t kLongestLine = std::size_t{16} << 20;  // a request that names every task
constexpr std::size_t kMostProblems = 20;
constexpr std::size_t kBlock = std::size_t{1} << 20;

}  // namespace

JournalReader::JournalReader(std::filesystem::path path)
    : path_(std::move(path)),
      origin_{path_.string(), "the line is left out; sweep_runner doctor mends journals"} {}

bool JournalReader::open() {
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

void JournalReader::skip_to_end() {
  if (!open()) return;
  const off_t end = ::lseek(file_.get(), 0, SEEK_END);
  if (end < 0) throw storage_error("read", path_.string(), errno);
  offset_ = static_cast<std::uint64_t>(end);
}

bool JournalReader::poll(const std::function<void(const JsonNode&)>& on_event) {
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
      ++line_;
      if (pending_.empty()) {
        read_line(rest.substr(0, end), on_event);
      } else {
        pending_ += rest.substr(0, end);
        read_line(pending_, on_event);
      }
      pending_.clear();
      too_long_ = false;
    }
    too_long_ = too_long_ || pending_.size() + rest.size() > kLongestLine;
    if (!too_long_) pending_ += rest;
  }
}

void JournalReader::read_line(std::string_view line,
                              const std::function<void(const JsonNode&)>& on_event) {
  try {
    const Json json = too_long_ ? Json() : parse_untrusted(line);
    if (!json.is_object()) refuse_damaged(origin_, "it is not a JSON object");
    on_event(JsonNode(json, origin_));
  } catch (const InputError& error) {
    ++left_out_;
    if (problems_.size() < kMostProblems)
      problems_.push_back(concat("line ", line_, ": ", error.what()));
  }
}

std::int64_t utc_seconds(const JsonNode& node) {
  const std::string text = node.text();
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  node.check(end != nullptr && text.back() == 'Z', "a time (2026-01-31T12:34:56Z)");
  return ::timegm(&parts);
}

std::string utc_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  if (::gmtime_r(&time, &parts) == nullptr) return "an unknown time";
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

}  // namespace sweep::inspect
