// Whatever is wrong is said before any work starts, with exit status 2, and nothing is lost.

#include <gtest/gtest.h>

#include <fstream>

#include "core/atomic_file.hpp"
#include "tests/end_to_end/program.hpp"

namespace sweep::test_support {
namespace {

constexpr char kTiny[] = R"([sweep]
name = "tiny"
[dataset]
name = "synthetic_lesions"
image_size = 32
train_per_class = 4
test_per_class = 2
[model]
name = "resnet18"
[defence]
name = "none"
[training]
epochs = 1
batch_size = 8
[attacks.fgsm]
method = "fgsm"
epsilon = "4/255"
[run]
threads = 1
)";

class BadInput : public ::testing::Test {
 protected:
  /// Runs a file with this text.
  Outcome run_text(const std::string& text, const std::string& more = "") {
    write_atomically(folder_ / "sweep.toml", text);
    return run_shell(concat((binaries() / "sweep_runner").string(), " ",
                            (folder_ / "sweep.toml").string(), " --out ",
                            (folder_ / "out").string(), " ", more));
  }
  std::string write_tiny() {
    write_atomically(folder_ / "sweep.toml", kTiny);
    return (folder_ / "sweep.toml").string();
  }
  void expect_refused(const Outcome& outcome, const std::vector<std::string>& parts) {
    EXPECT_EQ(outcome.status, 2) << outcome.output;
    for (const auto& part : parts)
      EXPECT_NE(outcome.output.find(part), std::string::npos) << part << " in " << outcome.output;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out/artifacts/model")) << "work was started";
  }

  TemporaryFolder folder_;
};

TEST_F(BadInput, PrintConfigPrintsAFileThatPrintsItselfAndStartsNothing) {
  const std::string program = (binaries() / "sweep_runner").string() + " run ";
  const Outcome printed =
      run_shell(program + write_tiny() + " --print-config --seeds 0-3 --exclude training.seed=1,2");
  ASSERT_EQ(printed.status, 0) << printed.output;
  EXPECT_NE(printed.output.find("\"training.seed\" = 3"), std::string::npos) << printed.output;
  EXPECT_EQ(printed.output.find("\"training.seed\" = 2"), std::string::npos) << printed.output;
  const std::string resolved = (folder_ / "resolved.toml").string();
  write_atomically(resolved, printed.output);
  EXPECT_EQ(run_shell(program + resolved + " --print-config").output, printed.output);
  EXPECT_FALSE(std::filesystem::exists("results")) << "work was started";
}

TEST_F(BadInput, OptionsThatChooseNoTrials) {
  expect_refused(run_text(kTiny, "--only training.seed=7"), {"--only training.seed=7", "no trial"});
  expect_refused(run_text(kTiny, "--seeds 4-1"), {"--seeds 4-1", "counts upwards"});
}

TEST_F(BadInput, FileThatIsNotThere) {
  expect_refused(run_shell((binaries() / "sweep_runner").string() + " /nowhere/x.toml"),
                 {"/nowhere/x.toml"});
}

TEST_F(BadInput, FileThatDoesNotParse) {
  expect_refused(run_text("[sweep\nname = 1"), {"sweep.toml:1:", "not valid TOML"});
}

TEST_F(BadInput, UnknownKey) {
  expect_refused(run_text(std::string(kTiny) + "checkpoint_second = 5\n"),
                 {"sweep.toml:20:1", "run.checkpoint_second", "did you mean 'checkpoint_seconds'"});
}

TEST_F(BadInput, UnknownKeyOnTheCommandLine) {
  expect_refused(run_text(kTiny, "--set training.epoch=3"),
                 {"training.epoch", "did you mean 'epochs'", "--set"});
}

TEST_F(BadInput, NegativeEpsilon) {
  expect_refused(run_text(kTiny, "--set attacks.fgsm.epsilon=-0.1"),
                 {"attacks.fgsm.epsilon", "-0.1", "out of range"});
}

TEST_F(BadInput, EmptyGrid) {
  expect_refused(run_text(std::string(kTiny) + "[grid]\n"), {"grid is empty"});
  expect_refused(run_text(std::string(kTiny) + "[grid]\n\"training.seed\" = []\n"),
                 {"grid.training.seed", "empty list"});
}

TEST_F(BadInput, DuplicateRow) {
  const std::string row = "[[table.row]]\nlabel = \"NA\"\nwhere = { \"training.seed\" = 0 }\n";
  expect_refused(run_text(std::string(kTiny) + row + row), {"NA", "twice"});
  const std::string other =
      "[[table.row]]\nlabel = \"again\"\nwhere = { \"defence.name\" = \"none\" }\n";
  expect_refused(run_text(std::string(kTiny) + row + other), {"duplicate row", "NA"});
}

TEST_F(BadInput, DatasetRootThatIsMissing) {
  expect_refused(run_text(kTiny, "--set dataset='{name=\"skin4\", root=\"/nowhere/isic\"}'"),
                 {"/nowhere/isic", "dataset.root"});
}

TEST_F(BadInput, OutputFolderThatCannotBeWritten) {
  write_atomically(folder_ / "file", "x");
  const Outcome outcome = run_text(kTiny, "--out " + (folder_ / "file/out").string());
  EXPECT_EQ(outcome.status, 2) << outcome.output;
}

TEST_F(BadInput, OutputFolderThatIsAFile) {
  write_atomically(folder_ / "file", "x");
  write_atomically(folder_ / "sweep.toml", kTiny);
  const Outcome outcome = run_shell(concat((binaries() / "sweep_runner").string(), " ",
                                           (folder_ / "sweep.toml").string(), " --out ",
                                           (folder_ / "file/out").string()));
  EXPECT_EQ(outcome.status, 2) << outcome.output;
  EXPECT_NE(outcome.output.find("output folder"), std::string::npos) << outcome.output;
}

// A limit on the size of files stands for a full disk: both fail in write().
TEST_F(BadInput, DiskThatIsFullFromTheStart) {
  write_atomically(folder_ / "sweep.toml", kTiny);
  const Outcome outcome =
      run_shell(concat("trap '' XFSZ; ulimit -f 200; ", (binaries() / "sweep_runner").string(), " ",
                       (folder_ / "sweep.toml").string(), " --out ", (folder_ / "out").string()));
  expect_refused(outcome, {"output folder can't be used"});
}

TEST_F(BadInput, DiskThatGetsFullOnTheWay) {
  write_atomically(folder_ / "sweep.toml", kTiny);
  const std::string command =
      concat((binaries() / "sweep_runner").string(), " ", (folder_ / "sweep.toml").string(),
             " --out ", (folder_ / "out").string());
  // Room for the dataset, not for a model.
  const Outcome full = run_shell("trap '' XFSZ; ulimit -f 4000; " + command);
  EXPECT_EQ(full.status, 2) << full.output;
  EXPECT_NE(full.output.find("storage"), std::string::npos) << full.output;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "out/artifacts"))
    EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
  const Outcome room = run_shell(command);
  EXPECT_EQ(room.status, 0) << room.output;
}

