// The single steps as a user runs them: programs on files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "core/atomic_file.hpp"
#include "storage/artifact_file.hpp"
#include "storage/hdf5/handle.hpp"
#include "tests/end_to_end/program.hpp"

namespace sweep::test_support {
namespace {

namespace fs = std::filesystem;
using storage::Array;
using storage::Content;
using storage::ElementType;
using ::testing::HasSubstr;

constexpr std::int64_t kImages = 12, kClasses = 3, kSide = 32;

/// A PNG of 16x16 pixels of one colour.
constexpr char kPng[] =
    "\211\120\116\107\015\012\032\012\000\000\000\015\111\110\104\122\000\000\000\020"
    "\000\000\000\020\010\002\000\000\000\220\221\150\066\000\000\000\026\111\104\101"
    "\124\170\332\143\070\221\142\104\022\142\030\325\060\252\141\370\152\000\000\250"
    "\170\136\020\064\022\313\057\000\000\000\000\111\105\116\104\256\102\140\202";

std::vector<std::uint8_t> pixels() {
  std::vector<std::uint8_t> values(kImages * 3 * kSide * kSide);
  std::uint32_t state = 1;
  for (auto& value : values) value = static_cast<std::uint8_t>((state = state * 1664525 + 1) >> 24);
  return values;
}

Content image_set() {
  Content set;
  set.arrays["images"] = Array::own(pixels(), {kImages, 3, kSide, kSide});
  std::vector<std::int64_t> labels(kImages);
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<std::int64_t>(i) % kClasses;
  set.arrays["labels"] = Array::own(std::move(labels), {kImages});
  return set;
}

template <class T>
bool equal(const Array& a, const Array& b) {
  const auto x = a.values<T>(), y = b.values<T>();
  return a.shape == b.shape && std::equal(x.begin(), x.end(), y.begin());
}

class Steps : public ::testing::Test {
 protected:
  /// A set and weights that all tests share.
  static void SetUpTestSuite() {
    shared_.emplace();
    storage::write_artifact(*shared_ / "set.h5", image_set());
    const Outcome outcome =
        run_shell(step("train",
                       "--arch resnet18 --images @/set.h5 --set training.epochs=2 --seed 3 "
                       "--defence denoising --set defence.lambda_n=0.1 --normalize half "
                       "--out @/w.safetensors"));
    ASSERT_EQ(outcome.status, 0) << outcome.output;
    ASSERT_THAT(outcome.output, HasSubstr("(resnet18, 3 classes)"));
  }
  static void TearDownTestSuite() { shared_.reset(); }

  /// A command line; "@" stands for the shared folder.
  static std::string step(const std::string& name, std::string arguments) {
    for (auto at = arguments.find('@'); at != std::string::npos; at = arguments.find('@'))
      arguments.replace(at, 1, shared_->path().string());
    const bool has_threads = name == "weights" || arguments.find("--threads") != std::string::npos;
    return concat((binaries() / "sweep_runner").string(), " ", name, " ", arguments,
                  has_threads ? "" : " --threads 1");
  }

  static Outcome run(const std::string& name, const std::string& arguments) {
    return run_shell(step(name, arguments));
  }

  static std::string path(const std::string& name) { return (*shared_ / name).string(); }

  static constexpr char kModel[] =
      "--arch resnet18 --num-classes 3 --normalize half --weights @/w.safetensors ";

