#include "storage/artifact_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "core/atomic_file.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "storage/hdf5/image.hpp"

namespace sweep::storage {
namespace {

constexpr std::size_t kHeaderBytes = hdf5::kUserBlockBytes;

std::string header_of(std::span<const std::byte> payload) {
  return concat("SWEEP-ARTIFACT 1\nsha256=", sha256(payload), "\nlength=", payload.size(), "\n");
}

struct MappedFile {
  FileDescriptor descriptor;
  std::shared_ptr<const std::byte> data;
  std::size_t bytes = 0;
};

MappedFile map_file(const std::filesystem::path& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0)
    throw storage_error("open", path.string(), errno);
  const auto bytes = static_cast<std::size_t>(status.st_size);
  if (bytes == 0) return {};
  void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (address == MAP_FAILED) throw storage_error("map", path.string(), errno);
  return {std::move(fd),
          std::shared_ptr<const std::byte>(static_cast<const std::byte*>(address),
                                           [bytes](const std::byte* mapped) {
                                             ::munmap(const_cast<std::byte*>(mapped), bytes);
                                           }),
          bytes};
}

void verify(const MappedFile& file, const std::filesystem::path& path) {
  const std::span<const std::byte> all(file.data.get(), file.bytes);
  if (all.size() > kHeaderBytes) {
    std::array<char, kHeaderBytes> expected{};
    const std::string header = header_of(all.subspan(kHeaderBytes));
    std::copy(header.begin(), header.end(), expected.begin());
    const auto stored = all.first(kHeaderBytes);
    const auto wanted = std::as_bytes(std::span(expected));
    if (std::equal(stored.begin(), stored.end(), wanted.begin())) return;
  }
  throw Error(FailureType::bad_data, concat("the artifact '", path.string(),
                                            "' is damaged (its checksum does not match)"));
}

}  // namespace

void write_artifact(const std::filesystem::path& path, const Content& content) {
  std::vector<std::byte> image = hdf5::build_image(content);
  const std::span<const std::byte> payload = std::span(image).subspan(kHeaderBytes);
  const std::string header = header_of(payload);
  std::copy(header.begin(), header.end(), reinterpret_cast<char*>(image.data()));
  const std::span<const std::byte> whole(image);
  write_atomically(path, std::span(&whole, 1));
}

Content read_artifact(const std::filesystem::path& path) {
  const MappedFile file = map_file(path);
  verify(file, path);
  // Not by its name, which may meanwhile be that of a newer file.
  const auto verified = concat("/proc/self/fd/", file.descriptor.get());
  try {
    return hdf5::read_mapped(verified, file.data, file.bytes);
  } catch (const Error& error) {
    throw Error(error.type(),
                concat("the artifact '", path.string(), "' can't be used (", error.what(), ")"));
  }
}

}  // namespace sweep::storage
