// Image sets are files that somebody else has made: by h5py, as a rule, or by an attacker.

#include "storage/image_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/resource.h>

#include <cmath>
#include <fstream>

#include "core/atomic_file.hpp"
#include "core/text.hpp"
#include "storage/hdf5/handle.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::storage {
namespace {

using hdf5::checked;
using ::testing::HasSubstr;

constexpr hsize_t kImages = 6, kSide = 16;

class ImageSetTest : public ::testing::Test {
 protected:
  void SetUp() override { hdf5::init(); }

  hdf5::File create() const {
    return hdf5::File(
        checked(H5Fcreate(file_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), "H5Fcreate"));
  }

  /// An array whose values are the places of its elements, modulo `modulus`, times `scale`.
  static void put(hid_t file, const std::string& name, hid_t type,
                  const std::vector<hsize_t>& shape, hid_t creation = H5P_DEFAULT, double scale = 1,
                  int modulus = 256) {
    std::size_t count = 1;
    for (const auto size : shape) count *= size;
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i)
      values[i] = scale * static_cast<double>(i % static_cast<std::size_t>(modulus));
    const hdf5::Dataspace space(
        checked(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), "space"));
    const hdf5::PropertyList links(checked(H5Pcreate(H5P_LINK_CREATE), "H5Pcreate"));
    checked(H5Pset_create_intermediate_group(links.get(), 1), "intermediate groups");
    const hdf5::Dataset array(checked(
        H5Dcreate2(file, name.c_str(), type, space.get(), links.get(), creation, H5P_DEFAULT),
        "H5Dcreate2"));
    checked(H5Dwrite(array.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
            "H5Dwrite");
  }

  static void put_labels(hid_t file, hsize_t count = kImages) {
    put(file, "labels", H5T_NATIVE_INT64, {count}, H5P_DEFAULT, 1, 4);
  }

  static void put_images(hid_t file) { put(file, "images", H5T_NATIVE_UINT8, kShape); }

  static hdf5::PropertyList creation() {
    return hdf5::PropertyList(checked(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate"));
  }

  static hdf5::PropertyList chunked(const std::vector<hsize_t>& chunk) {
    auto properties = creation();
    checked(H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data()), "chunk");
    return properties;
  }

  Content read(const ImageSetKeys& keys = {}) const { return read_image_set(file_, keys); }

  std::string refusal(const ImageSetKeys& keys = {}) const {
    return test_support::message_of([&] { read(keys); });
  }

  /// With labels as they should be, and images as `fill` makes them.
  std::string refusal_of(const std::function<void(hid_t file)>& fill) const {
    {
      const auto file = create();
      put_labels(file.get());
      fill(file.get());
    }
    return refusal();
  }

  /// An array that is announced and never written.
  static void announce(hid_t file, const std::vector<hsize_t>& shape, hid_t properties,
                       hid_t type = H5T_NATIVE_UINT8) {
    const hdf5::Dataspace space(
        checked(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), "space"));
    const hdf5::Dataset array(checked(
        H5Dcreate2(file, "images", type, space.get(), H5P_DEFAULT, properties, H5P_DEFAULT), "x"));
  }

  static inline const std::vector<hsize_t> kShape{kImages, 3, kSide, kSide};
  const test_support::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "set.h5";
};

TEST_F(ImageSetTest, BytesAsTheyAre) {
  {
    const auto file = create();
    put_images(file.get());
    put(file.get(), "labels", H5T_STD_I16BE, {kImages}, H5P_DEFAULT, -1);
  }
  const Content set = read();
  const Array& images = set.array("images");
  EXPECT_EQ(images.shape, (std::vector<std::int64_t>{kImages, 3, kSide, kSide}));
  const auto values = images.values<std::uint8_t>();
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], i % 256);
  EXPECT_THAT(set.array("labels").values<std::int64_t>(),
              ::testing::ElementsAre(0, -1, -2, -3, -4, -5));
}

