#include "storage/isolated.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <new>
#include <span>
#include <utility>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"

namespace sweep::storage {
namespace {

constexpr rlim_t kMemoryBytes = rlim_t{256} << 20;  // of the library, before an array is known
constexpr rlim_t kSeconds = 20;                     // of one processor, likewise
constexpr rlim_t kMemoryPerByte = 3;         // the array, a chunk of it, and its compressed form
constexpr rlim_t kBytesPerSecond = 5 << 20;  // the slowest that decompression may be

/// Adds to the soft limit of this process; what is unlimited stays so.
void raise_limit(__rlimit_resource resource, rlim_t amount) {
  rlimit limit{};
  ::getrlimit(resource, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return;
  limit.rlim_cur = std::min(limit.rlim_cur + amount, limit.rlim_max);
  ::setrlimit(resource, &limit);
}

void set_limit(__rlimit_resource resource, rlim_t amount) {
  rlimit limit{};
  ::getrlimit(resource, &limit);
  limit.rlim_cur = std::min(amount, limit.rlim_max);
  ::setrlimit(resource, &limit);
}

/// Bytes of address space in use.
rlim_t address_space() {
  std::ifstream file("/proc/self/statm");
  rlim_t pages = 0;
  file >> pages;
  return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

/// For a process that may do anything.
void restrict_this_process() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL, SIGXCPU})
    ::signal(number, SIG_DFL);
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_CPU, kSeconds);
  set_limit(RLIMIT_AS, address_space() + kMemoryBytes);
}

Json describe_content(const Content& content, const SharedMemory& memory) {
  Json arrays = Json::object();
  for (const auto& [name, array] : content.arrays)
    arrays[name] = {
        {"type", array.type}, {"shape", array.shape}, {"offset", memory.offset_of(array)}};
  return {{"arrays", arrays}, {"attributes", content.attributes}};
}

Json outcome_of(int memory, const std::function<Content(SharedMemory&)>& read) {
  SharedMemory shared(memory);
  try {
    return describe_content(read(shared), shared);
  } catch (const Error& error) {
    return {{"failure", to_string(error.type())}, {"message", error.what()}};
  } catch (const std::bad_alloc&) {
    return {{"failure", to_string(FailureType::bad_input)}, {"message", ""}};
  }
}

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

/// "was killed by signal 11 (Segmentation fault)", or nothing for a process that ended by itself.
std::string cause_of_death(int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) return "it did not come to an end";
  if (WIFSIGNALED(status))
    return concat("the process that read it died: ", ::strsignal(WTERMSIG(status)));
  return WEXITSTATUS(status) == 0 ? "" : "the process that read it ended with an error";
}

InputError unusable(const std::string& what, const std::string& fault) {
  return InputError(concat(what, " can't be read (", fault, "); make the file again"));
}

/// Whether the array has a possible shape and at most so many bytes.
bool fits(const Array& array, std::size_t bytes) {
  if (element_bytes(array.type) == 0) return false;  // no type of ours
  std::size_t room = bytes / element_bytes(array.type);
  bool is_empty = false;
  for (const auto size : array.shape) {
    if (size < 0) return false;
    is_empty = is_empty || size == 0;
    room /= size == 0 ? 1 : static_cast<std::size_t>(size);
  }
  return is_empty || room > 0;
}

Content received(const Json& described, int memory) {
  struct stat status {};
  ::fstat(memory, &status);
  const auto bytes = static_cast<std::size_t>(status.st_size);
  std::shared_ptr<const std::byte> mapping;
  if (bytes > 0) {
    void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, memory, 0);
    if (address == MAP_FAILED) throw storage_error("map", "memory of a reader", errno);
    mapping.reset(static_cast<const std::byte*>(address), [bytes](const std::byte* mapped) {
      ::munmap(const_cast<std::byte*>(mapped), bytes);
    });
  }
  Content content;
  content.attributes = described.at("attributes");
  for (const auto& [name, entry] : described.at("arrays").items()) {
    Array array{entry.at("type").get<ElementType>(),
                entry.at("shape").get<std::vector<std::int64_t>>(), nullptr};
    const auto offset = entry.at("offset").get<std::size_t>();
    // The process may have been taken over by what it read: not even its products are believed.
    if (offset > bytes || !fits(array, bytes - offset))
      throw Error(FailureType::internal, "a reader has sent less than it announced");
    array.data = std::shared_ptr<const void>(mapping, mapping.get() + offset);
    content.arrays.emplace(name, std::move(array));
  }
  return content;
}

/// @throws what it says; Json::exception where it says something else
Content what_child_says(const std::string& what, const Json& outcome, int memory) {
  if (!outcome.contains("failure")) return received(outcome, memory);
  const auto message = outcome.at("message").get<std::string>();
  if (message.empty()) throw unusable(what, "it takes far more memory than its size explains");
  const FailureType type = failure_type_from(outcome.at("failure").get<std::string>());
  if (type == FailureType::bad_input) throw InputError(message);
  throw Error(type, message);
}

}  // namespace

Array SharedMemory::allocate(ElementType type, std::vector<std::int64_t> shape) {
  Array array{type, std::move(shape), nullptr};
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t bytes = (array.bytes() + page - 1) / page * page;
  raise_limit(RLIMIT_AS, kMemoryPerByte * bytes);
  raise_limit(RLIMIT_CPU, bytes / kBytesPerSecond);
  void* address = MAP_FAILED;
  // Allocated at once: a write to memory that is not there would kill the process.
  if (::posix_fallocate(memory_, static_cast<off_t>(used_), static_cast<off_t>(bytes)) == 0)
    address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_,
                     static_cast<off_t>(used_));
  if (address == MAP_FAILED)
    throw Error(FailureType::out_of_memory,
                concat("there is no memory for an array of ", bytes >> 20, " MiB"));
  offsets_.emplace_back(address, used_);
  used_ += bytes;
  array.data = std::shared_ptr<const void>(address, [](const void*) {});
  return array;
}

std::size_t SharedMemory::offset_of(const Array& array) const {
  for (const auto& [address, offset] : offsets_)
    if (address == array.data.get()) return offset;
  throw Error(FailureType::internal, "an array was read into memory that is not shared");
}

Content read_isolated(const std::string& what, const std::function<Content(SharedMemory&)>& read) {
  const FileDescriptor memory(::memfd_create("sweep_reader", MFD_CLOEXEC));
  int ends[2];
  if (memory.get() < 0 || ::pipe2(ends, O_CLOEXEC) != 0)
    throw storage_error("make memory for", "a reader", errno);
  const FileDescriptor from_child(ends[0]);
  FileDescriptor to_parent(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) throw storage_error("start", "a reader", errno);
  if (child == 0) {
    restrict_this_process();
    const std::string text =
        outcome_of(memory.get(), read).dump(-1, ' ', false, Json::error_handler_t::replace);
    write_all(to_parent.get(), std::as_bytes(std::span(text)), "pipe");
    ::_exit(0);
  }
  to_parent.close();
  const std::string text = read_to_end(from_child.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (const std::string cause = cause_of_death(status); !cause.empty()) throw unusable(what, cause);
  try {
    return what_child_says(what, parse_untrusted(text), memory.get());
  } catch (const Json::exception&) {
    throw unusable(what, "the process that read it has sent what makes no sense");
  }
}

}  // namespace sweep::storage
