#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <numeric>
#include <set>

#include "tests/trainer/datasets/dicom_files.hpp"
#include "tests/trainer/datasets/sources.hpp"
#include "trainer/datasets/image.hpp"
#include "trainer/datasets/png.hpp"

namespace sweep::trainer {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kClasses[] = "stage_2_detailed_class_info.csv";
constexpr char kTargets[] = "stage_2_train_labels.csv";
constexpr char kPersons[] = "nih_patients.csv";
const std::vector<std::string> kNames{"Normal", "No Lung Opacity / Not Normal", "Lung Opacity"};

/// 9 patients of each class, as Kaggle lays them out: two rows for those with an opacity, three
/// images of every person, files of each kind. The grey tells which patient it is.
class Rsna : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string classes = "patientId,class\n", targets = "patientId,x,y,width,height,Target\n",
                persons = "patientId,nih_patient\n";
    for (int i = 0; i < 27; ++i) {
      const std::string& name = kNames[static_cast<std::size_t>(i / 9)];
      for (int row = 0; row < (i / 9 == 2 ? 2 : 1); ++row) {
        classes += concat(id(i), ",", name, "\n");
        targets += concat(id(i), i / 9 == 2 ? ",10.0,20.0,30.0,40.0,1\n" : ",,,,,0\n");
      }
      persons += concat(id(i), ",", 500 + i / 3, "\n");
      write_image(i, i % 3 == 0 ? ".dcm" : i % 3 == 1 ? ".png" : ".jpg");
    }
    write_file(folder_ / kClasses, classes);
    write_file(folder_ / kTargets, targets);
    write_file(folder_ / kPersons, persons);
  }

  static std::string id(int i) { return concat("p-", 100 + i); }
  static std::uint8_t grey(int i) { return static_cast<std::uint8_t>(20 + 8 * i); }
  std::filesystem::path image(int i, const std::string& extension) const {
    return folder_ / ("stage_2_train_images/" + id(i) + extension);
  }
  void write_image(int i, const std::string& extension) {
    const Pixels pixels = plain(20, 30, grey(i), grey(i), grey(i));
    const DicomFile dicom{
        .rows = 20, .columns = 30, .pixels = std::string(600, static_cast<char>(grey(i)))};
    write_file(image(i, extension), extension == ".dcm"   ? dicom.bytes()
                                    : extension == ".png" ? encode_png(pixels)
                                                          : jpeg_of(pixels));
  }

  std::unique_ptr<Dataset> dataset(const Json& more = Json::object()) const {
    Json options{{"root", folder_.path().string()}, {"image_size", 16}};
    options.update(more);
    return make_dataset("rsna", options);
  }
  DatasetSummary inspect(const Json& more = Json::object()) const {
    return dataset(more)->inspect();
  }
  std::string problem() const {
    return failure_of([&] { inspect(); });
  }
  void edit(const std::string& name, const std::string& from, const std::string& to) {
    std::string text = read_file(folder_ / name);
    ASSERT_NE(text.find(from), std::string::npos) << from;
    write_file(folder_ / name, text.replace(text.find(from), from.size(), to));
  }

  sweep::test_support::TemporaryFolder folder_;
};

TEST_F(Rsna, SplitsInThePapersProportion) {
  const DatasetSummary summary = inspect();
  EXPECT_EQ(summary.class_names, kNames);
  EXPECT_THAT(summary.test_counts, ElementsAre(3, 3, 3));  // 9 * 6000 / 27000 = 2, persons have 3
  EXPECT_THAT(summary.train_counts, ElementsAre(6, 6, 6));
  EXPECT_THAT(summary.notes, IsEmpty());
  std::filesystem::remove(folder_ / kPersons);
  EXPECT_THAT(inspect().test_counts, ElementsAre(2, 2, 2));
  EXPECT_THAT(inspect().notes, ElementsAre(HasSubstr("no file of person groups")));
}

TEST_F(Rsna, EveryKindOfFileIsDecoded) {
  const PreparedDataset prepared = prepare(*dataset());
  std::set<std::string> seen;
  for (const auto* set : {&prepared.train, &prepared.test})
    for (std::size_t i = 0; i < set->labels.size(); ++i) {
      const int patient = std::stoi(set->sample_ids[i].substr(2)) - 100;
      EXPECT_EQ(set->labels[i], patient / 9);
      for (std::size_t c = 0; c < 3; ++c)
        EXPECT_NEAR(set->images[(3 * i + c) * 256], grey(patient), 2) << set->sample_ids[i];
      seen.insert(set->sample_ids[i]);
    }
  EXPECT_EQ(seen.size(), 27U);
}

TEST_F(Rsna, TheNumberOfThreadsDoesNotMatter) {
  const auto source = dataset();
  const PreparedDataset one = prepare(*source, 1), eight = prepare(*source, 8);
  EXPECT_EQ(one.train.images, eight.train.images);
  EXPECT_EQ(one.test.images, eight.test.images);
}