  static inline std::optional<TemporaryFolder> shared_;
};

TEST_F(Steps, PredictWritesWhatItPrints) {
  const Outcome outcome =
      run("predict", concat(kModel, "--images @/set.h5 --out @/p.h5 --json --batch 5"));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const Content content = storage::read_artifact(path("p.h5"));
  const auto logits = content.array("logits").values<float>();
  const auto predictions = content.array("predictions").values<std::int64_t>();
  const auto labels = content.array("labels").values<std::int64_t>();
  ASSERT_EQ(content.array("logits").shape, (std::vector<std::int64_t>{kImages, kClasses}));
  int correct = 0;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const auto* row = logits.data() + i * kClasses;
    EXPECT_EQ(predictions[i], std::max_element(row, row + kClasses) - row);
    correct += predictions[i] == labels[i] ? 1 : 0;
  }
  EXPECT_EQ(Json::parse(outcome.output).at("accuracy").at("count"), correct);
  EXPECT_TRUE(equal<std::uint8_t>(content.array("images"), image_set().array("images")));
}

TEST_F(Steps, AttackThenEvaluate) {
  const Outcome outcome = run("attack", concat(kModel,
                                               "--images @/set.h5 --attack ifgsm --eps 8/255 "
                                               "--steps 4 --alpha-rel 0.5 --out @/adv.h5 --json"));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const Json metrics = Json::parse(outcome.output);
  EXPECT_DOUBLE_EQ(metrics.at("attack").at("alpha").get<double>(), 4.0 / 255);
  const Content set = storage::read_artifact(path("adv.h5"));
  const auto images = set.array("images").values<float>();
  const auto clean = pixels();
  const auto l2 = set.array("l2").values<float>(), linf = set.array("linf").values<float>();
  const std::size_t size = images.size() / kImages;
  for (std::size_t i = 0; i < kImages; ++i) {
    double squared = 0, largest = 0;
    for (std::size_t p = i * size; p < (i + 1) * size; ++p) {
      ASSERT_TRUE(images[p] >= 0 && images[p] <= 1);
      const double change = images[p] - static_cast<double>(static_cast<float>(clean[p]) / 255);
      squared += change * change;
      largest = std::max(largest, std::abs(change));
    }
    EXPECT_NEAR(l2[i], std::sqrt(squared), 1e-5);
    EXPECT_NEAR(linf[i], largest, 1e-7);
    EXPECT_LT(largest, 8.0 / 255 + 1e-6);
    EXPECT_GT(largest, 4.0 / 255 - 1e-6);
  }

  const Outcome again = run("evaluate", concat(kModel, "--set @/adv.h5 --json"));
  ASSERT_EQ(again.status, 0) << again.output;
  const Json evaluated = Json::parse(again.output);
  for (const char* name : {"accuracy", "clean_accuracy", "success", "mean_l2", "max_linf"})
    EXPECT_EQ(evaluated.at(name), metrics.at(name)) << name;
  std::int64_t sum = 0, diagonal = 0;
  for (std::size_t k = 0; k < kClasses; ++k) {
    for (const auto& count : evaluated.at("confusion").at(k)) sum += count.get<std::int64_t>();
    diagonal += evaluated.at("confusion").at(k).at(k).get<std::int64_t>();
  }
  EXPECT_EQ(sum, kImages);
  EXPECT_EQ(diagonal, metrics.at("accuracy").at("count"));

  const Outcome brief = run("evaluate", "--weights @/w.safetensors --set @/adv.h5 --json");
  ASSERT_EQ(brief.status, 0) << brief.output;
  EXPECT_THAT(brief.output, HasSubstr("model: resnet18, 3 classes, normalize half"));
  EXPECT_EQ(Json::parse(brief.output.substr(brief.output.find('{'))), evaluated);

  const Outcome rounded = run("evaluate", concat(kModel, "--set @/adv.h5 --pixels uint8 --json"));
  ASSERT_EQ(rounded.status, 0) << rounded.output;
  const Json bytes = Json::parse(rounded.output);
  EXPECT_EQ(bytes.at("pixels"), "uint8");
  // Steps of 4/255 from bytes stay on bytes, up to float32.
  EXPECT_NEAR(bytes.at("mean_l2").at("value").get<double>(),
              metrics.at("mean_l2").at("value").get<double>(), 1e-4);
}

// Without padding, oneDNN takes other kernels for one image on two threads than for twelve.
TEST_F(Steps, BatchesChangeNothing) {
  const std::string attack = concat(kModel,
                                    "--images @/set.h5 --attack pgd --eps 8/255 --alpha 2/255 "
                                    "--steps 3 --target least_likely --threads 2 ");
  ASSERT_EQ(run("attack", attack + "--out @/one.h5").status, 0);
  ASSERT_EQ(run("attack", attack + "--out @/many.h5 --batch 1").status, 0);
  const Content one = storage::read_artifact(path("one.h5"));
  const Content many = storage::read_artifact(path("many.h5"));
  ASSERT_TRUE(one.arrays.contains("target_classes"));
  for (const char* name : {"images", "logits", "l2"})
    EXPECT_TRUE(equal<float>(one.array(name), many.array(name))) << name;
}

TEST_F(Steps, InterruptedTrainingGoesOnToTheSameWeights) {
  const std::string train =
      "--arch resnet18 --images @/set.h5 --set training.epochs=12 "
      "--set training.batch_size=4 --defence denoising "
      "--set defence.lambda_a=1 --init @/w.safetensors ";
  const fs::path out = path("stopped.safetensors"), log = path("log");
  {
    Background first(
        concat(step("train", train + "--out @/stopped.safetensors"), " 2> ", log.string()));
    ASSERT_TRUE(wait_until(
        [&] { return fs::exists(log) && read_text(log).find("training") != std::string::npos; },
        60));
    first.signal(SIGINT);
    ASSERT_EQ(first.wait(), 75) << read_text(log);
  }
  EXPECT_FALSE(fs::exists(out));
  ASSERT_TRUE(fs::exists(out.string() + ".checkpoint.h5"));
  const Outcome other = run("train", train + "--seed 9 --out @/stopped.safetensors");
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.output, HasSubstr("checkpoint of another training (training.seed)"));

