#include "runner/tensorboard/event_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>

#include "core/error.hpp"
#include "core/host_name.hpp"
#include "core/text.hpp"
#include "runner/tensorboard/crc32c.hpp"

namespace sweep::tensorboard {
namespace {

// Numbers of fields and wire types: tensorflow/core/util/event.proto and framework/summary.proto,
// protobuf.dev/programming-guides/encoding.
enum EventField { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5 };
enum SummaryField { kValue = 1 };
enum ValueField { kTag = 1, kSimpleValue = 2 };
enum WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// The bytes of a number, the lowest first.
template <class Number>
std::string little_endian(Number number) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof number; ++i)
    bytes.push_back(static_cast<char>((number >> (8 * i)) & 0xff));
  return bytes;
}

std::string varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes.push_back(static_cast<char>(number | 0x80));
  bytes.push_back(static_cast<char>(number));
  return bytes;
}

std::string key(int field, WireType type) {
  return varint(static_cast<std::uint64_t>(field) << 3 | type);
}

std::string double_field(int field, double value) {
  return key(field, kFixed64) + little_endian(std::bit_cast<std::uint64_t>(value));
}

std::string float_field(int field, float value) {
  return key(field, kFixed32) + little_endian(std::bit_cast<std::uint32_t>(value));
}

std::string integer_field(int field, std::int64_t value) {
  return key(field, kVarint) + varint(static_cast<std::uint64_t>(value));
}

/// Texts and messages in messages.
std::string bytes_field(int field, const std::string& bytes) {
  return key(field, kBytes) + varint(bytes.size()) + bytes;
}

/// tensorflow/core/lib/hash/crc32c.h: a CRC of bytes that hold CRCs would be weak.
std::string masked_crc(const std::string& bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return little_endian(static_cast<std::uint32_t>(std::rotr(crc, 15) + 0xa282ead8U));
}

std::filesystem::path new_path(const std::filesystem::path& folder, double now) {
  static std::atomic<int> count{0};
  return folder / concat("events.out.tfevents.", static_cast<std::int64_t>(now), '.', host_name(),
                         '.', ::getpid(), '.', count++);
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& folder) {
  create_folders(folder);
  const double now = seconds_since_1970();
  path_ = new_path(folder, now);
  file_ = FileDescriptor(
      ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644));
  if (file_.get() < 0) throw storage_error("create", path_.string(), errno);
  write(double_field(kWallTime, now) + bytes_field(kFileVersion, "brain.Event:2"));
}

void EventFile::add_scalars(std::int64_t step, double wall_time,
                            const std::map<std::string, double>& scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars)
    summary += bytes_field(
        kValue, bytes_field(kTag, tag) + float_field(kSimpleValue, static_cast<float>(value)));
  write(double_field(kWallTime, wall_time) + integer_field(kStep, step) +
        bytes_field(kSummary, summary));
}

void EventFile::write(const std::string& event) {
  const std::string length = little_endian(std::uint64_t{event.size()});
  const std::string record = length + masked_crc(length) + event + masked_crc(event);
  const ssize_t written = ::write(file_.get(), record.data(), record.size());
  if (written == static_cast<ssize_t>(record.size())) {
    size_ += written;
    return;
  }
  const int reason = written < 0 ? errno : ENOSPC;
  (void)!::ftruncate(file_.get(), size_);  // later records must not stand behind half of one
  throw storage_error("write", path_.string(), reason);
}

}  // namespace sweep::tensorboard
