// verify, doctor, gc and diff on the folder of a real run whose tasks do nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/end_to_end/upkeep_folder.hpp"

namespace sweep::test_support {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Upkeep, AWholeFolderIsGood) {
  const Outcome verified = on_folder("verify");
  EXPECT_EQ(verified.status, 0) << verified.output;
  EXPECT_THAT(verified.output, HasSubstr("11 of 11 artifacts are whole"));
  EXPECT_THAT(verified.output, HasSubstr("6 of 6 cells"));
  const Outcome examined = on_folder("doctor");
  EXPECT_EQ(examined.status, 0) << examined.output;
  EXPECT_THAT(on_folder("gc").output, HasSubstr("nothing to delete"));
}

TEST_F(Upkeep, VerifyFindsWhatIsDamagedMissingAndMisnamedAndChangesNothing) {
  damage(some("model"));
  fs::remove(some("evaluation"));
  const fs::path other = some("adversarial_set").parent_path() / (std::string(64, 'a') + ".h5");
  fs::copy(some("adversarial_set"), other);
  const auto before = artifacts_of(sweep_.out());
  const Outcome outcome = on_folder("verify", "--json");
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  const Json report = Json::parse(outcome.output);
  std::map<std::string, int> problems;
  for (const auto& problem : report.at("problems"))
    ++problems[problem.at("problem").get<std::string>()];
  EXPECT_EQ(problems["damaged"], 1) << outcome.output;
  EXPECT_EQ(problems["misnamed"], 1) << outcome.output;
  EXPECT_EQ(report.at("runs")[0].at("missing_cells").size(), 1u);
  EXPECT_EQ(artifacts_of(sweep_.out()), before);
  EXPECT_FALSE(fs::exists(sweep_.out() / "damaged"));
}

TEST_F(Upkeep, DoctorMendsAndTheNextRunGoesOn) {
  damage(some("model"));
  append("journal.jsonl", "{\"event\":");
  Json status = sweep_.status();
  status["state"] = "running";
  write_atomically(sweep_.run_folder() / "status.json", status.dump());
  create_folders(sweep_.run_folder() / "control");
  write_atomically(sweep_.run_folder() / "control/x.json", "no request");
  write_atomically(sweep_.out() / "epoch", "many\n");
  const Outcome dry = on_folder("doctor");
  EXPECT_EQ(dry.status, 1);
  EXPECT_THAT(dry.output, HasSubstr("5 findings, 5 left"));
  EXPECT_EQ(on_folder("doctor").output, dry.output) << "it changes nothing by itself";
  const Outcome mended = on_folder("doctor", "--fix");
  EXPECT_EQ(mended.status, 0) << mended.output;
  EXPECT_THAT(on_folder("doctor").output, HasSubstr("nothing is wrong"));
  EXPECT_EQ(sweep_.status().at("state"), "interrupted");
  EXPECT_EQ(run_shell(command("")).status, 0);
  EXPECT_EQ(on_folder("verify").status, 0);
}

TEST_F(Upkeep, GcDeletesWhatNoPlanNamesAndNothingElse) {
  ASSERT_EQ(run_shell(command("--only training.seed=0")).status, 0);
  std::ofstream(some("model").parent_path() / "notes.txt") << "mine";
  const fs::path elsewhere = sweep_.out().parent_path() / "elsewhere.h5";
  std::ofstream(elsewhere) << "not of the store";
  fs::create_symlink(elsewhere, some("model").parent_path() / (std::string(64, 'b') + ".h5"));
  const Outcome dry = on_folder("gc");
  EXPECT_THAT(dry.output, HasSubstr("nothing is deleted yet"));
  EXPECT_THAT(dry.output, ::testing::ContainsRegex("model +2 "));
  EXPECT_THAT(dry.output, ::testing::ContainsRegex("evaluation +4 "));
  EXPECT_EQ(on_folder("gc", "--delete").status, 0);
  EXPECT_EQ(on_folder("verify").status, 0);
  EXPECT_TRUE(fs::exists(elsewhere));
  EXPECT_TRUE(fs::exists(some("model").parent_path() / "notes.txt"));
  EXPECT_THAT(on_folder("gc").output, HasSubstr("nothing to delete"));
}

