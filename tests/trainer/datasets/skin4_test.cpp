#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

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
using ::testing::Not;

constexpr char kLabels[] =
    "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv";
constexpr char kGroupsName[] = "ISIC2018_Task3_Training_LesionGroupings.csv";
constexpr char kGroups[] =
    "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_LesionGroupings.csv";

struct LabelRow {
  std::string image, label, lesion;
};

/// A small tree of files laid out as the challenge's: 12 MEL, 24 NV, 6 BCC and 12 BKL images, two
/// of every lesion, and one of the class DF.
class Skin4 : public ::testing::Test {
 protected:
  void SetUp() override {
    add("MEL", 12);
    add("NV", 24);
    add("BCC", 6);
    add("BKL", 12);
    add("DF", 1);
    write_labels();
  }

  void add(const std::string& label, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string id = concat("ISIC_", 1000 + rows_.size());
      rows_.push_back({id, label, concat("HAM_", label, "_", i / 2)});
      // The colour tells which image it is.
      write_file(image(id),
                 jpeg_of(plain(20, 30, static_cast<std::uint8_t>(4 * rows_.size()), 100, 200)));
    }
  }

  void write_labels() {
    std::string labels = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\n", groups = "image,lesion_id\n";
    for (const auto& row : rows_) {
      labels += row.image;
      for (const std::string name : {"MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC"})
        labels += row.label == name ? ",1.0" : ",0.0";
      labels += "\n";
      groups += concat(row.image, ",", row.lesion, "\n");
    }
    write_file(folder_ / kLabels, labels);
    write_file(folder_ / kGroups, groups);
  }

  std::filesystem::path image(const std::string& id) const {
    return folder_ / ("ISIC2018_Task3_Training_Input/" + id + ".jpg");
  }

  /// All NV images unless `more` says otherwise.
  std::unique_ptr<Dataset> dataset(const Json& more = Json::object()) const {
    Json options{{"root", folder_.path().string()}, {"image_size", 16}, {"nv_images", 0}};
    options.update(more);
    return make_dataset("skin4", options);
  }
  DatasetSummary inspect(const Json& more = Json::object()) const {
    return dataset(more)->inspect();
  }
  std::string problem(const Json& more = Json::object()) const {
    return failure_of([&] { inspect(more); });
  }
  /// With `from` replaced in a file.
  void edit(const std::string& name, const std::string& from, const std::string& to) {
    std::string text = read_file(folder_ / name);
    ASSERT_NE(text.find(from), std::string::npos) << from;
    write_file(folder_ / name, text.replace(text.find(from), from.size(), to));
  }

  sweep::test_support::TemporaryFolder folder_;
  std::vector<LabelRow> rows_;
};

TEST_F(Skin4, SplitsFiveToOneWithinEachClass) {
  const DatasetSummary summary = inspect();
  EXPECT_THAT(summary.class_names, ElementsAre("MEL", "NV", "BCC", "BKL"));
  // Two images of each lesion: BCC's one test image brings its sibling.
  EXPECT_THAT(summary.test_counts, ElementsAre(2, 4, 2, 2));
  EXPECT_THAT(summary.train_counts, ElementsAre(10, 20, 4, 10));
  EXPECT_EQ(summary.train_total(), 44);
  EXPECT_EQ(summary.test_total(), 10);
  EXPECT_THAT(summary.notes, ElementsAre("1 images of other classes are left out"));
}

TEST_F(Skin4, SubsamplesNvAlone) {
  const DatasetSummary summary = inspect({{"nv_images", 6}});
  EXPECT_EQ(summary.train_counts[1] + summary.test_counts[1], 6);
  EXPECT_EQ(summary.train_counts[0] + summary.test_counts[0], 12);
  EXPECT_THAT(summary.notes, Contains("NV: 6 of 24 images, drawn by dataset.seed"));
}

TEST_F(Skin4, PreparesWhatItInspects) {
  const auto source = dataset();
  const PreparedDataset prepared = prepare(*source);
  const DatasetSummary summary = source->inspect();
  EXPECT_EQ(prepared.class_names, summary.class_names);
  std::set<std::string> seen;
  for (const auto& [set, counts] : {std::pair(&prepared.train, summary.train_counts),
                                    std::pair(&prepared.test, summary.test_counts)}) {
    std::vector<std::int64_t> found(4);
    ASSERT_EQ(set->images.size(), set->labels.size() * 3 * 16 * 16);
    for (std::size_t i = 0; i < set->labels.size(); ++i) {
      ++found[static_cast<std::size_t>(set->labels[i])];
      EXPECT_TRUE(seen.insert(set->sample_ids[i]).second);
      const auto row = std::find_if(rows_.begin(), rows_.end(), [&](const LabelRow& candidate) {
        return candidate.image == set->sample_ids[i];
      });
      EXPECT_EQ(row->label, summary.class_names[static_cast<std::size_t>(set->labels[i])]);
      EXPECT_NEAR(set->images[i * 3 * 256], 4 * (row - rows_.begin() + 1), 3);  // its red plane
    }
    EXPECT_EQ(found, counts);
  }
}

