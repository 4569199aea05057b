#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <string>

#include "storage/artifact_file.hpp"

namespace sweep::test_support {

/// Every artifact of a store by kind and name.
inline std::map<std::string, std::filesystem::path> artifacts_of(
    const std::filesystem::path& store) {
  std::map<std::string, std::filesystem::path> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(store / "artifacts"))
    if (entry.is_regular_file())
      found[std::filesystem::relative(entry.path(), store / "artifacts").string()] = entry.path();
  return found;
}

/// What follows from the artifact's spec.
inline Json without_provenance(Json attributes) {
  EXPECT_EQ(attributes.erase("provenance"), 1);
  return attributes;
}

/// Bit for bit, apart from when and where it was made and how long each epoch took.
inline void expect_same_content(const std::string& name, const storage::Content& a,
                                const storage::Content& b) {
  EXPECT_EQ(without_provenance(a.attributes), without_provenance(b.attributes)) << name;
  ASSERT_EQ(a.arrays.size(), b.arrays.size()) << name;
  for (const auto& [key, array] : a.arrays) {
    if (key == "history/seconds" || key == "history/images_per_second") continue;
    const auto& other = b.array(key);
    ASSERT_EQ(array.shape, other.shape) << name << " " << key;
    EXPECT_EQ(std::memcmp(array.data.get(), other.data.get(), array.bytes()), 0)
        << name << " " << key;
  }
}

inline void expect_same_results(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto ours = artifacts_of(a), theirs = artifacts_of(b);
  ASSERT_EQ(ours.size(), theirs.size());
  for (const auto& [name, path] : ours) {
    ASSERT_TRUE(theirs.contains(name)) << name;
    expect_same_content(name, storage::read_artifact(path),
                        storage::read_artifact(theirs.at(name)));
  }
}

}  // namespace sweep::test_support