  const Outcome rest = run("train", train + "--out @/stopped.safetensors");
  ASSERT_EQ(rest.status, 0) << rest.output;
  EXPECT_THAT(rest.output, HasSubstr("going on from epoch"));
  EXPECT_FALSE(fs::exists(out.string() + ".checkpoint.h5"));
  ASSERT_EQ(run("train", train + "--out @/whole.safetensors").status, 0);
  EXPECT_TRUE(read_text(out) == read_text(path("whole.safetensors")));
}

TEST_F(Steps, FolderOfImages) {
  for (const char* name : {"folder/a", "folder/b", "folder/c"}) {
    fs::create_directories(path(name));
    std::ofstream(concat(path(name), "/1.png"), std::ios::binary)
        .write(kPng, static_cast<std::streamsize>(sizeof kPng - 1));
  }
  EXPECT_THAT(run("predict", concat(kModel, "--images @/folder --out @/f.h5")).output,
              HasSubstr("--image-size is missing"));
  std::ofstream(path("folder/b/notes.txt")) << "no image";
  const Outcome outcome =
      run("predict", concat(kModel, "--images @/folder --image-size 32 --out @/f.h5"));
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("1 files below"));
  const Content content = storage::read_artifact(path("f.h5"));
  EXPECT_EQ(content.array("images").shape, (std::vector<std::int64_t>{3, 3, 32, 32}));
  EXPECT_EQ(content.array("images").values<std::uint8_t>()[1024], 100);
  EXPECT_THAT(content.array("labels").values<std::int64_t>(), ::testing::ElementsAre(0, 1, 2));
}

TEST_F(Steps, BenchTellsSpeedsAndWhatTable1WouldTake) {
  const std::string small = "--device cpu --image-size 32 --batch 2 --seconds 0.1 ";
  const Outcome json = run("bench", small + "--json");
  ASSERT_EQ(json.status, 0) << json.output;
  const Json figures = Json::parse(json.output);
  for (const char* precision : {"float32", "bf16"})
    for (const char* name : {"cross-entropy", "full_loss", "ifgsm", "cw", "table1_seconds"})
      EXPECT_GT(figures.at("precisions").at(precision).at(name).get<double>(), 0) << name;
  EXPECT_EQ(figures.at("threads"), 1);
  const Outcome text = run("bench", small);
  EXPECT_THAT(text.output, HasSubstr("32 px, batch 2"));
  EXPECT_THAT(text.output, HasSubstr("Table 1 at this size, at most (hours)"));
  EXPECT_EQ(run("bench", "--arch resnet19").status, 2);
  EXPECT_EQ(run("bench", "--batch 1").status, 2);
}