TEST_F(BadInput, OutputFolderInUse) {
  write_atomically(folder_ / "sweep.toml", kTiny);
  const std::string command =
      concat((binaries() / "sweep_runner").string(), " ", (folder_ / "sweep.toml").string(),
             " --out ", (folder_ / "out").string());
  Background first(command + " > /dev/null 2>&1");
  ASSERT_TRUE(
      wait_until([&] { return !events(journal_of(folder_ / "out", "tiny"), "run").empty(); }, 30));
  const Outcome second = run_shell(command);
  EXPECT_EQ(second.status, 2) << second.output;
  EXPECT_NE(second.output.find("in use"), std::string::npos) << second.output;
  EXPECT_NE(second.output.find(std::to_string(first.pid())), std::string::npos) << second.output;
  EXPECT_EQ(first.wait(), 0);
}

TEST_F(BadInput, NanFailsItsTrialAndTheOthersGoOn) {
  const Outcome outcome = run_text(
      std::string(kTiny) + "[grid]\n\"training.learning_rate\" = [0.01, 1e30]\n[attacker]\n",
      "--set training.epochs=2");
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  EXPECT_NE(outcome.output.find("not finite"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("epoch"), std::string::npos) << outcome.output;
  const auto journal = journal_of(folder_ / "out", "tiny");
  std::size_t evaluations = 0;
  for (const auto& event : events(journal, "done"))
    evaluations += event.at("task").get<std::string>().rfind("evaluate", 0) == 0 ? 1 : 0;
  EXPECT_EQ(evaluations, 2U);  // of the healthy model: clean and fgsm
}

TEST_F(BadInput, DeviceThatIsNotThere) {
  const Outcome outcome = run_shell(
      concat("CUDA_VISIBLE_DEVICES= ", (binaries() / "sweep_runner").string(), " ", write_tiny(),
             " --out ", (folder_ / "out").string(), " --set run.device=cuda"));
  expect_refused(outcome, {"run.device", "no GPU"});
}

TEST_F(BadInput, KeepsItsStatusUnderMpirun) {
  const Outcome outcome =
      run_shell(concat((binaries() / "sweep_runner").string(), " --np 2 ", write_tiny(), " --out ",
                       (folder_ / "out").string(), " --set training.epochs=0"));
  expect_refused(outcome, {"training.epochs"});
}

TEST_F(BadInput, MpirunThatIsNotThere) {
  const Outcome outcome =
      run_shell(concat("PATH=/nowhere ", (binaries() / "sweep_runner").string(), " --np 2 ",
                       write_tiny(), " --out ", (folder_ / "out").string()));
  expect_refused(outcome, {"cannot start mpirun", "openmpi-bin"});
}

TEST_F(BadInput, NpInsideMpirun) {
  write_atomically(folder_ / "sweep.toml", kTiny);
  const Outcome outcome = run_shell(
      concat("OMPI_COMM_WORLD_SIZE=1 ", (binaries() / "sweep_runner").string(), " --np 2 ",
             (folder_ / "sweep.toml").string(), " --out ", (folder_ / "out").string()));
  expect_refused(outcome, {"--np"});
}

}  // namespace
}  // namespace sweep::test_support
