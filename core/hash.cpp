#include "core/hash.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep {

struct Sha256::Context {
  EVP_MD_CTX* handle = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(handle); }
};

namespace {

void check(int status) {
  if (status != 1) throw Error(FailureType::internal, "OpenSSL failed to compute SHA-256");
}

std::array<unsigned char, 32> digest_of(EVP_MD_CTX* context) {
  std::array<unsigned char, 32> digest{};
  check(EVP_DigestFinal_ex(context, digest.data(), nullptr));
  return digest;
}

}  // namespace

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  check(EVP_DigestInit_ex(context_->handle, EVP_sha256(), nullptr));
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size()));
}

void Sha256::update(std::string_view text) {
  update(std::as_bytes(std::span(text)));
}

std::string Sha256::finish() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest_of(context_->handle)) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string sha256(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string sha256(std::string_view text) {
  return sha256(std::as_bytes(std::span(text)));
}

std::string sha256_of_file(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw storage_error("read", path.string(), errno);
  Sha256 hash;
  std::vector<std::byte> buffer(1 << 20);
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw storage_error("read", path.string(), errno);
    if (count == 0) return hash.finish();
    hash.update(std::span(buffer).first(static_cast<std::size_t>(count)));
  }
}

std::uint64_t derive_seed(std::int64_t seed, std::string_view purpose, std::int64_t i,
                          std::int64_t j) {
  const std::string digest = sha256(concat(purpose, '\n', seed, '\n', i, '\n', j));
  return std::stoull(digest.substr(0, 16), nullptr, 16);
}

}  // namespace sweep
