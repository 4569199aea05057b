#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "core/atomic_file.hpp"
#include "core/error.hpp"

/// What every program of this folder defines: it reads the bytes as its reader does. libFuzzer
/// calls it with inputs that it makes up, replay.cpp with those of seeds/ and findings/.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace sweep::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Why the last input was refused; empty where it was read.
inline std::string& refusal() {
  static std::string text;
  return text;
}

/// That an input is refused is what is wanted; an internal error, or what is none of ours, is a
/// finding.
template <class Read>
void may_refuse(const Read& read) {
  try {
    refusal().clear();
    read();
  } catch (const Error& error) {
    if (error.type() == FailureType::internal) throw;
    refusal() = error.what();
  }
}

/// Bytes as a file with a name: libhdf5 opens none without.
class InputFile {
 public:
  explicit InputFile(std::string_view bytes) {
    std::string name = (std::filesystem::temp_directory_path() / "sweep_fuzz_XXXXXX").string();
    const FileDescriptor file(::mkstemp(name.data()));
    path_ = name;
    write_all(file.get(), std::as_bytes(std::span(bytes)), path_);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() { ::unlink(path_.c_str()); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace sweep::fuzz
