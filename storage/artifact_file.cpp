#include "storage/artifact_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/atomic_file.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "storage/hdf5/image.hpp"
#include "storage/isolated.hpp"

namespace sweep::storage {
namespace {

constexpr std::size_t kHeaderBytes = hdf5::kUserBlockBytes;

std::string header_text(const std::string& hash, std::size_t bytes) {
  return concat("SWEEP-ARTIFACT 1\nsha256=", hash, "\nlength=", bytes, "\n");
}

std::string header_of(std::span<const std::byte> payload) {
  return header_text(sha256(payload), payload.size());
}

Error damaged(const std::filesystem::path& path) {
  return {FailureType::bad_data,
          concat("the artifact '", path.string(), "' is damaged (its checksum does not match)")};
}

FileDescriptor open_to_read(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw storage_error("open", path.string(), errno);
  return file;
}

/// Fills as much of `buffer` as the file still has.
std::size_t read_piece(const FileDescriptor& file, std::span<std::byte> buffer,
                       const std::filesystem::path& path) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t count = ::read(file.get(), buffer.data() + filled, buffer.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw storage_error("read", path.string(), errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

struct MappedFile {
  FileDescriptor descriptor;
  std::shared_ptr<const std::byte> data;
  std::size_t bytes = 0;
};

MappedFile map_file(const std::filesystem::path& path) {
  FileDescriptor fd = open_to_read(path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw storage_error("open", path.string(), errno);
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
  throw damaged(path);
}

/// The whole file.
std::vector<std::byte> image_of(const Content& content) {
  std::vector<std::byte> image = hdf5::build_image(content);
  const std::string header = header_of(std::span(image).subspan(kHeaderBytes));
  std::copy(header.begin(), header.end(), reinterpret_cast<char*>(image.data()));
  return image;
}

}  // namespace

void write_artifact(const std::filesystem::path& path, const Content& content) {
  const auto image = image_of(content);
  const std::span<const std::byte> whole(image);
  write_atomically(path, std::span(&whole, 1));
}

bool write_new_artifact(const std::filesystem::path& path, const Content& content) {
  const auto image = image_of(content);
  return write_new(path, image);
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

std::string read_header(const std::filesystem::path& path) {
  std::string header(kHeaderBytes, '\0');
  const auto bytes = std::as_writable_bytes(std::span(header));
  header.resize(read_piece(open_to_read(path), bytes, path));
  return header;
}

std::string verify_checksum(const std::filesystem::path& path) {
  const FileDescriptor file = open_to_read(path);
  std::string stored(kHeaderBytes, '\0');
  if (read_piece(file, std::as_writable_bytes(std::span(stored)), path) < kHeaderBytes)
    throw damaged(path);
  Sha256 hash;
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  std::size_t bytes = 0;
  for (std::size_t count = 0; (count = read_piece(file, buffer, path)) > 0; bytes += count)
    hash.update(std::span(buffer).first(count));
  const std::string digest = hash.finish();
  std::string wanted = header_text(digest, bytes);
  wanted.resize(kHeaderBytes, '\0');
  if (bytes == 0 || stored != wanted) throw damaged(path);
  return digest;
}

Json inspect_artifact(const std::filesystem::path& path) {
  const std::string what = concat("the artifact '", path.string(), "'");
  const MappedFile file = map_file(path);
  return read_isolated(
             what,
             [&](SharedMemory&) {
               return Content{.attributes =
                                  hdf5::read_mapped(path, file.data, file.bytes).attributes};
             })
      .attributes;
}

}  // namespace sweep::storage
