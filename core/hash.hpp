#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sweep {

/// SHA-256 of the bytes, as 64 lower-case hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);
std::string sha256(std::string_view text);

/// SHA-256 of a file's content, read in pieces. @throws Error{storage}
std::string sha256_of_file(const std::filesystem::path& path);

/// SHA-256 of data that arrives in pieces.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  /// Hexadecimal digest; the object can't be used afterwards.
  std::string finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// A seed for one purpose ("init", "noise", ...) at one position (epoch, step, ...), derived from
/// the seed of the spec alone: the same on every rank, at every time, after every resume.
std::uint64_t derive_seed(std::int64_t seed, std::string_view purpose, std::int64_t i = 0,
                          std::int64_t j = 0);

}  // namespace sweep
