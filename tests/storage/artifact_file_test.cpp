#include "storage/artifact_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "core/atomic_file.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "tests/storage/contents.hpp"
#include "tests/support/child.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::storage {
namespace {

namespace fs = std::filesystem;
using test_support::example_content;
using test_support::message_of;
using test_support::TemporaryFolder;
using ::testing::HasSubstr;

std::string bytes_of(const Array& array) {
  return {static_cast<const char*>(array.data.get()), array.bytes()};
}

void expect_equal(const Content& got, const Content& wanted) {
  EXPECT_EQ(got.attributes, wanted.attributes);
  ASSERT_EQ(got.arrays.size(), wanted.arrays.size());
  for (const auto& [name, array] : wanted.arrays) {
    const Array& read = got.array(name);
    EXPECT_EQ(read.type, array.type) << name;
    EXPECT_EQ(read.shape, array.shape) << name;
    EXPECT_TRUE(bytes_of(read) == bytes_of(array)) << name;
  }
}

class ArtifactFile : public ::testing::Test {
 protected:
  void expect_damaged(const std::string& bytes, const std::string& what) {
    std::ofstream(file_, std::ios::binary) << bytes;
    EXPECT_THAT(message_of([&] { read_artifact(file_); }, FailureType::bad_data),
                HasSubstr("is damaged"))
        << what;
  }

  const TemporaryFolder folder_;
  const fs::path file_ = folder_ / "a.h5";
};

TEST_F(ArtifactFile, GivesBackEveryBit) {
  write_artifact(file_, example_content());
  expect_equal(read_artifact(file_), example_content());
}

TEST_F(ArtifactFile, MayBeEmpty) {
  write_artifact(file_, Content{});
  expect_equal(read_artifact(file_), Content{});
}

TEST_F(ArtifactFile, KeepsTheTypesOfAttributes) {
  write_artifact(file_, example_content());
  const Json attributes = read_artifact(file_).attributes;
  EXPECT_TRUE(attributes["epochs"].is_number_integer());
  EXPECT_TRUE(attributes["accuracy"].is_number_float());
  EXPECT_EQ(attributes["seed"].get<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
}

TEST_F(ArtifactFile, KeepsOtherAttributesAsTheirJsonText) {
  Content content;
  content.attributes = {{"nested", {{"a", {1, 2}}}}, {"yes", true}, {"nothing", nullptr}};
  write_artifact(file_, content);
  EXPECT_EQ(read_artifact(file_).attributes,
            (Json{{"nested", R"({"a":[1,2]})"}, {"yes", "true"}, {"nothing", "null"}}));
}

TEST_F(ArtifactFile, KeepsLongTexts) {
  Content content;
  content.attributes["spec"] = std::string(1000000, 's');
  write_artifact(file_, content);
  EXPECT_TRUE(read_artifact(file_).attributes == content.attributes);
}

TEST_F(ArtifactFile, HoldsAModelOfManyArrays) {
  Content content;
  for (int i = 0; i < 500; ++i)
    content.arrays[concat("state/layer", i, ".weight")] =
        Array::own(std::vector<float>(static_cast<std::size_t>(i), 0.5F), {i});
  write_artifact(file_, content);
  expect_equal(read_artifact(file_), content);
}

TEST_F(ArtifactFile, ArraysAreAlignedForTheirType) {
  Content content;  // in the order of their names, odd sizes before wide elements
  for (int i = 0; i < 50; ++i) {
    content.arrays[concat(i, "a")] = Array::own<std::uint8_t>({1, 2, 3}, {3});
    content.arrays[concat(i, "b")] = Array::own<double>({i + 0.5}, {1});
  }
  write_artifact(file_, content);
  const Content read = read_artifact(file_);
  expect_equal(read, content);
  for (const auto& [name, array] : read.arrays)
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data.get()) % element_bytes(array.type), 0u)
        << name;
}

TEST_F(ArtifactFile, ArraysOutliveContentAndFile) {
  write_artifact(file_, example_content());
  const Array images = read_artifact(file_).array("images");
  fs::remove(file_);
  EXPECT_TRUE(bytes_of(images) == bytes_of(example_content().array("images")));
}

// HDF5 would note the time: equal work has to give equal files.
TEST_F(ArtifactFile, IsTheSameAtAnyTime) {
  write_artifact(file_, example_content());
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  write_artifact(folder_ / "b.h5", example_content());
  EXPECT_EQ(sha256(read_text(file_)), sha256(read_text(folder_ / "b.h5")));
}

TEST_F(ArtifactFile, SaysInTextWhatItIs) {
  write_artifact(file_, Content{});
  const std::string bytes = read_text(file_);
  const std::string payload = bytes.substr(512);
  EXPECT_THAT(bytes, ::testing::StartsWith(concat("SWEEP-ARTIFACT 1\nsha256=", sha256(payload),
                                                  "\nlength=", payload.size(), "\n")));
}

TEST_F(ArtifactFile, OneChangedByteAnywhereIsNoticed) {
  write_artifact(file_, example_content());
  const std::string bytes = read_text(file_);
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < 600; i += 20) positions.push_back(i);  // both headers
  for (std::size_t i = 1; i <= 170; ++i) positions.push_back(i * (bytes.size() - 1) / 170);
  for (const std::size_t position : positions) {
    std::string changed = bytes;
    changed[position] = static_cast<char>(changed[position] ^ 0x10);
    expect_damaged(changed, concat("byte ", position));
  }
}

TEST_F(ArtifactFile, EveryTruncationIsNoticed) {
  write_artifact(file_, example_content());
  const std::string bytes = read_text(file_);
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{511}, std::size_t{512},
                           std::size_t{513}, bytes.size() - 1})
    expect_damaged(bytes.substr(0, size), concat(size, " bytes"));
  for (std::size_t i = 1; i < 50; ++i)
    expect_damaged(bytes.substr(0, i * bytes.size() / 50), concat(i, "/50"));
  expect_damaged(bytes + '\0', "one more byte");
}

TEST_F(ArtifactFile, ThatIsNotThereIsAStorageError) {
  EXPECT_THAT(message_of([&] { read_artifact(file_); }, FailureType::storage),
              HasSubstr("a.h5' (No such file or directory)"));
}

TEST_F(ArtifactFile, FullDiskLeavesNothing) {
  EXPECT_EQ(test_support::in_child([&] {
              test_support::limit_file_size(20000);
              message_of([&] { write_artifact(file_, example_content()); }, FailureType::storage);
            }),
            0);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(ArtifactFile, CanBeReadWhileAReplacementIsMade) {
  write_artifact(file_, example_content());
  const Content old = read_artifact(file_);
  write_artifact(file_, Content{});
  expect_equal(old, example_content());
  expect_equal(read_artifact(file_), Content{});
}

TEST(Array, RefusesTheWrongTypeShapeAndName) {
  const Array array = Array::own<float>({1, 2}, {2});
  EXPECT_EQ(array.values<float>()[1], 2.0F);
  message_of([&] { array.values<double>(); }, FailureType::bad_data);
  message_of([] { Array::own<float>({1, 2}, {3}); }, FailureType::internal);
  EXPECT_THAT(message_of([] { Content{}.array("images"); }, FailureType::bad_data),
              HasSubstr("no array 'images'"));
}

}  // namespace
}  // namespace sweep::storage