TEST_F(ImageSetTest, CompressedChunksThatDoNotDivideTheShape) {
  {
    const auto file = create();
    const auto properties = chunked({4, 2, 5, 7});
    checked(H5Pset_shuffle(properties.get()), "H5Pset_shuffle");
    checked(H5Pset_deflate(properties.get(), 9), "H5Pset_deflate");
    checked(H5Pset_fletcher32(properties.get()), "H5Pset_fletcher32");
    put(file.get(), "group/images", H5T_NATIVE_UINT8, kShape, properties.get());
    put_labels(file.get());
  }
  const Content set = read({.images = "group/images"});
  const auto values = set.array("group/images").values<std::uint8_t>();
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], i % 256);
}

TEST_F(ImageSetTest, FloatsOfEverySizeAndOrderBecomeFloat32) {
  const hdf5::Datatype half(checked(H5Tcopy(H5T_IEEE_F32LE), "H5Tcopy"));
  checked(H5Tset_fields(half.get(), 15, 10, 5, 0, 10), "H5Tset_fields");
  checked(H5Tset_size(half.get(), 2), "H5Tset_size");
  checked(H5Tset_ebias(half.get(), 15), "H5Tset_ebias");
  for (const hid_t type : {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, half.get()}) {
    {
      const auto file = create();
      put(file.get(), "images", type, kShape, H5P_DEFAULT, 1.0 / 256);
      put_labels(file.get());
    }
    const Content set = read();
    const auto values = set.array("images").values<float>();
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(values[i], static_cast<float>(i % 256) / 256);
  }
}

TEST_F(ImageSetTest, OtherArraysWhereTheyAreThere) {
  {
    const auto file = create();
    put_images(file.get());
    put(file.get(), "clean_images", H5T_NATIVE_FLOAT, kShape, H5P_DEFAULT, 1.0 / 256);
    put_labels(file.get());
  }
  const Content set =
      read({.more_images = {"clean_images", "none"}, .more_integers = {"target_classes"}});
  EXPECT_EQ(set.arrays.size(), 3);
  EXPECT_EQ(set.array("clean_images").type, ElementType::float32);
}

TEST_F(ImageSetTest, NoFileAndNoHdf5) {
  EXPECT_THAT(refusal(), HasSubstr("set.h5' is not there"));
  std::filesystem::create_directory(file_);
  EXPECT_THAT(refusal(), HasSubstr("is no file"));
  std::filesystem::remove(file_);
  for (const char* text : {"", "images", "\211HDF\r\n\032\n and nothing more"}) {
    write_atomically(file_, text);
    EXPECT_THAT(refusal(), HasSubstr("can't be opened as HDF5"));
  }
}

TEST_F(ImageSetTest, MissingArraysAreNamedWithWhatIsThere) {
  {
    const auto file = create();
    put(file.get(), "images_u8", H5T_NATIVE_UINT8, kShape);
    put_labels(file.get());
  }
  EXPECT_THAT(refusal(), HasSubstr("has no array 'images' (it has: images_u8, labels)"));
  EXPECT_THAT(refusal({.images = "images_u8", .labels = "labels/0"}),
              HasSubstr("has no array 'labels/0'"));
  EXPECT_THAT(refusal({.images = "/"}), HasSubstr("has no array '/'"));
}

TEST_F(ImageSetTest, WrongShapesAndTypes) {
  EXPECT_THAT(refusal_of([](hid_t f) {
                put(f, "images", H5T_NATIVE_UINT8, {kImages, 3, kSide});
              }),
              HasSubstr("'images' with 3 dimensions; it must have 4"));
  EXPECT_THAT(refusal_of([](hid_t f) {
                put(f, "images", H5T_NATIVE_UINT8, {kImages, 1, kSide, kSide});
              }),
              HasSubstr("with 1 channels"));
  EXPECT_THAT(refusal_of([](hid_t f) {
                put(f, "images", H5T_NATIVE_UINT8, {kImages, kSide, kSide, 3});
              }),
              HasSubstr("of the size 16 in dimension 1"));
  EXPECT_THAT(refusal_of([](hid_t f) {
                put(f, "images", H5T_NATIVE_UINT8, {kImages - 1, 3, kSide, kSide});
              }),
              HasSubstr("has 5 images and 6 values in 'labels'"));
  EXPECT_THAT(refusal_of([&](hid_t f) { put(f, "images", H5T_NATIVE_INT, kShape); }),
              HasSubstr("neither uint8 nor float"));
  EXPECT_THAT(refusal_of([&](hid_t f) { put(f, "images", H5T_NATIVE_SCHAR, kShape); }),
              HasSubstr("neither uint8 nor float"));
  {
    const auto file = create();
    put_images(file.get());
    put(file.get(), "labels", H5T_NATIVE_DOUBLE, {kImages});
  }
  EXPECT_THAT(refusal(), HasSubstr("'labels' of a type that is no integer"));
}