TEST_F(Upkeep, GcRefusesWhereAPlanCannotBeRead) {
  write_atomically(sweep_.run_folder() / "plan.json", "{");
  const Outcome outcome = on_folder("gc", "--delete");
  EXPECT_EQ(outcome.status, 2) << outcome.output;
  EXPECT_EQ(artifacts_of(sweep_.out()).size(), 11u);
  EXPECT_EQ(on_folder("gc", "--forget nope").status, 2);
  EXPECT_EQ(runner("gc /nowhere").status, 2);
  EXPECT_EQ(runner("doctor /nowhere").status, 2);
  EXPECT_EQ(runner("verify /nowhere").status, 2);
  EXPECT_FALSE(fs::exists("/nowhere"));
}

TEST_F(Upkeep, NothingIsMendedOrDeletedBesideARun) {
  ASSERT_EQ(run_shell(command("--only training.seed=0")).status, 0);
  Background run(sweep_.command("> /dev/null 2>&1 --set training.epochs=3", R"({"seconds": 2})"));
  ASSERT_TRUE(wait_until([&] { return sweep_.status().value("state", "") == "running"; }, 30));
  for (const char* verb : {"gc --delete", "doctor --fix"}) {
    const Outcome outcome = runner(concat(verb, " ", sweep_.out().string()));
    EXPECT_EQ(outcome.status, 2) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("is in use")) << verb;
  }
}

TEST_F(Upkeep, DiffTellsWhatDiffers) {
  const TemporaryFolder folder;
  const fs::path copy = folder / "copy";
  fs::copy(sweep_.out(), copy, fs::copy_options::recursive);
  const std::string both = concat(sweep_.out().string(), " ", copy.string());
  const Outcome equal = runner("diff " + both);
  EXPECT_EQ(equal.status, 0) << equal.output;
  EXPECT_THAT(equal.output, HasSubstr("11 artifacts are in both, with equal contents"));
  ASSERT_EQ(run_shell(command("--set training.epochs=3 --only training.seed=0,1")).status, 0);
  const Outcome different = runner("diff --json " + both);
  EXPECT_EQ(different.status, 1) << different.output;
  const Json json = Json::parse(different.output);
  EXPECT_THAT(json.at("changes").dump(), HasSubstr("training.seed=2: added"));
  EXPECT_THAT(json.at("changes").dump(), HasSubstr("training.epochs: 3 -> "));
  EXPECT_EQ(json.at("only_b").size(), 1u);
  EXPECT_EQ(runner("diff " + sweep_.out().string() + " /nowhere").status, 2);
}

TEST_F(Upkeep, ExportedResultsServeAnotherFolder) {
  const TemporaryFolder folder;
  const std::string ex = (folder / "export").string(), out = (folder / "out").string();
  EXPECT_EQ(runner(concat("export ", sweep_.out().string(), " --to ", ex)).status, 0);
  EXPECT_EQ(runner("verify " + ex).status, 0);
  EXPECT_EQ(runner(concat("export ", sweep_.out().string(), " --to ", ex)).status, 2)
      << "it is there already";
  const Outcome imported = runner(concat("import ", ex, " --out ", out));
  EXPECT_EQ(imported.status, 0) << imported.output;
  EXPECT_THAT(imported.output, HasSubstr("11 artifacts are new here"));
  EXPECT_THAT(runner(concat("import ", ex, " --out ", out)).output,
              HasSubstr("0 artifacts are new here, 11 were here already"));
  EXPECT_EQ(runner(concat("diff ", sweep_.out().string(), " ", out)).status, 0);
  const Outcome run =
      runner(concat((sweep_.out().parent_path() / "noop.toml").string(), " --out ", out));
  EXPECT_THAT(run.output, HasSubstr("all done already")) << run.output;
}