TEST_F(Steps, AttacksInLowerPrecisionStayInTheBallAndSayIt) {
  const std::string attack = concat(kModel, "--images @/set.h5 --attack ifgsm --eps 4/255 --alpha ",
                                    "1/255 --steps 3 --set 'precision=\"");
  ASSERT_EQ(run("attack", attack + "bf16\"' --out @/low.h5").status, 0);
  const Content low = storage::read_artifact(path("low.h5"));
  EXPECT_THAT(low.attributes.at("attack_options").get<std::string>(), HasSubstr("bf16"));
  for (const float linf : low.array("linf").values<float>()) EXPECT_LE(linf, 4.0F / 255 + 1e-6F);
  const Outcome refused = run("attack", attack + "tf32\"' --device cpu --out @/tf32.h5");
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.output, HasSubstr("only CUDA has this format"));
}

TEST_F(Steps, WeightsOfAModelArtifact) {
  Content model;
  model.arrays["state/fc.bias"] = Array::own<float>({1, 2, 3}, {3});
  model.arrays["history/loss"] = Array::own<double>({1}, {1});
  storage::write_artifact(path("model.h5"), model);
  const Outcome outcome = run("weights", "@/model.h5 --out @/exported.safetensors");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const std::string text = read_text(path("exported.safetensors"));
  std::uint64_t header = 0;
  std::memcpy(&header, text.data(), sizeof header);
  const Json names = Json::parse(text.substr(8, header));
  EXPECT_FALSE(names.contains("history/loss"));
  const auto place = names.at("fc.bias").at("data_offsets").at(0).get<std::size_t>();
  float second = 0;
  std::memcpy(&second, text.data() + 8 + header + place + 4, 4);
  EXPECT_EQ(second, 2);

  const Outcome wrong = run("weights", "@/set.h5 --out @/exported.safetensors");
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.output, HasSubstr("holds no model"));
}

TEST_F(Steps, HelpIsThatOfSweepRunner) {
  const Outcome outcome =
      run_shell(concat((binaries() / "sweep_runner").string(), " attack --help"));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.output, HasSubstr("Usage: sweep_runner attack"));
  EXPECT_THAT(outcome.output, HasSubstr("--alpha-rel"));
}

TEST_F(Steps, BadInputIsRefusedBeforeWork) {
  std::ofstream(path("cut.h5"), std::ios::binary) << read_text(path("set.h5")).substr(0, 9000);
  std::ofstream(path("cut.safetensors"), std::ios::binary)
      << read_text(path("w.safetensors")).substr(0, 100000);
  Content labels = image_set();
  labels.arrays["labels"] = Array::own(std::vector<std::int64_t>(kImages, -1), {kImages});
  storage::write_artifact(path("labels.h5"), labels);
  const std::string set = "--images @/set.h5 --out @/bad.h5 ";
  const std::string ifgsm = concat(kModel, set, "--attack ifgsm ");
  const std::vector<std::array<std::string, 3>> commands{
      {"predict", set + "--arch resnet18 --num-classes 3 --weights @/none", "'@/none' is no file"},
      {"predict", set + "--arch resnet19 --num-classes 3 --weights @/w.safetensors",
       "--arch resnet19: nothing is registered as 'resnet19' (did you mean 'resnet18'?)"},
      {"predict", set + "--arch resnet18 --num-classes 4 --weights @/w.safetensors",
       "fc.bias [3] instead of [4]"},
      {"predict", set + "--arch resnet18 --num-classes 2 --weights @/w.safetensors",
       "has the label 2 for image 2"},
      {"predict", set + "--arch resnet18 --num-classes 3 --weights @/cut.safetensors",
       "the weights '@/cut.safetensors' can't be used"},
      {"predict", set + "--arch resnet18 --num-classes 3 --weights @/w.safetensors --normalize no",
       "--normalize: model.normalize = \"no\""},
      {"predict", set + kModel + "--dtype float16", "--dtype"},
      {"predict", concat(kModel, "--images @/cut.h5 --out @/bad.h5"), "can't be opened as HDF5"},
      {"predict", concat(kModel, "--images @/labels.h5 --out @/bad.h5"), "has the label -1"},
      {"predict", concat(kModel, "--images @/set.h5 --out @/w.safetensors"), "it would be lost"},
      {"predict", concat(kModel, "--images @/set.h5 --out @/no/p.h5"), "no folder '@/no'"},
      {"predict", set + kModel + "--images-key pictures", "(it has: images, labels)"},
      {"attack", ifgsm, "attack.epsilon is missing"},
      {"attack", ifgsm + "--eps 4/255", "attack.alpha, or attack.alpha_rel"},
      {"attack", ifgsm + "--eps 4/255 --alpha 1/255 --alpha-rel 0.1", "leave one of them out"},
      {"attack", ifgsm + "--eps 4 --alpha 1/255", "--eps 4: attack.epsilon = 4 is out of range"},
      {"attack", ifgsm + "--eps 4/255 --alpha 1/255 --confidence 1",
       "--confidence 1: unknown key attack.confidence"},
      {"attack", ifgsm + "--eps 4/255 --alpha 1/255 --set stesp=3", "did you mean 'steps'?"},
      {"attack", ifgsm + "--eps 4/255 --alpha 1/255 --set alpha=3", "already given by --alpha"},
      {"attack", concat(kModel, set, "--attack fsgm --eps 1/255"), "did you mean 'fgsm'?"},
      {"evaluate", concat(kModel, "--set @/none.h5"), "none.h5' is not there"},
      {"evaluate", "--weights @/w.safetensors --set @/set.h5",
       "'@/set.h5' does not say which model it was made against"},
      {"evaluate", "--weights @/w.safetensors --set @/cut.h5",
       "'@/cut.h5' does not say which model it was made against"},
      {"train", "--arch resnet18 --images @/set.h5 --out @/x --set epochs=3", "keys start with"},
      {"train", "--arch resnet18 --images @/set.h5 --out @/x --set training.epochs=0",
       "--set training.epochs=0: training.epochs = 0 is out of range"},
  };
  for (const auto& [name, arguments, message] : commands) {
    const Outcome outcome = run(name, arguments);
    EXPECT_EQ(outcome.status, 2) << arguments << "\n" << outcome.output;
    std::string expected = message;
    for (auto at = expected.find('@'); at != std::string::npos; at = expected.find('@'))
      expected.replace(at, 1, shared_->path().string());
    EXPECT_THAT(outcome.output, HasSubstr(expected)) << arguments;
  }
  EXPECT_FALSE(fs::exists(path("bad.h5")));
}