TEST_F(Skin4, KeepsLesionsTogether) {
  std::map<std::string, std::string> lesion;
  for (const auto& row : rows_) lesion[row.image] = row.lesion;
  for (int seed = 0; seed < 10; ++seed) {
    const PreparedDataset prepared = prepare(*dataset({{"seed", seed}}));
    std::set<std::string> trained;
    for (const auto& id : prepared.train.sample_ids) trained.insert(lesion[id]);
    for (const auto& id : prepared.test.sample_ids) EXPECT_FALSE(trained.contains(lesion[id]));
  }
}

TEST_F(Skin4, SaysThatLesionsAreNotKnown) {
  const std::string text = read_file(folder_ / kGroups);
  std::filesystem::remove(folder_ / kGroups);
  const DatasetSummary ungrouped = inspect();
  EXPECT_THAT(ungrouped.notes, Contains(HasSubstr("no file of lesion groups")));
  EXPECT_THAT(ungrouped.test_counts, ElementsAre(2, 4, 1, 2));
  write_file(folder_ / kGroupsName, text);  // people put it here too
  EXPECT_THAT(inspect().notes, Each(Not(HasSubstr("lesion groups"))));
  edit(kGroupsName, "ISIC_1000,HAM_MEL_0\n", "");
  EXPECT_THAT(inspect().notes, Contains(HasSubstr("1 images have no lesion")));
}

TEST_F(Skin4, TheOrderOfRowsAndColumnsDoesNotMatter) {
  const PreparedDataset before = prepare(*dataset({{"nv_images", 8}}));
  std::reverse(rows_.begin(), rows_.end());
  std::string labels = "VASC;BKL;image;MEL;AKIEC;NV;DF;BCC\r\n";
  for (const auto& row : rows_) {
    for (const std::string name : {"VASC", "BKL", "image", "MEL", "AKIEC", "NV", "DF", "BCC"})
      labels += (name == "image" ? row.image : row.label == name ? "1" : "") + ";";
    labels.back() = '\r';
    labels += "\n";
  }
  write_file(folder_ / kLabels, labels);
  const PreparedDataset after = prepare(*dataset({{"nv_images", 8}}));
  EXPECT_EQ(after.train.sample_ids, before.train.sample_ids);
  EXPECT_EQ(after.test.sample_ids, before.test.sample_ids);
  EXPECT_EQ(after.train.images, before.train.images);
}

TEST_F(Skin4, FilesVaryAsTheyDoInTheWild) {
  const PreparedDataset before = prepare(*dataset());
  // Another extension; PNG; decimal commas, as spreadsheets of some countries write them.
  std::filesystem::rename(image("ISIC_1000"),
                          folder_ / "ISIC2018_Task3_Training_Input/ISIC_1000.JPEG");
  write_file(folder_ / "ISIC2018_Task3_Training_Input/ISIC_1001.png",
             encode_png(decode_image(image("ISIC_1001"))));
  std::filesystem::remove(image("ISIC_1001"));
  std::string labels = read_file(folder_ / kLabels);
  std::replace(labels.begin(), labels.end(), ',', ';');
  std::replace(labels.begin(), labels.end(), '.', ',');
  write_file(folder_ / kLabels, "\xEF\xBB\xBF" + labels);
  const PreparedDataset after = prepare(*dataset());
  EXPECT_EQ(after.train.sample_ids, before.train.sample_ids);
  EXPECT_EQ(after.train.images, before.train.images);
  EXPECT_EQ(after.test.images, before.test.images);
}

TEST_F(Skin4, ImagesWithoutALabelAndLesionsWithoutAnImageAreNoted) {
  write_file(image("ISIC_9999"), "x");
  edit(kGroups, "image,lesion_id\n", "image,lesion_id\nISIC_7,HAM_7\n");
  EXPECT_THAT(
      inspect().notes,
      AllOf(Contains(AllOf(HasSubstr("1 images have no row"), HasSubstr("ISIC_9999.jpg"))),
            Contains(AllOf(HasSubstr("1 images that have no label"), HasSubstr("ISIC_7")))));
}