TEST_F(Rsna, KeepsPersonsTogether) {
  for (int seed = 0; seed < 10; ++seed) {
    const PreparedDataset prepared = prepare(*dataset({{"seed", seed}}));
    const auto persons = [](const ImageSet& set) {
      std::set<int> found;
      for (const auto& name : set.sample_ids) found.insert((std::stoi(name.substr(2)) - 100) / 3);
      return found;
    };
    for (const int person : persons(prepared.test))
      EXPECT_FALSE(persons(prepared.train).contains(person));
  }
}

TEST_F(Rsna, TheMappingCanLieElsewhere) {
  const auto elsewhere = folder_ / "persons.csv";
  std::filesystem::rename(folder_ / kPersons, elsewhere);
  EXPECT_THAT(inspect({{"groups", elsewhere.string()}}).test_counts, ElementsAre(3, 3, 3));
  edit("persons.csv", id(4) + ",501\n", "");
  edit("persons.csv", "nih_patient\n", "nih_patient\nstranger,9\n");
  EXPECT_THAT(inspect({{"groups", elsewhere.string()}}).notes,
              ElementsAre(AllOf(HasSubstr("1 images have no person"), HasSubstr(id(4))),
                          AllOf(HasSubstr("1 images that have no label"), HasSubstr("stranger"))));
  EXPECT_THAT(failure_of([&] {
                inspect({{"groups", "/nowhere.csv"}});
              }),
              HasSubstr("/nowhere.csv"));
  write_file(elsewhere, "patientId,a,b\n");
  EXPECT_THAT(failure_of([&] {
                inspect({{"groups", elsewhere.string()}});
              }),
              HasSubstr("3 columns"));
  write_file(elsewhere, concat("patientId,a\n", id(1), ",1\n", id(1), ",2\n"));
  EXPECT_THAT(failure_of([&] {
                inspect({{"groups", elsewhere.string()}});
              }),
              AllOf(HasSubstr("persons.csv:3"), HasSubstr("two persons")));
}

TEST_F(Rsna, LabelFilesVaryAsTheyDoInTheWild) {
  const PreparedDataset before = prepare(*dataset());
  std::string targets = "\xEF\xBB\xBFTarget;patientId\r\n", classes = "class;patientId\r\n";
  for (int i = 26; i >= 0; --i) {
    targets += concat(i / 9 == 2 ? "1.0;" : "0;", id(i), "\r\n");
    classes += concat("\"", kNames[static_cast<std::size_t>(i / 9)], "\";", id(i), "\r\n");
  }
  write_file(folder_ / kTargets, targets);
  write_file(folder_ / kClasses, classes);
  const PreparedDataset after = prepare(*dataset());
  EXPECT_EQ(after.train.sample_ids, before.train.sample_ids);
  EXPECT_EQ(after.test.images, before.test.images);
}

TEST_F(Rsna, RowsMustAgree) {
  const struct {
    std::string file, from, to, place, part;
  } cases[] = {
      {kClasses, id(18) + ",Lung Opacity\n", id(18) + ",Normal\n", "class_info.csv:21",
       "is 'Lung Opacity', but 'Normal' in "},
      {kClasses, id(0) + ",Normal", id(0) + ",normal", "class_info.csv:2", "'normal' is no class"},
      {kTargets, id(18) + ",10.0,20.0,30.0,40.0,1", id(18) + ",,,,,0", "train_labels.csv:20",
       "has Target 0, but "},
      {kTargets, id(0) + ",,,,,0", id(0) + ",,,,,1", "train_labels.csv:2", "says 'Normal'"},
      {kTargets, id(0) + ",,,,,0", id(0) + ",,,,,2", "train_labels.csv:2", "neither 0 nor 1"},
      {kTargets, id(0) + ",,,,,0", id(0) + ",,,,,", "train_labels.csv:2", "Target is empty"},
      {kTargets, id(0) + ",,,,,0", "../x,,,,,0", "train_labels.csv:2", "no image name"},
      {kTargets, "Target", "target", "train_labels.csv", "no column 'Target'"},
      {kClasses, "patientId", "id", "class_info.csv", "no column 'patientId'"},
  };
  for (const auto& [file, from, to, place, part] : cases) {
    const std::string whole = read_file(folder_ / file);
    edit(file, from, to);
    EXPECT_THAT(problem(), AllOf(HasSubstr(place), HasSubstr(part))) << to;
    write_file(folder_ / file, whole);
  }
}

TEST_F(Rsna, PatientsOfOneFileAreNoted) {
  edit(kTargets, id(0) + ",,,,,0\n", "stranger,,,,,1\n");
  EXPECT_THAT(inspect().notes,
              ElementsAre(AllOf(HasSubstr("1 patients have no row in"), HasSubstr(kTargets),
                                HasSubstr(id(0))),
                          AllOf(HasSubstr("1 patients have no row in"), HasSubstr(kClasses),
                                HasSubstr("left out (stranger)"))));
  EXPECT_EQ(inspect().train_total() + inspect().test_total(), 27);
}