TEST_F(ImageSetTest, PixelsOutsideTheirRange) {
  EXPECT_THAT(refusal_of([&](hid_t f) { put(f, "images", H5T_NATIVE_FLOAT, kShape); }),
              HasSubstr("pixel value 2 in 'images', image 0"));
  EXPECT_THAT(
      refusal_of([&](hid_t f) { put(f, "images", H5T_NATIVE_FLOAT, kShape, H5P_DEFAULT, NAN); }),
      HasSubstr("pixel value nan in 'images', image 0"));
}

// What is announced is compared with the file before memory is taken for it.
TEST_F(ImageSetTest, SizesThatTheFileDoesNotExplain) {
  const std::vector<hsize_t> large{1 << 20, 3, 4096, 4096};  // 48 TiB
  EXPECT_THAT(refusal_of([&](hid_t f) { announce(f, large, H5P_DEFAULT); }),
              HasSubstr("bytes can hold"));
  EXPECT_THAT(refusal_of([&](hid_t f) {
                announce(f, large, chunked({1, 3, 64, 64}).get());
              }),
              HasSubstr("bytes can hold"));
  EXPECT_THAT(refusal_of([&](hid_t f) {
                announce(f, {hsize_t{1} << 62, 3, 64, 64}, H5P_DEFAULT);
              }),
              HasSubstr("in dimension 0"));
  EXPECT_THAT(refusal_of([&](hid_t f) {
                announce(f, {0, 3, 64, 64}, H5P_DEFAULT);
              }),
              HasSubstr("of the size 0 in dimension 0"));
  // Small enough for the file, were it there.
  EXPECT_THAT(refusal_of([&](hid_t f) {
                announce(f, {1, 3, 4, 4}, H5P_DEFAULT);
              }),
              HasSubstr("never written"));
  EXPECT_THAT(refusal_of([&](hid_t f) {
                announce(f, {4, 3, 4, 4}, chunked({2, 3, 4, 4}).get());
              }),
              HasSubstr("never written"));
}

TEST_F(ImageSetTest, WhatLeadsOutOfTheFile) {
  EXPECT_THAT(refusal_of([](hid_t f) {
                H5Lcreate_external("/etc/passwd", "/", f, "images", H5P_DEFAULT, H5P_DEFAULT);
              }),
              HasSubstr("link that leads elsewhere at 'images'"));
  EXPECT_THAT(refusal_of([&](hid_t f) {
                put(f, "real", H5T_NATIVE_UINT8, kShape);
                H5Lcreate_soft("/real", f, "images", H5P_DEFAULT, H5P_DEFAULT);
              }),
              HasSubstr("link that leads elsewhere"));
  EXPECT_THAT(refusal_of([&](hid_t f) {
                const auto properties = creation();
                H5Pset_external(properties.get(), "/etc/passwd", 0, H5F_UNLIMITED);
                announce(f, {1, 3, 4, 4}, properties.get());
              }),
              HasSubstr("its storage is external"));
  EXPECT_THAT(refusal_of([&](hid_t f) {
                const auto properties = creation();
                const hsize_t shape[]{1, 3, 4, 4};
                const hdf5::Dataspace space(H5Screate_simple(4, shape, nullptr));
                checked(H5Pset_virtual(properties.get(), space.get(), "/tmp/other.h5", "images",
                                       space.get()),
                        "H5Pset_virtual");
                announce(f, {1, 3, 4, 4}, properties.get());
              }),
              HasSubstr("virtual dataset"));
}

