#include "trainer/weights/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"

namespace sweep::trainer {

WeightFile::WeightFile(std::filesystem::path path)
    : path_(std::move(path)),
      // Not blocking: the open of a pipe without a writer would wait for one.
      file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  constexpr char kRemedy[] = "give the path of a safetensors or .pth file";
  if (file_.get() < 0) refuse_weights(path_, std::strerror(errno), kRemedy);
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) refuse_weights(path_, std::strerror(errno), kRemedy);
  if (!S_ISREG(status.st_mode)) refuse_weights(path_, "it is no regular file", kRemedy);
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void WeightFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const auto count = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse_weights(path_, std::strerror(errno), "check the disk and the file");
    if (count == 0)
      refuse_weights(path_, concat("it ends at byte ", offset, ", inside of a value"));
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void refuse_weights(const std::filesystem::path& path, const std::string& fault,
                    const std::string& remedy) {
  throw InputError(
      concat("the weights '", path.string(), "' can't be used (", fault, "); ", remedy));
}

std::string quote(std::string_view text) {
  constexpr std::size_t kShown = 100;
  const Json shown(std::string(text.substr(0, kShown)));
  // JSON's escapes without its quotation marks.
  std::string escaped = shown.dump(-1, ' ', false, Json::error_handler_t::replace);
  escaped = escaped.substr(1, escaped.size() - 2);
  return concat("'", escaped, text.size() > kShown ? "..." : "", "'");
}

}  // namespace sweep::trainer