TEST_F(Skin4, BadImagesCanBeSkipped) {
  std::filesystem::remove(image("ISIC_1000"));
  write_file(image("ISIC_1001"), "<html>");
  const DatasetSummary summary = inspect({{"on_bad_image", "skip"}});
  EXPECT_EQ(summary.train_total() + summary.test_total(), 52);
  const PreparedDataset prepared = prepare(*dataset({{"on_bad_image", "skip"}}));
  ASSERT_EQ(prepared.skipped.size(), 2U);
  EXPECT_EQ(prepared.skipped[0].id, "ISIC_1000");
  EXPECT_EQ(prepared.skipped[0].reason, "is missing");
  EXPECT_EQ(prepared.skipped[1].class_name, "MEL");
  // The others are where they were.
  const PreparedDataset whole = [&] {
    for (const std::string id : {"ISIC_1000", "ISIC_1001"})
      write_file(image(id), jpeg_of(plain(20, 30, 1, 2, 3)));
    return prepare(*dataset());
  }();
  for (const auto& id : prepared.train.sample_ids)
    EXPECT_THAT(whole.train.sample_ids, Contains(id));
}

TEST_F(Skin4, TheNumberOfThreadsDoesNotMatter) {
  const auto source = dataset();
  const PreparedDataset one = prepare(*source, 1), eight = prepare(*source, 8);
  EXPECT_EQ(one.train.images, eight.train.images);
  EXPECT_EQ(one.test.images, eight.test.images);
  EXPECT_EQ(one.train.sample_ids, eight.train.sample_ids);
}

TEST_F(Skin4, TheSeedDrawsImagesAndSplit) {
  const auto ids = [&](int seed) {
    return prepare(*dataset({{"seed", seed}, {"nv_images", 8}})).test.sample_ids;
  };
  EXPECT_EQ(ids(3), ids(3));
  EXPECT_NE(ids(3), ids(4));
}

TEST_F(Skin4, TheFingerprintFollowsTheFiles) {
  const std::string before = inspect().source_fingerprint;
  EXPECT_EQ(inspect().source_fingerprint, before);
  write_file(image("ISIC_1003"), jpeg_of(plain(200, 30, 1, 2, 250)));
  const std::string other_image = inspect().source_fingerprint;
  EXPECT_NE(other_image, before);
  edit(kGroups, "ISIC_1000,HAM_MEL_0", "ISIC_1000,HAM_MEL_1");
  EXPECT_NE(inspect().source_fingerprint, other_image);
}

TEST_F(Skin4, NamesTheFolderThatIsMissing) {
  EXPECT_THAT(problem({{"root", "/nowhere/isic"}}),
              AllOf(HasSubstr("dataset.root = '/nowhere/isic'"), HasSubstr("--set dataset.root")));
  std::filesystem::remove_all(folder_ / "ISIC2018_Task3_Training_Input");
  EXPECT_THAT(problem(), HasSubstr("ISIC2018_Task3_Training_Input' is no folder"));
}

TEST_F(Skin4, NamesTheLabelFileThatIsMissing) {
  std::filesystem::remove(folder_ / kLabels);
  EXPECT_THAT(problem(), AllOf(HasSubstr(kLabels), HasSubstr("dataset.root")));
}

TEST_F(Skin4, NamesTheColumnThatIsMissing) {
  edit(kLabels, "image,MEL", "image,melanoma");
  EXPECT_THAT(problem(), AllOf(HasSubstr("no column 'MEL'"), HasSubstr("melanoma, NV")));
}

