#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/trainer/datasets/dicom_files.hpp"
#include "tests/trainer/datasets/sources.hpp"
#include "trainer/datasets/png.hpp"

namespace sweep::trainer {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ImageFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 6; ++i) {
      add(concat("benign/b", i, ".jpg"), 200);
      add(concat("malignant/deep/m", i, ".JPEG"), 40);
    }
  }
  void add(const std::string& name, std::uint8_t grey) {
    write_file(folder_ / name, jpeg_of(plain(20, 30, grey, grey, grey)));
  }
  std::unique_ptr<Dataset> dataset(Json options = Json::object()) const {
    options["root"] = folder_.path().string();
    options["image_size"] = 16;
    return make_dataset("image_folder", options);
  }
  std::string problem() const {
    return failure_of([&] { dataset()->inspect(); });
  }

  sweep::test_support::TemporaryFolder folder_;
};

TEST_F(ImageFolderTest, FoldersAreClassesAndEachIsSplit) {
  const auto summary = dataset({{"test_fraction", "1/3"}})->inspect();
  EXPECT_THAT(summary.class_names, ElementsAre("benign", "malignant"));
  EXPECT_THAT(summary.train_counts, ElementsAre(4, 4));
  EXPECT_THAT(summary.test_counts, ElementsAre(2, 2));
  const auto prepared = prepare(*dataset({{"test_fraction", "1/3"}}));
  ASSERT_EQ(prepared.train.labels.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_NEAR(prepared.train.images[i * 3 * 16 * 16], prepared.train.labels[i] == 0 ? 200 : 40,
                2);
  EXPECT_THAT(prepared.train.sample_ids.front(), HasSubstr("benign/b"));
}

TEST_F(ImageFolderTest, ASplitThatIsThereIsTaken) {
  const sweep::test_support::TemporaryFolder split;
  for (const std::string part : {"train", "test"})
    std::filesystem::copy(folder_.path(), split / part, std::filesystem::copy_options::recursive);
  const auto made = make_dataset("image_folder", {{"root", split.path().string()}});
  EXPECT_THAT(made->inspect().train_counts, ElementsAre(6, 6));
  EXPECT_THAT(made->inspect().test_counts, ElementsAre(6, 6));
  write_file(split / "test/unknown/x.jpg", "x");
  EXPECT_THAT(failure_of([&] { made->inspect(); }), HasSubstr("train/ does not have"));
}

TEST_F(ImageFolderTest, TheFingerprintFollowsTheFiles) {
  const auto before = dataset()->inspect().source_fingerprint;
  EXPECT_EQ(dataset()->inspect().source_fingerprint, before);
  write_file(folder_ / "benign/b0.jpg", jpeg_of(plain(50, 50, 1, 200, 3)));
  EXPECT_NE(dataset()->inspect().source_fingerprint, before);
}

TEST_F(ImageFolderTest, OtherFilesAreLeftOutAndCounted) {
  write_file(folder_ / "benign/notes.txt", "notes");
  write_file(folder_ / "benign/.hidden.jpg", "nothing");
  const auto notes = dataset()->inspect().notes;
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes.front(), AllOf(HasSubstr("1 files"), HasSubstr("benign/notes.txt")));
}

TEST_F(ImageFolderTest, EveryKindAndSizeOfImageIsRead) {
  write_file(folder_ / "benign/x.dcm",
             DicomFile{.rows = 90, .columns = 7, .pixels = std::string(630, '\xC8')}.bytes());
  write_file(folder_ / "benign/y.png", encode_png(plain(1, 300, 200, 200, 200)));
  write_file(folder_ / "benign/z.jpg",
             jpeg_of(plain(200, 3, 200, 200, 200), TJSAMP_420, TJFLAG_PROGRESSIVE));
  const auto prepared = prepare(*dataset());
  EXPECT_EQ(prepared.train.labels.size() + prepared.test.labels.size(), 15U);
  for (const auto* set : {&prepared.train, &prepared.test})
    for (std::size_t i = 0; i < set->images.size(); ++i)
      ASSERT_NEAR(set->images[i], set->labels[i / (3 * 16 * 16)] == 0 ? 200 : 40, 2);
}

TEST_F(ImageFolderTest, LinksAreFollowedAndMustLeadSomewhere) {
  const sweep::test_support::TemporaryFolder elsewhere;
  write_file(elsewhere / "x.jpg", jpeg_of(plain(20, 30, 200, 200, 200)));
  std::filesystem::create_directory_symlink(elsewhere.path(), folder_ / "benign/more");
  const auto summary = dataset()->inspect();
  EXPECT_EQ(summary.train_counts[0] + summary.test_counts[0], 7);
  std::filesystem::create_symlink("/nowhere/y.jpg", folder_ / "benign/y.jpg");
  EXPECT_THAT(problem(), AllOf(HasSubstr("benign/y.jpg"), HasSubstr("is missing")));
  std::filesystem::remove(folder_ / "benign/y.jpg");
  std::filesystem::create_directory_symlink(folder_ / "benign", folder_ / "benign/circle");
  EXPECT_THAT(problem(), HasSubstr("folders deep"));
}

TEST_F(ImageFolderTest, APipeIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo((folder_ / "benign/pipe.jpg").c_str(), 0600), 0);
  EXPECT_THAT(problem(), HasSubstr("pipe.jpg' is no file"));
}

TEST_F(ImageFolderTest, NamesWhatIsWrong) {
  write_file(folder_ / "benign/b1.jpg", "<html>");
  EXPECT_THAT(problem(), AllOf(HasSubstr("benign/b1.jpg"), HasSubstr("no JPEG, PNG or DICOM")));
  std::filesystem::remove_all(folder_ / "malignant");
  EXPECT_THAT(problem(), HasSubstr("at least two classes"));
  std::filesystem::create_directory(folder_ / "malignant");
  EXPECT_THAT(problem(), HasSubstr("no train images of the class malignant"));
  EXPECT_THAT(failure_of([] {
                make_dataset("image_folder", {{"root", "/nowhere"}})->inspect();
              }),
              HasSubstr("dataset.root = '/nowhere'"));
}

}  // namespace
}  // namespace sweep::trainer