TEST_F(Rsna, ImagesAndLabelsMustMatch) {
  write_file(folder_ / "stage_2_train_images/unknown.png", "x");
  write_image(0, ".png");  // beside its .dcm
  EXPECT_THAT(
      inspect().notes,
      ElementsAre(AllOf(HasSubstr("1 images have no row"), HasSubstr("unknown.png")),
                  AllOf(HasSubstr("1 files have the name of another"), HasSubstr(id(0) + ".png"))));
  std::filesystem::remove(image(1, ".png"));
  EXPECT_THAT(problem(), AllOf(HasSubstr("1 image of the dataset"), HasSubstr(id(1)),
                               HasSubstr("is missing"), HasSubstr("class_info.csv:3)")));
  std::filesystem::rename(image(2, ".jpg"), image(2, ".JPG"));
  const DatasetSummary summary = inspect({{"on_bad_image", "skip"}});
  EXPECT_EQ(summary.train_total() + summary.test_total(), 26);
}

TEST_F(Rsna, NamesWhatIsMissing) {
  EXPECT_THAT(failure_of([&] {
                inspect({{"root", "/nowhere"}});
              }),
              AllOf(HasSubstr("dataset.root = '/nowhere'"), HasSubstr("rsna reads")));
  std::filesystem::rename(folder_ / kClasses, folder_ / "other.csv");
  EXPECT_THAT(problem(), HasSubstr(kClasses));
  std::filesystem::remove_all(folder_ / "stage_2_train_images");
  EXPECT_THAT(problem(), HasSubstr("stage_2_train_images' is no folder"));
}

TEST_F(Rsna, TheFingerprintFollowsAllFiles) {
  std::set<std::string> seen{inspect().source_fingerprint};
  EXPECT_EQ(inspect().source_fingerprint, *seen.begin());
  edit(kPersons, id(0) + ",500", id(0) + ",501");
  EXPECT_TRUE(seen.insert(inspect().source_fingerprint).second);
  edit(kTargets, "10.0", "11.0");
  EXPECT_TRUE(seen.insert(inspect().source_fingerprint).second);
  write_file(image(1, ".png"), encode_png(plain(9, 9, 1, 2, 3)));
  EXPECT_TRUE(seen.insert(inspect().source_fingerprint).second);
}

/// A part of the challenge's files. Needs $SWEEP_SHARED_DIR/data/rsna.
class RsnaRealImages : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("SWEEP_SHARED_DIR");
    if (shared == nullptr) GTEST_SKIP() << "SWEEP_SHARED_DIR is not set";
    root_ = std::filesystem::path(shared) / "data/rsna";
  }
  std::filesystem::path root_;
};

TEST_F(RsnaRealImages, AreInspectedAndDecoded) {
  const auto source = make_dataset("rsna", {{"root", root_.string()}, {"image_size", 64}});
  const DatasetSummary summary = source->inspect();
  EXPECT_EQ(summary.train_total() + summary.test_total(), 355);
  EXPECT_NEAR(static_cast<double>(summary.test_total()), 355.0 * 6 / 27, 3);
  // The 16 DICOM files are not in the mapping.
  EXPECT_THAT(summary.notes, ElementsAre(HasSubstr("16 images have no person")));
  const PreparedDataset prepared = prepare(*source);
  EXPECT_EQ(static_cast<std::int64_t>(prepared.train.labels.size()), summary.train_total());
  for (std::size_t i = 0; i < prepared.test.labels.size(); ++i) {  // grey
    const auto* red = prepared.test.images.data() + 3 * 64 * 64 * i;
    EXPECT_TRUE(std::equal(red, red + 64 * 64, red + 64 * 64));
    EXPECT_TRUE(std::equal(red, red + 64 * 64, red + 2 * 64 * 64));
  }
}

// The figures are those of pydicom 3.0 with libjpeg.
TEST_F(RsnaRealImages, OneHasTheValuesThatAnotherReaderFinds) {
  const Pixels pixels =
      decode_image(root_ / "stage_2_train_images/0004cfab-14fd-4e49-80ba-63a80b6bddd6.dcm");
  ASSERT_EQ(pixels.height, 1024);
  ASSERT_EQ(pixels.width, 1024);
  const auto at = [&](std::size_t row, std::size_t column) {
    return static_cast<double>(pixels.rgb[3 * (1024 * row + column)]);
  };
  EXPECT_NEAR(at(100, 300), 9, 1);
  EXPECT_NEAR(at(400, 700), 30, 1);
  EXPECT_NEAR(at(512, 512), 172, 1);
  EXPECT_NEAR(at(900, 150), 79, 1);
  EXPECT_NEAR(at(1000, 800), 218, 1);
  const double sum = std::accumulate(pixels.rgb.begin(), pixels.rgb.end(), 0.0);
  EXPECT_NEAR(sum / static_cast<double>(pixels.rgb.size()), 120.221, 0.05);
}

}  // namespace
}  // namespace sweep::trainer
