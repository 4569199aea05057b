// Files whose checksum is right and whose HDF5 is not ours: bad data, never a crash.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <array>
#include <functional>

#include "core/atomic_file.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "storage/artifact_file.hpp"
#include "storage/hdf5/handle.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::storage {
namespace {

using hdf5::checked;
using test_support::message_of;
using ::testing::HasSubstr;

class HostileFile : public ::testing::Test {
 protected:
  HostileFile() { hdf5::init(); }

  /// The message of reading a file that `fill` makes and that then gets a valid checksum.
  std::string refusal(const std::function<void(hid_t file)>& fill) {
    {
      const hdf5::PropertyList creation(checked(H5Pcreate(H5P_FILE_CREATE), "H5Pcreate"));
      checked(H5Pset_userblock(creation.get(), 512), "H5Pset_userblock");
      const hdf5::File file(checked(
          H5Fcreate(file_.c_str(), H5F_ACC_TRUNC, creation.get(), H5P_DEFAULT), "H5Fcreate"));
      fill(file.get());
    }
    return refusal_of_payload(read_text(file_).substr(512));
  }

  std::string refusal_of_payload(const std::string& payload) {
    std::string header =
        concat("SWEEP-ARTIFACT 1\nsha256=", sha256(payload), "\nlength=", payload.size(), "\n");
    header.resize(512);
    write_atomically(file_, header + payload);
    return message_of([&] { read_artifact(file_); }, FailureType::bad_data);
  }

  static std::string bytes_of(const std::array<hsize_t, 2>& shape) {
    return {reinterpret_cast<const char*>(shape.data()), sizeof shape};
  }

  static void make_array(hid_t file, const std::vector<hsize_t>& shape, hid_t type,
                         hid_t properties = H5P_DEFAULT) {
    const hdf5::Dataspace space(
        checked(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                "H5Screate_simple"));
    const hdf5::Dataset array(
        checked(H5Dcreate2(file, "x", type, space.get(), H5P_DEFAULT, properties, H5P_DEFAULT),
                "H5Dcreate2"));
  }

  const test_support::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "a.h5";
};

TEST_F(HostileFile, ShapesThatOverflow) {
  Content content;
  content.arrays["x"] = Array::own(std::vector<double>(15), {3, 5});
  write_artifact(file_, content);
  const std::string payload = read_text(file_).substr(512);
  const auto place = payload.find(bytes_of({3, 5}));
  ASSERT_NE(place, std::string::npos);
  // 2^64 elements are 0 in 64 bits, 2^61 doubles are 0 bytes, 2^63 is negative, the last is too
  // big.
  constexpr hsize_t kOne = 1;
  for (const auto& shape : std::vector<std::array<hsize_t, 2>>{{kOne << 32, kOne << 32},
                                                               {kOne << 61, 1},
                                                               {kOne << 63, 1},
                                                               {kOne << 63, 0},
                                                               {3, 5000}}) {
    std::string changed = payload;
    changed.replace(place, sizeof shape, bytes_of(shape));
    refusal_of_payload(changed);
  }
}

TEST_F(HostileFile, ArrayBeyondTheEnd) {
  // Never written: HDF5 gives it no place in the file.
  EXPECT_THAT(refusal([](hid_t file) { make_array(file, {1000}, H5T_NATIVE_FLOAT); }),
              HasSubstr("beyond the end"));
  EXPECT_THAT(refusal([](hid_t file) { make_array(file, {1}, H5T_NATIVE_FLOAT); }),
              HasSubstr("beyond the end"));
}

TEST_F(HostileFile, ForeignElementType) {
  EXPECT_THAT(refusal([](hid_t file) { make_array(file, {1}, H5T_NATIVE_SHORT); }),
              HasSubstr("array 'x' has an element type that is not ours"));
}

TEST_F(HostileFile, ForeignAttributes) {
  const auto with_attribute = [](hid_t type, hsize_t count) {
    return [type, count](hid_t file) {
      const hdf5::Dataspace space(checked(H5Screate_simple(1, &count, nullptr), "H5Screate"));
      const hdf5::Attribute attribute(checked(
          H5Acreate2(file, "x", type, space.get(), H5P_DEFAULT, H5P_DEFAULT), "H5Acreate2"));
    };
  };
  EXPECT_THAT(refusal(with_attribute(H5T_C_S1, 1)), HasSubstr("attribute 'x'"));
  // Read into one number, a list would overrun it.
  EXPECT_THAT(refusal(with_attribute(H5T_NATIVE_INT64, 1000)), HasSubstr("attribute 'x'"));
  EXPECT_THAT(refusal(with_attribute(H5T_NATIVE_DOUBLE, 1000)), HasSubstr("attribute 'x'"));
}

TEST_F(HostileFile, NoHdf5AtAll) {
  EXPECT_THAT(refusal_of_payload(std::string(10000, 'x')),
              HasSubstr("a.h5' can't be used (HDF5 call H5Fopen failed"));
}

// Whatever HDF5 makes of it: no crash.
TEST_F(HostileFile, DamageUnderAValidChecksum) {
  Content content;
  content.arrays["group/x"] = Array::own<double>({1, 2, 3}, {3});
  content.attributes["text"] = "some text";
  write_artifact(file_, content);
  const std::string payload = read_text(file_).substr(512);
  for (std::size_t position = 0; position < payload.size(); position += 13) {
    std::string changed = payload;
    changed[position] = static_cast<char>(~changed[position]);
    std::string header =
        concat("SWEEP-ARTIFACT 1\nsha256=", sha256(changed), "\nlength=", changed.size(), "\n");
    header.resize(512);
    write_atomically(file_, header + changed);
    try {
      read_artifact(file_);
    } catch (const Error& error) {
      EXPECT_EQ(error.type(), FailureType::bad_data);
    }
  }
}

}  // namespace
}  // namespace sweep::storage