TEST_F(Skin4, NamesImagesThatCannotBeUsed) {
  std::filesystem::remove(image("ISIC_1000"));
  const std::string whole = read_file(image("ISIC_1001"));
  write_file(image("ISIC_1001"), whole.substr(0, whole.size() - 20));
  write_file(image("ISIC_1002"), "<html>");
  write_file(image("ISIC_1003"), "");
  const std::string text = problem();
  EXPECT_THAT(text, HasSubstr("4 images of the dataset can't be used"));
  for (const std::string part :
       {"ISIC_1000.jpg' is missing", "ISIC_1001.jpg' is cut off",
        "ISIC_1002.jpg' is no JPEG, PNG or DICOM image", "ISIC_1003.jpg' is empty",
        "GroundTruth.csv:2)", "GroundTruth.csv:5)"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST_F(Skin4, NamesTheFirstFewOfManyBadImages) {
  for (int i = 0; i < 9; ++i) std::filesystem::remove(image(concat("ISIC_", 1000 + i)));
  EXPECT_THAT(problem(), AllOf(HasSubstr("9 images"), HasSubstr("and 4 more")));
}

TEST_F(Skin4, ImagesThatAreNotUsedNeedNotBeThere) {
  std::filesystem::remove(image("ISIC_1054"));  // DF
  EXPECT_EQ(inspect().train_total(), 44);
}

TEST_F(Skin4, DamageThatOnlyDecodingFindsNamesTheImage) {
  std::string jpeg = jpeg_of(plain(200, 200, 1, 2, 3));
  jpeg.replace(jpeg.size() - 60, 40, 40, '\xFE');
  write_file(image("ISIC_1005"), jpeg);
  inspect();
  EXPECT_THAT(failure_of([&] { prepare(*dataset()); }, FailureType::bad_data),
              HasSubstr("ISIC_1005.jpg"));
}

TEST_F(Skin4, NamesRowsThatAreWrong) {
  const std::string first = "ISIC_1000,1.0,0.0,0.0,0.0,0.0,0.0,0.0";
  const struct {
    std::string row, part;
  } cases[] = {
      {"ISIC_1001,1,0,0,0,0,0,0", "GroundTruth.csv:3: the image 'ISIC_1001' has two rows"},
      {"ISIC_1000,0,0,0,0,0,0,0", "GroundTruth.csv:2: the image has 0 classes"},
      {"ISIC_1000,1,0,1,0,0,0,0", "GroundTruth.csv:2: the image has 2 classes"},
      {"ISIC_1000,maybe,0,0,0,0,0,0", "'maybe' in column 'MEL' is neither 0 nor 1"},
      {"ISIC_1000,0.5,0,0,0,0,0,0", "'0.5' in column 'MEL'"},
      {"ISIC_1000,nan,0,0,0,0,0,0", "'nan' in column 'MEL'"},
      {"ISIC_1000,1,0", "GroundTruth.csv:2: the row has 3 fields, the header has 8"},
      {"../../secret,1,0,0,0,0,0,0", "'../../secret' is no image name"},
      {"a/b,1,0,0,0,0,0,0", "'a/b' is no image name"},
      {",1,0,0,0,0,0,0", "'' is no image name"},
  };
  for (const auto& [row, part] : cases) {
    edit(kLabels, first, row);
    EXPECT_THAT(problem(), HasSubstr(part));
    write_labels();
  }
}

TEST_F(Skin4, NamesAnImageOfTwoLesions) {
  edit(kGroups, "ISIC_1001,HAM_MEL_0\n", "ISIC_1001,HAM_MEL_0\nISIC_1001,HAM_MEL_5\n");
  EXPECT_THAT(problem(), AllOf(HasSubstr("LesionGroupings.csv:4"), HasSubstr("'ISIC_1001'"),
                               HasSubstr("two lesions")));
}

TEST_F(Skin4, RefusesMoreNvImagesThanThereAre) {
  EXPECT_THAT(problem({{"nv_images", 25}}),
              AllOf(HasSubstr("dataset.nv_images = 25"), HasSubstr("only 24")));
  EXPECT_EQ(inspect({{"nv_images", 24}}).train_total(), 44);
}

TEST_F(Skin4, RefusesAClassWithoutImages) {
  std::erase_if(rows_, [](const LabelRow& row) { return row.label == "BKL"; });
  write_labels();
  EXPECT_THAT(problem(), HasSubstr("no train images of the class BKL"));
}

TEST_F(Skin4, StopsWhenToldTo) {
  const auto action = [&] {
    dataset()->prepare(2, [](std::int64_t done, std::int64_t total) {
      EXPECT_EQ(total, 54);
      return done < 5;
    });
  };
  EXPECT_THAT(failure_of(action, FailureType::internal), HasSubstr("stopped"));
}

/// The challenge's own files, of which a part is enough. Needs $SWEEP_SHARED_DIR/data/isic2018.
TEST(Skin4RealImages, AreInspectedAndDecoded) {
  const char* shared = std::getenv("SWEEP_SHARED_DIR");
  if (shared == nullptr) GTEST_SKIP() << "SWEEP_SHARED_DIR is not set";
  const auto source = make_dataset(
      "skin4",
      {{"root", (std::filesystem::path(shared) / "data/isic2018").string()}, {"image_size", 64}});
  const DatasetSummary summary = source->inspect();
  EXPECT_EQ(summary.train_counts[1] + summary.test_counts[1], 1500);
  for (std::size_t k = 0; k < 4; ++k)
    EXPECT_NEAR(static_cast<double>(summary.test_counts[k]),
                static_cast<double>(summary.train_counts[k]) / 5, 1);
  const PreparedDataset prepared = prepare(*source);
  EXPECT_EQ(static_cast<std::int64_t>(prepared.train.labels.size()), summary.train_total());
  // Skin is red rather than green or blue: no channel is swapped.
  std::array<double, 3> mean{};
  for (std::size_t i = 0; i < prepared.test.images.size(); ++i)
    mean[i / (64 * 64) % 3] += prepared.test.images[i];
  EXPECT_GT(mean[0], 1.1 * mean[1]);
  EXPECT_GT(mean[0], 1.1 * mean[2]);
}

}  // namespace
}  // namespace sweep::trainer
