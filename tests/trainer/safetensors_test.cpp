#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>

#include "core/atomic_file.hpp"
#include "core/text.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/reference_h5.hpp"
#include "tests/support/temporary_folder.hpp"
#include "trainer/models/model.hpp"
#include "trainer/module_state.hpp"
#include "trainer/weights/weights.hpp"

namespace sweep::trainer {
namespace {

using sweep::test_support::message_of;
using ::testing::HasSubstr;

/// The length, the header, the data.
std::string bytes_with(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + std::string(data_bytes, '\1');
}

std::string entry(const std::string& type, const std::string& shape, const std::string& offsets) {
  return concat(R"({"dtype":")", type, R"(","shape":)", shape, R"(,"data_offsets":)", offsets, "}");
}

class Safetensors : public ::testing::Test {
 protected:
  NamedTensors read(const std::string& bytes) const {
    std::ofstream(file_, std::ios::binary) << bytes;
    return read_weights(file_);
  }

  std::string refusal(const std::string& header, std::size_t data_bytes) const {
    const auto message = message_of([&] { read(bytes_with(header, data_bytes)); });
    EXPECT_THAT(message, HasSubstr(file_.string()));
    return message;
  }

  NamedTensors round_trip(const NamedTensors& tensors) const {
    write_safetensors(file_, tensors);
    return read_weights(file_);
  }