std::vector<double> reference(const fs::path& file, const std::string& name, std::size_t count) {
  namespace hdf5 = storage::hdf5;
  hdf5::init();
  const hdf5::File opened(
      hdf5::checked(H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "open"));
  const hdf5::Dataset dataset(
      hdf5::checked(H5Dopen2(opened.get(), name.c_str(), H5P_DEFAULT), "H5Dopen2"));
  std::vector<double> values(count);
  hdf5::checked(
      H5Dread(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
      "H5Dread");
  return values;
}

TEST_F(Steps, PredictGivesTheLogitsOfPyTorch) {
  const char* shared = std::getenv("SWEEP_SHARED_DIR");
  if (shared == nullptr) GTEST_SKIP() << "SWEEP_SHARED_DIR is not set";
  const fs::path oracle = fs::path(shared) / "oracle";
  for (const char* layout : {"channels_last", "nchw"}) {
    const Outcome outcome =
        run("predict",
            concat("--arch resnet18 --num-classes 4 --normalize none --dtype float64 --weights ",
                   (oracle / "resnet18_A.safetensors").string(), " --images ",
                   (oracle / "testset.h5").string(), " --images-key images_u8 --layout ", layout,
                   " --out @/oracle.h5"));
    ASSERT_EQ(outcome.status, 0) << outcome.output;
    const Content content = storage::read_artifact(path("oracle.h5"));
    const auto ours = content.array("logits").values<double>();
    const auto theirs = reference(oracle / "testset.h5", "logits_f64_A", ours.size());
    double largest = 0, difference = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      largest = std::max(largest, std::abs(theirs[i]));
      difference = std::max(difference, std::abs(ours[i] - theirs[i]));
    }
    EXPECT_LT(difference, 1e-10 * largest);
    const auto predictions = content.array("predictions").values<std::int64_t>();
    const auto expected = reference(oracle / "testset.h5", "pred_A", predictions.size());
    EXPECT_TRUE(std::equal(predictions.begin(), predictions.end(), expected.begin()));
  }
}

}  // namespace
}  // namespace sweep::test_support