TEST_F(Upkeep, ATrialIsExportedWithWhatItNeeds) {
  const TemporaryFolder folder;
  const std::string ex = (folder / "export").string();
  const Outcome outcome =
      runner(concat("export --json ", sweep_.out().string(), " --trial 1 --to ", ex));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(Json::parse(outcome.output).at("artifacts"), 6);
  // Dataset, attacker, adversarial set, its own model, two evaluations.
  EXPECT_EQ(artifacts_of(ex).size(), 6u) << outcome.output;
}

TEST_F(Upkeep, ImportGoesOnWhereOneHereIsDamaged) {
  const TemporaryFolder folder;
  const std::string ex = (folder / "export").string(), out = (folder / "out").string();
  ASSERT_EQ(runner(concat("export ", sweep_.out().string(), " --to ", ex)).status, 0);
  ASSERT_EQ(runner(concat("import ", ex, " --out ", out)).status, 0);
  for (const auto& entry : fs::directory_iterator(fs::path(out) / "artifacts/dataset"))
    fs::resize_file(entry.path(), 600);
  for (const auto& entry : fs::directory_iterator(fs::path(out) / "artifacts/model"))
    fs::remove(entry.path());
  const Outcome outcome = runner(concat("import ", ex, " --out ", out));
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("the one that is here can't be used"));
  EXPECT_THAT(outcome.output, HasSubstr("3 artifacts are new here"));
  for (const auto& entry : fs::recursive_directory_iterator(out))
    EXPECT_THAT(entry.path().string(), Not(HasSubstr(".tmp")));
}

TEST_F(Upkeep, ImportRefusesWhatIsNotWhatItSays) {
  const TemporaryFolder folder;
  const fs::path ex = folder / "export", models = ex / "artifacts/model";
  const std::string out = (folder / "out").string();
  ASSERT_EQ(runner(concat("export ", sweep_.out().string(), " --to ", ex.string())).status, 0);
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(models)) found.push_back(entry.path());
  ASSERT_EQ(found.size(), 3u);
  const auto replace = [](const fs::path& path, const std::string& bytes) {
    fs::remove(path);  // it is linked with the original
    std::ofstream(path, std::ios::binary) << bytes;
  };
  const std::string other = read_text(found[2]);
  replace(found[0], other);                 // a name of its own, another's content
  replace(found[1], other.substr(0, 700));  // truncated
  replace(models / (std::string(64, 'c') + ".h5"), "garbage");
  fs::create_symlink("/etc/hostname", models / (std::string(64, 'd') + ".h5"));
  replace(models / "..h5", "x");
  fs::create_directories(ex / "runs/..evil");
  fs::copy(ex / "runs/noop/plan.json", ex / "runs/..evil/plan.json");
  replace(ex / "runs/noop/plan.json", R"({"version": 3, "tasks": [{"hash": "../../x"}]})");
  const Outcome outcome = runner(concat("import --json ", ex.string(), " --out ", out));
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  const Json report = Json::parse(outcome.output.substr(outcome.output.find('{')));
  EXPECT_EQ(report.at("added"), 9) << "the other model, and what is no model";
  EXPECT_EQ(report.at("runs").size(), 0u) << outcome.output;
  EXPECT_EQ(report.at("refused").size(), 6u) << outcome.output;
  EXPECT_EQ(artifacts_of(out).size(), 9u);
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    EXPECT_FALSE(fs::is_symlink(entry.path())) << entry.path();
    EXPECT_THAT(entry.path().string(), Not(HasSubstr(".tmp")));
  }
  EXPECT_EQ(runner("import /nowhere --out " + out).status, 2);
}

}  // namespace
}  // namespace sweep::test_support