  const sweep::test_support::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "a.safetensors";
};

TEST_F(Safetensors, GiveBackWhatWasWritten) {
  NamedTensors tensors;
  const auto values = at::tensor({0.0, 1.0, 2.0, 3.0, 1.0, 0.0}, at::kDouble).view({2, 3});
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                          at::kShort, at::kChar, at::kByte, at::kBool})
    tensors[at::toString(type)] = values.to(type);
  tensors["scalar"] = at::scalar_tensor(5, at::kLong);
  tensors["empty"] = at::empty({3, 0, 2}, at::kHalf);
  tensors["transposed"] = values.t();
  tensors["odd \"name\" \u00fc"] = at::tensor({1, 2, 3}, at::kByte);
  const auto read = round_trip(tensors);
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(read.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_EQ(read.at(name).sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(read.at(name).equal(tensor)) << name;
    EXPECT_TRUE(read.at(name).is_contiguous()) << name;
  }
}

TEST_F(Safetensors, OfNothing) {
  EXPECT_TRUE(round_trip({}).empty());
}

TEST_F(Safetensors, AreAlignedAndAlwaysTheSameBytes) {
  const NamedTensors tensors{{"a", at::ones({3}, at::kByte)},
                             {"b", at::ones({3}, at::kDouble)},
                             {"c", at::ones({1}, at::kHalf)}};
  write_safetensors(file_, tensors);
  const std::string bytes = read_text(file_);
  write_safetensors(file_, tensors);
  EXPECT_EQ(read_text(file_), bytes);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  EXPECT_EQ(length % 8, 0U);
  const Json header = Json::parse(bytes.substr(8, length));
  EXPECT_EQ(header.at("b").at("data_offsets"), Json({0, 24}));
  EXPECT_EQ(header.at("c").at("data_offsets"), Json({24, 26}));
  EXPECT_EQ(header.at("a").at("data_offsets"), Json({26, 29}));
}

TEST_F(Safetensors, OfTheReferenceResults) {
  const auto path = sweep::test_support::reference_file("resnet18_A.safetensors");
  if (path.empty()) GTEST_SKIP() << "no reference results";
  const auto weights = read_weights(path);
  EXPECT_EQ(weights.size(), 122U);
  EXPECT_EQ(weights.at("fc.weight").scalar_type(), at::kHalf);
  const auto model = ModelRegistry::instance().at("resnet18").make(Json{{"normalize", "none"}}, 4);
  copy_state(weights, state_of(model->module()), "resnet18");
  const auto again = round_trip(weights);
  for (const auto& [name, tensor] : weights) EXPECT_TRUE(tensor.equal(again.at(name))) << name;
}

TEST_F(Safetensors, WithFaultyEntriesAreRefusedByName) {
  const auto refused = [&](const std::string& described, std::size_t data_bytes) {
    const auto message = refusal(concat(R"({"w":)", described, "}"), data_bytes);
    EXPECT_THAT(message, HasSubstr("tensor 'w'")) << described;
    return message;
  };
  EXPECT_THAT(refused(entry("F8_E4M3", "[1]", "[0,1]"), 1), HasSubstr("'F8_E4M3'"));
  EXPECT_THAT(refused(entry("F32", "[1]", "[0,8]"), 8), HasSubstr("has 8 bytes"));
  EXPECT_THAT(refused(entry("F32", "[2]", "[0,8]"), 7), HasSubstr("lies at"));
  EXPECT_THAT(refused(entry("U8", "[2]", "[1,3]"), 3), HasSubstr("gap"));
  EXPECT_THAT(refused(entry("U8", "[2]", "[2,0]"), 2), HasSubstr("lies at"));
  for (const char* shape : {"[-1]", "[1.0]", "\"1\"", "[18446744073709551615]", "null"})
    EXPECT_THAT(refused(entry("U8", shape, "[0,1]"), 1), HasSubstr("shape")) << shape;
  // 2^64 elements are 0 in 64 bits; so are 2^61 doubles in bytes.
  for (const char* shape :
       {"[4294967296,4294967296]", "[2305843009213693952]", "[0,4611686018427387904,4]"})
    EXPECT_THAT(refused(entry("F64", shape, "[0,0]"), 0), HasSubstr("has 0 bytes")) << shape;
  for (const char* offsets : {"[0]", "[0,1,1]", "[0,-1]", "{}"})
    EXPECT_THAT(refused(entry("U8", "[1]", offsets), 1), HasSubstr("data_offsets")) << offsets;
  for (const char* described : {"1", "[]", "{}", R"({"dtype":3})"})
    EXPECT_THAT(refused(described, 0), HasSubstr("type")) << described;
}

TEST_F(Safetensors, MustNotShareBytesOrHaveTwoTensorsOfOneName) {
  const auto both = [&](const std::string& second_name, const std::string& offsets) {
    return refusal(concat(R"({"a":)", entry("U8", "[2]", "[0,2]"), R"(,")", second_name, R"(":)",
                          entry("U8", "[2]", offsets), "}"),
                   4);
  };
  EXPECT_THAT(both("b", "[1,3]"), HasSubstr("tensor 'b' overlaps"));
  EXPECT_THAT(both("b", "[0,2]"), HasSubstr("overlaps"));
  EXPECT_THAT(both("a", "[2,4]"), HasSubstr("tensor 'a' is there twice"));
}

TEST_F(Safetensors, WithFaultyHeadersAreRefused) {
  EXPECT_THAT(refusal("{}", 5), HasSubstr("its last 5 bytes belong to no tensor"));
  EXPECT_THAT(refusal("{\"a\":}", 0), HasSubstr("no JSON"));
  EXPECT_THAT(refusal("[1]", 0), HasSubstr("neither a safetensors file"));
  EXPECT_THAT(refusal("{\"a\xff\":1}", 0), HasSubstr("no JSON"));
  EXPECT_THAT(refusal(concat("{\"a\":", std::string(1'000'000, '[')), 0), HasSubstr("too deeply"));
  const std::string long_name(100'000, 'n');
  EXPECT_LT(refusal(concat("{\"", long_name, "\":{}}"), 0).size(), 1000U);
}

TEST_F(Safetensors, WithNamesThatFitIntoNoMessageAreRefused) {
  for (const std::string& name : {std::string(), std::string(257, 'n'), std::string("a\nb")}) {
    write_safetensors(file_, {{name, at::ones({1})}});
    EXPECT_THAT(message_of([&] { read_weights(file_); }), HasSubstr("is called"));
  }
}

TEST_F(Safetensors, TruncatedAnywhereAreRefused) {
  write_safetensors(file_, {{"a", at::ones({3}, at::kByte)}, {"b", at::ones({3}, at::kDouble)}});
  const std::string whole = read_text(file_);
  for (std::size_t length = 0; length < whole.size(); ++length)
    message_of([&] { read(whole.substr(0, length)); });
  EXPECT_EQ(read(whole).size(), 2U);
}

TEST_F(Safetensors, WithAHeaderLengthBeyondTheFileTakeNoMemory) {
  std::string bytes = bytes_with("{}", 0);
  for (const std::uint64_t length : {3ULL, 1ULL << 40, ~0ULL}) {
    std::memcpy(bytes.data(), &length, sizeof length);
    EXPECT_THAT(message_of([&] { read(bytes); }), HasSubstr("a.safetensors"));
  }
}

TEST_F(Safetensors, WithTruthValuesOtherThanZeroAndOneAreRefused) {
  auto bytes = bytes_with(concat(R"({"w":)", entry("BOOL", "[2]", "[0,2]"), "}"), 2);
  EXPECT_TRUE(read(bytes).at("w").all().item<bool>());
  bytes.back() = 2;
  EXPECT_THAT(message_of([&] { read(bytes); }), HasSubstr("tensor 'w' has truth values"));
}

TEST_F(Safetensors, MustBeARegularFile) {
  EXPECT_THAT(message_of([&] { read_weights(folder_ / "none"); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of([&] { read_weights(folder_.path()); }), HasSubstr("no regular file"));
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  EXPECT_THAT(message_of([&] { read_weights(file_); }), HasSubstr("no regular file"));
}

}  // namespace
}  // namespace sweep::trainer