TEST_F(ImageSetTest, FiltersThatAreNotHdf5s) {
  EXPECT_THAT(refusal_of([&](hid_t f) {
                const auto properties = chunked({6, 3, 16, 16});
                H5Pset_scaleoffset(properties.get(), H5Z_SO_INT, 0);
                put(f, "images", H5T_NATIVE_UINT8, kShape, properties.get());
              }),
              HasSubstr("with the filter 6"));
  EXPECT_THAT(refusal_of([&](hid_t f) {
                const auto properties = chunked({6, 3, 16, 16});
                H5Pset_deflate(properties.get(), 9);
                H5Pset_deflate(properties.get(), 9);
                put(f, "images", H5T_NATIVE_UINT8, kShape, properties.get());
              }),
              HasSubstr("deflated 2 times"));
}

// A chunk whose stored form unpacks to far more than the chunk: HDF5 would take all of it.
TEST_F(ImageSetTest, ChunkThatIsABomb) {
  {
    const auto file = create();
    put_labels(file.get());
    const auto properties = chunked(kShape);
    H5Pset_deflate(properties.get(), 9);
    announce(file.get(), kShape, properties.get());
    // Zeros in the "stored" form of a larger array, moved under the small one's header.
    const auto other = chunked({1, 384, 1024, 1024});
    H5Pset_deflate(other.get(), 9);
    const std::vector<hsize_t> shape{1, 384, 1024, 1024};
    const hdf5::Dataspace space(H5Screate_simple(4, shape.data(), nullptr));
    const hdf5::Dataset bomb(H5Dcreate2(file.get(), "bomb", H5T_NATIVE_UINT8, space.get(),
                                        H5P_DEFAULT, other.get(), H5P_DEFAULT));
    const std::vector<std::uint8_t> zeros(std::size_t{384} << 20);
    checked(H5Dwrite(bomb.get(), H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros.data()),
            "H5Dwrite");
    const hsize_t origin[4]{};
    hsize_t bytes = 0;
    checked(H5Dget_chunk_storage_size(bomb.get(), origin, &bytes), "size");
    std::vector<std::byte> packed(bytes);
    std::uint32_t filters = 0;
    checked(H5Dread_chunk(bomb.get(), H5P_DEFAULT, origin, &filters, packed.data()), "read");
    const hdf5::Dataset images(H5Dopen2(file.get(), "images", H5P_DEFAULT));
    checked(H5Dwrite_chunk(images.get(), H5P_DEFAULT, 0, origin, bytes, packed.data()), "write");
  }
  rusage after{};
  EXPECT_THAT(refusal(), HasSubstr("H5Dread failed"));
  ::getrusage(RUSAGE_CHILDREN, &after);
  EXPECT_LT(after.ru_maxrss, 380 << 10) << "KiB: the reader has unpacked the bomb";
}

// Whatever HDF5 makes of damage: an error, or images, and no crash. Some of these files crash
// HDF5 1.10.8 where they are read in the same process.
TEST_F(ImageSetTest, DamageAtEveryPlace) {
  {
    const auto file = create();
    const auto properties = chunked({2, 3, 4, 4});
    H5Pset_shuffle(properties.get());
    H5Pset_deflate(properties.get(), 1);
    put(file.get(), "images", H5T_NATIVE_FLOAT, {3, 3, 4, 4}, properties.get(), 1.0 / 256);
    put_labels(file.get(), 3);
  }
  const std::string whole = read_text(file_);
  int read_well = 0, refused = 0;
  const auto attempt = [&](const std::string& content) {
    std::ofstream(file_, std::ios::binary) << content;
    try {
      read();
      ++read_well;
    } catch (const InputError&) {
      ++refused;
    }
  };
  for (std::size_t place = 0; place < whole.size(); place += 31) {
    std::string changed = whole;
    changed[place] = static_cast<char>(place % 2 == 0 ? ~changed[place] : 0x7f);
    attempt(changed);
  }
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += 97) attempt(whole.substr(0, bytes));
  EXPECT_GT(read_well, 10);
  EXPECT_GT(refused, 10);
}

}  // namespace
}  // namespace sweep::storage
