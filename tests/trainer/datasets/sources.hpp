#pragma once

#include <gtest/gtest.h>
#include <turbojpeg.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "tests/support/temporary_folder.hpp"
#include "trainer/datasets/dataset.hpp"
#include "trainer/datasets/jpeg.hpp"

namespace sweep::trainer {

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// An image of one colour.
inline Pixels plain(std::int64_t height, std::int64_t width, std::uint8_t red, std::uint8_t green,
                    std::uint8_t blue) {
  Pixels pixels{height, width, {}};
  for (std::int64_t i = 0; i < height * width; ++i)
    pixels.rgb.insert(pixels.rgb.end(), {red, green, blue});
  return pixels;
}

/// The SHA-256 of all pixels.
inline std::string digest(const ImageSet& set) {
  return sha256(std::as_bytes(std::span(set.images)));
}

/// JPEG file of quality 95; subsampling and flags as TurboJPEG names them.
inline std::string jpeg_of(const Pixels& pixels, int subsampling = TJSAMP_444, int flags = 0) {
  const std::unique_ptr<void, int (*)(tjhandle)> handle(tjInitCompress(), tjDestroy);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): TurboJPEG's type
  EXPECT_EQ(
      tjCompress2(handle.get(), pixels.rgb.data(), static_cast<int>(pixels.width), 0,
                  static_cast<int>(pixels.height), TJPF_RGB, &bytes, &size, subsampling, 95, flags),
      0);
  std::string file(reinterpret_cast<const char*>(bytes), size);
  tjFree(bytes);
  return file;
}

inline std::unique_ptr<Dataset> make_dataset(const std::string& name, const Json& options) {
  const auto& entry = DatasetRegistry::instance().at(name);
  return entry.make(
      resolve(entry.schema, options, "dataset", [](const auto&) { return std::string("test"); }));
}

inline PreparedDataset prepare(const Dataset& dataset, int threads = 2) {
  return dataset.prepare(threads, [](std::int64_t, std::int64_t) { return true; });
}

/// The message of the error that `action` ends with, which has to be of this type.
inline std::string failure_of(const std::function<void()>& action,
                              FailureType type = FailureType::bad_input) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.type(), type) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace sweep::trainer
