// Datasets of files as a user has them: shown, with bad images skipped, down to the table.

#include <gmock/gmock.h>

#include "core/atomic_file.hpp"
#include "storage/artifact_file.hpp"
#include "tests/end_to_end/program.hpp"
#include "trainer/datasets/png.hpp"

namespace sweep::test_support {
namespace {

using ::testing::HasSubstr;

constexpr char kDatasetSweep[] = R"([sweep]
name = "own"
[dataset]
name = "image_folder"
image_size = 16
on_bad_image = "skip"
[model]
name = "resnet18"
[defence]
name = "none"
[training]
epochs = 1
batch_size = 4
[attacks.fgsm]
method = "fgsm"
epsilon = "4/255"
[run]
threads = 1
shard_size = 2
)";

/// Two classes of 4 images to train on and 3 to test on. Of the test images 3 are damaged so that
/// only decoding finds it: the first shard is whole, the second has one image left, the third none.
class Datasets : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [split, count] : {std::pair("train", 4), std::pair("test", 3)})
      for (const std::string name : {"a", "b"})
        for (int i = 0; i < count; ++i) write_image(split, name, i);
    for (const auto& [name, i] : {std::pair("a", 1), std::pair("b", 0), std::pair("b", 2)})
      damage(image("test", name, i));
    write_atomically(folder_ / "own.toml", kDatasetSweep);
  }

  std::filesystem::path image(const std::string& split, const std::string& name, int i) const {
    return folder_ / concat("images/", split, "/", name, "/", i, ".png");
  }
  void write_image(const std::string& split, const std::string& name, int i) {
    trainer::Pixels pixels{20, 20, std::vector<std::uint8_t>(3 * 20 * 20)};
    for (std::size_t p = 0; p < pixels.rgb.size(); ++p)
      pixels.rgb[p] =
          static_cast<std::uint8_t>((name == "a" ? p : 7 * p) + 40 * static_cast<std::size_t>(i));
    create_folders(image(split, name, i).parent_path());
    write_atomically(image(split, name, i), trainer::encode_png(pixels));
  }
  static void damage(const std::filesystem::path& path) {
    std::string png = read_text(path);
    png[png.size() / 2] = static_cast<char>(png[png.size() / 2] ^ 0x55);
    write_atomically(path, png);
  }
  Outcome run(const std::string& command) const {
    return run_shell(concat((binaries() / "sweep_runner").string(), " ", command, " ",
                            (folder_ / "own.toml").string(), " --out ", (folder_ / "out").string(),
                            " --set dataset.root=", (folder_ / "images").string()));
  }
  /// The only artifact of a kind.
  storage::Content artifact(const std::string& kind) const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "out/artifacts" / kind))
      return storage::read_artifact(entry.path());
    ADD_FAILURE() << "no " << kind;
    return {};
  }

  TemporaryFolder folder_;
};

TEST_F(Datasets, ShardsMayReachBeyondWhatCouldBeDecoded) {
  const Outcome outcome = run("run");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("part 3/3"));
  const auto set = artifact("adversarial_set");
  EXPECT_EQ(set.array("images").shape, (std::vector<std::int64_t>{3, 3, 16, 16}));
  const auto labels = set.array("labels").values<std::int64_t>();
  EXPECT_EQ(std::vector(labels.begin(), labels.end()), (std::vector<std::int64_t>{0, 0, 1}));
}

TEST_F(Datasets, TheCardListsWhatWasSkipped) {
  const Outcome outcome = run("data");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  for (const std::string part :
       {"image_folder", "skipped: 3", "test/a/1.png (test, a) can't be decoded as PNG",
        "  b            4        1        5", "contact sheet: "})
    EXPECT_THAT(outcome.output, HasSubstr(part));
  const Json card = Json::parse(artifact("dataset").attributes.at("card").get<std::string>());
  EXPECT_EQ(card.at("dataset"), "image_folder");
  EXPECT_EQ(card.at("class_names"), (Json{"a", "b"}));
  EXPECT_EQ(card.at("train_counts"), (Json{4, 4}));
  EXPECT_EQ(card.at("test_counts"), (Json{2, 1}));
  ASSERT_EQ(card.at("skipped").size(), 3U);
  EXPECT_EQ(card.at("skipped")[1].at("id"), "test/b/0.png");
  EXPECT_EQ(card.at("skipped")[1].at("split"), "test");
  EXPECT_EQ(card.at("skipped")[1].at("class"), "b");
  EXPECT_EQ(card.at("images_sha256").at("train").get<std::string>().size(), 64U);
  EXPECT_EQ(card.at("source_fingerprint").get<std::string>().size(), 64U);
}

TEST_F(Datasets, DataMakesTheArtifactThatARunTakes) {
  const Outcome first = run("data --json --sheet " + (folder_ / "sheets/own.png").string());
  ASSERT_EQ(first.status, 0) << first.output;
  EXPECT_EQ(trainer::decode_png(folder_ / "sheets/own.png").width, 8 * (16 + 4) + 4);
  const auto line = first.output.substr(first.output.rfind("{\"artifact"));
  const Json card = Json::parse(line.substr(0, line.find('\n')));
  EXPECT_TRUE(std::filesystem::exists(
      folder_ / concat("out/artifacts/dataset/", card.at("artifact").get<std::string>(), ".h5")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/artifacts/model"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/runs/own/plan.json"));
  const Outcome again = run("data");
  EXPECT_THAT(again.output, HasSubstr("all done already"));
}

TEST_F(Datasets, DataSaysWhatIsWrongBeforeItStarts) {
  for (const std::string name : {"a", "b"}) damage(image("train", name, 0));
  const Outcome strict = run("data --set dataset.on_bad_image=error");
  EXPECT_EQ(strict.status, 2) << strict.output;
  EXPECT_THAT(strict.output, HasSubstr("can't be decoded as PNG"));
  const Outcome several = run("data --set grid.\\\"dataset.seed\\\"=[0,1] --sheet x.png");
  EXPECT_EQ(several.status, 2) << several.output;
  EXPECT_THAT(several.output, HasSubstr("--sheet names one file"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/artifacts/dataset"));
}

}  // namespace
}  // namespace sweep::test_support
