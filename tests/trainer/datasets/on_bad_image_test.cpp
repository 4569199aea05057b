#include <gmock/gmock.h>

#include <algorithm>

#include "tests/trainer/datasets/sources.hpp"

namespace sweep::trainer {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Train: images a0..a4 and b0..b4, test: a0, a1, b0, b1. The grey tells which one it is.
class OnBadImage : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [split, count] : {std::pair("train", 5), std::pair("test", 2)})
      for (int i = 0; i < count; ++i)
        for (const std::string name : {"a", "b"})
          write_file(image(split, name, i), jpeg_of(grey_of(name, i)));
  }
  static Pixels grey_of(const std::string& name, int i) {
    const auto grey = static_cast<std::uint8_t>(20 * i + (name == "a" ? 20 : 130));
    return plain(64, 64, grey, grey, grey);
  }
  std::filesystem::path image(const std::string& split, const std::string& name, int i) const {
    return folder_ / concat(split, "/", name, "/", name, i, ".jpg");
  }
  /// Ends as a JPEG file should: only decoding finds what is wrong.
  void damage(const std::filesystem::path& path) {
    std::string jpeg = read_file(path);
    const std::size_t pixels = jpeg.find("\xFF\xDA") + 14;
    write_file(path, jpeg.substr(0, pixels) + std::string(40, '\xFE') + "\xFF\xD9");
  }
  std::unique_ptr<Dataset> dataset(const std::string& on_bad_image = "skip") const {
    return make_dataset(
        "image_folder",
        {{"root", folder_.path().string()}, {"image_size", 16}, {"on_bad_image", on_bad_image}});
  }
  static std::vector<std::string> texts(const std::vector<SkippedImage>& skipped) {
    std::vector<std::string> texts;
    for (const auto& s : skipped)
      texts.push_back(concat(s.id, " ", s.split, " ", s.class_name, ": ", s.reason));
    return texts;
  }

  sweep::test_support::TemporaryFolder folder_;
};

TEST_F(OnBadImage, ErrorIsTheDefault) {
  write_file(image("train", "a", 1), "");
  const auto made = make_dataset("image_folder", {{"root", folder_.path().string()}});
  EXPECT_THAT(failure_of([&] { made->inspect(); }),
              AllOf(HasSubstr("a1.jpg' is empty"), HasSubstr("--set dataset.on_bad_image=skip")));
  EXPECT_THAT(failure_of([&] {
                make_dataset("image_folder", {{"root", "x"}, {"on_bad_image", "x"}});
              }),
              HasSubstr("on_bad_image"));
}

TEST_F(OnBadImage, SkippedImagesAreListedAndTheOthersKeepTheirPlaces) {
  std::filesystem::remove(image("train", "b", 2));
  std::filesystem::create_symlink("/nowhere.jpg", image("train", "b", 2));
  write_file(image("train", "a", 3), "<html>");
  damage(image("train", "a", 0));
  damage(image("test", "b", 1));

  const DatasetSummary summary = dataset()->inspect();
  EXPECT_THAT(summary.train_counts, ElementsAre(4, 4));  // a0 looks right from outside
  EXPECT_THAT(summary.test_counts, ElementsAre(2, 2));
  EXPECT_THAT(summary.notes,
              Contains(AllOf(HasSubstr("2 images are skipped"), HasSubstr("b2.jpg is missing"))));

  for (const int threads : {1, 4}) {
    const PreparedDataset prepared = prepare(*dataset(), threads);
    EXPECT_THAT(texts(prepared.skipped),
                ElementsAre(HasSubstr("train/a/a0.jpg train a: can't be decoded as JPEG"),
                            "train/a/a3.jpg train a: is no JPEG, PNG or DICOM image",
                            "train/b/b2.jpg train b: is missing",
                            HasSubstr("test/b/b1.jpg test b: can't be decoded as JPEG")));
    EXPECT_THAT(prepared.train.labels, ElementsAre(0, 0, 0, 1, 1, 1, 1));
    EXPECT_THAT(prepared.test.labels, ElementsAre(0, 0, 1));
    EXPECT_THAT(prepared.train.sample_ids,
                ElementsAre("train/a/a1.jpg", "train/a/a2.jpg", "train/a/a4.jpg", "train/b/b0.jpg",
                            "train/b/b1.jpg", "train/b/b3.jpg", "train/b/b4.jpg"));
    ASSERT_EQ(prepared.train.images.size(), 7U * 3 * 16 * 16);
    const int greys[] = {40, 60, 100, 130, 150, 190, 210};
    for (std::size_t i = 0; i < prepared.train.images.size(); ++i)
      ASSERT_NEAR(prepared.train.images[i], greys[i / (3 * 16 * 16)], 2) << i;
    ASSERT_EQ(prepared.test.images.size(), 3U * 3 * 16 * 16);
  }
}

TEST_F(OnBadImage, ReasonsNameNoFolder) {
  damage(image("train", "a", 0));
  for (const auto& image : prepare(*dataset()).skipped)
    EXPECT_EQ(image.reason.find(folder_.path().string()), std::string::npos) << image.reason;
}

TEST_F(OnBadImage, AClassThatIsLeftEmptyIsAnError) {
  for (const int i : {0, 1}) write_file(image("test", "b", i), "");
  EXPECT_THAT(failure_of([&] { dataset()->inspect(); }),
              AllOf(HasSubstr("no test images of the class b"), HasSubstr("is empty")));
  for (const int i : {0, 1}) write_file(image("test", "b", i), jpeg_of(grey_of("b", i)));
  for (const int i : {0, 1}) damage(image("test", "b", i));
  dataset()->inspect();
  EXPECT_THAT(failure_of([&] { prepare(*dataset()); }, FailureType::bad_data),
              HasSubstr("no test images of the class b"));
}

TEST_F(OnBadImage, ARepairedImageIsANewSource) {
  const std::string whole = dataset()->inspect().source_fingerprint;
  std::filesystem::remove(image("train", "a", 1));
  std::filesystem::create_symlink("/nowhere.jpg", image("train", "a", 1));
  EXPECT_NE(dataset()->inspect().source_fingerprint, whole);
}

}  // namespace
}  // namespace sweep::trainer
