// verify, doctor, gc and diff where a folder is not as they would like it: nothing that somebody
// needs is lost, and nothing that is wrong hides something else.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <set>

#include "core/hash.hpp"
#include "tests/end_to_end/upkeep_folder.hpp"

namespace sweep::test_support {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Codes = std::multiset<std::string>;

class UpkeepSafety : public Upkeep {
 protected:
  void expect_gc_refuses(const std::string& why) const {
    const Outcome outcome = on_folder("gc", "--delete");
    EXPECT_EQ(outcome.status, 2) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr(why));
    EXPECT_EQ(artifacts_of(sweep_.out()).size(), 11u);
  }
  void move_behind_link(const fs::path& path) const {
    const fs::path elsewhere = sweep_.out().parent_path() / "elsewhere";
    fs::rename(path, elsewhere);
    fs::create_symlink(elsewhere, path);
  }
  Json findings() const { return Json::parse(on_folder("doctor", "--json").output).at("findings"); }
  Codes finding_codes() const {
    Codes codes;
    for (const auto& finding : findings()) codes.insert(finding.at("finding").get<std::string>());
    return codes;
  }
  fs::path checkpoint_of(const fs::path& artifact) const {
    return sweep_.out() / "checkpoints" / artifact.filename();
  }
  /// A part of the set that is there, as a run that was killed leaves it.
  fs::path leave_shard() const {
    const auto set = storage::read_artifact(some("adversarial_set"));
    Json spec = Json::parse(set.attributes.at("spec").get<std::string>());
    spec.update({{"kind", "adversarial_shard"}, {"first", 0}, {"count", 4}});
    const std::string name = sha256(spec.dump());
    storage::Content shard;
    shard.attributes = {{"kind", "adversarial_shard"}, {"name", name}, {"spec", spec.dump()}};
    const fs::path path = sweep_.out() / "artifacts/adversarial_shard" / (name + ".h5");
    create_folders(path.parent_path());
    storage::write_artifact(path, shard);
    return path;
  }
};

TEST_F(UpkeepSafety, GcRefusesWhereAllRunsAreBehindALink) {
  move_behind_link(sweep_.out() / "runs");
  expect_gc_refuses("is a link");
  EXPECT_EQ(on_folder("verify").status, 1);
}

TEST_F(UpkeepSafety, GcRefusesWhereARunIsBehindALink) {
  move_behind_link(sweep_.run_folder());
  expect_gc_refuses("is a link");
}

TEST_F(UpkeepSafety, GcRefusesWhereAPlanIsBehindALink) {
  move_behind_link(sweep_.run_folder() / "plan.json");
  expect_gc_refuses("is a link");
}

TEST_F(UpkeepSafety, GcRefusesWhereThePlanOfARunIsGoneUntilTheRunIsGivenUp) {
  fs::remove(sweep_.run_folder() / "plan.json");
  expect_gc_refuses("plan.json' is not there");
  EXPECT_EQ(finding_codes(), Codes{"bad_plan"});
  EXPECT_EQ(on_folder("verify").status, 1);
  EXPECT_EQ(on_folder("gc", "--forget noop --delete").status, 0);
  EXPECT_TRUE(artifacts_of(sweep_.out()).empty());
}

TEST_F(UpkeepSafety, GcRefusesWhereNoRunSaysWhatIsNeeded) {
  fs::remove_all(sweep_.out() / "runs");
  expect_gc_refuses("no run");
}

TEST_F(UpkeepSafety, AForgottenRunTakesNothingAlongThatASweepHasNotMade) {
  append("notes.txt", "mine");
  create_folders(sweep_.run_folder() / "tensorboard/train");
  append("tensorboard/train/events.out.tfevents.1.host.1.0", "x");
  append("logs/model-0.1.1.log", "x");
  const Outcome outcome = on_folder("gc", "--forget noop --delete");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_TRUE(artifacts_of(sweep_.out()).empty());
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(sweep_.run_folder())) left.push_back(entry);
  EXPECT_THAT(left, ::testing::ElementsAre(sweep_.run_folder() / "notes.txt"));
  fs::remove(sweep_.run_folder() / "notes.txt");
  EXPECT_EQ(on_folder("gc", "--forget noop --delete").status, 0);
  EXPECT_FALSE(fs::exists(sweep_.run_folder()));
}

TEST_F(UpkeepSafety, AFolderWithoutResultsIsRefusedAndLeftAsItIs) {
  const TemporaryFolder folder;
  for (const char* verb : {"verify", "doctor", "doctor --fix", "gc", "gc --delete"}) {
    const Outcome outcome = runner(concat(verb, " ", folder.path().string()));
    EXPECT_EQ(outcome.status, 2) << verb << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("holds no results"));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST_F(UpkeepSafety, DoctorKeepsWhatADamagedArtifactCanBeMadeFrom) {
  const fs::path shard = leave_shard();
  EXPECT_EQ(finding_codes(), Codes{"joined_shard"});
  const fs::path model = some("model"), checkpoint = checkpoint_of(model);
  create_folders(checkpoint.parent_path());
  storage::write_artifact(checkpoint, {});
  EXPECT_EQ(finding_codes(), (Codes{"finished_checkpoint", "joined_shard"}));
  damage(some("adversarial_set"));
  damage(model);
  EXPECT_EQ(on_folder("doctor", "--fix").status, 0);
  EXPECT_TRUE(fs::exists(shard)) << "its set was damaged";
  EXPECT_TRUE(fs::exists(checkpoint)) << "its model was damaged";
}

TEST_F(UpkeepSafety, OneUnusableFileHidesNothingElse) {
  fs::resize_file(sweep_.run_folder() / "status.json", std::uintmax_t{100} << 20);
  create_folders(sweep_.run_folder() / "control");
  append("control/large.json", "x");
  fs::resize_file(sweep_.run_folder() / "control/large.json", std::uintmax_t{100} << 20);
  append("plan.json", "?");
  damage(some("model"));
  EXPECT_EQ(finding_codes(), (Codes{"bad_plan", "bad_request", "bad_status", "damaged"}));
  const Outcome outcome = on_folder("doctor", "--fix");
  EXPECT_EQ(outcome.status, 1) << "the plan is left";
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("4 findings, 1 left"), HasSubstr("--forget noop")));
  EXPECT_EQ(finding_codes(), Codes{"bad_plan"});
  EXPECT_EQ(run_shell(command("")).status, 0);
  EXPECT_EQ(on_folder("doctor").status, 0);
}

TEST_F(UpkeepSafety, AStatusWithAKeyOfAnotherTypeIsFound) {
  Json status = sweep_.status();
  status["pid"] = "many";
  write_atomically(sweep_.run_folder() / "status.json", status.dump());
  EXPECT_EQ(finding_codes(), Codes{"bad_status"});
}

TEST_F(UpkeepSafety, TheRunCounterIsRestoredFromTheJournals) {
  ASSERT_EQ(run_shell(command("--set training.epochs=3")).status, 0);
  write_atomically(sweep_.out() / "epoch", "many\n");
  EXPECT_EQ(on_folder("doctor", "--fix").status, 0);
  EXPECT_EQ(read_text(sweep_.out() / "epoch"), "2\n");
}

TEST_F(UpkeepSafety, DamagedLinesOfAJournalAreTakenOut) {
  const fs::path path = sweep_.run_folder() / "journal.jsonl";
  const std::string whole = read_text(path);
  append("journal.jsonl", "no event\n{\"event\": 3}\n{\"event\": \"en");
  EXPECT_EQ(finding_codes(), Codes{"bad_journal"});
  const auto line = std::count(whole.begin(), whole.end(), '\n') + 1;
  EXPECT_EQ(findings()[0].at("message"),
            concat("has lines that are no events (line ", line, ": it is not a JSON object)"));
  EXPECT_EQ(on_folder("doctor", "--fix").status, 0);
  EXPECT_EQ(read_text(path), whole);
  EXPECT_EQ(on_folder("doctor").status, 0);
}

TEST_F(UpkeepSafety, DoctorSaysWhoWorksOnTheFolder) {
  EXPECT_TRUE(Json::parse(on_folder("doctor", "--json").output).at("in_use_by").is_null());
  Background run(sweep_.command("> /dev/null 2>&1 --set training.epochs=3", R"({"seconds": 2})"));
  ASSERT_TRUE(wait_until([&] { return sweep_.status().value("state", "") == "running"; }, 30));
  const Json report = Json::parse(on_folder("doctor", "--json").output);
  EXPECT_THAT(report.at("in_use_by").get<std::string>(), HasSubstr("process "));
  EXPECT_EQ(report.at("left"), 0);
}

TEST_F(UpkeepSafety, WhatSearchHasEndedEarlyIsNotMissing) {
  const Json tasks = Json::parse(read_text(sweep_.run_folder() / "plan.json")).at("tasks");
  const auto users = [&](const std::string& kind, std::size_t of) {
    std::vector<std::string> names;
    for (const auto& task : tasks)
      if (task.at("kind") == kind)
        for (const auto& input : task.at("inputs"))
          if (input == of) names.push_back(task.at("hash"));
    return names;
  };
  // Not the attacker, whose adversarial set would be left without its model.
  std::size_t chosen = 0;
  while (tasks.at(chosen).at("kind") != "model" || !users("adversarial_set", chosen).empty())
    ++chosen;
  const std::string name = tasks.at(chosen).at("hash");
  const fs::path model = sweep_.out() / "artifacts/model" / (name + ".h5");
  std::size_t lost = 0;
  for (const auto& evaluation : users("evaluation", chosen))
    lost += fs::remove(sweep_.out() / "artifacts/evaluation" / (evaluation + ".h5"));
  fs::remove(model);
  ASSERT_GE(lost, 2u);
  const Outcome missing = on_folder("verify");
  EXPECT_EQ(missing.status, 1) << missing.output;
  append("journal.jsonl", Json{{"event", "pruned"}, {"artifact", name}}.dump() + "\n");
  const Outcome pruned = on_folder("verify");
  EXPECT_EQ(pruned.status, 0) << pruned.output;
  EXPECT_THAT(pruned.output, HasSubstr("ended early"));
}

class DiffSafety : public UpkeepSafety {
 protected:
  void SetUp() override {
    UpkeepSafety::SetUp();
    fs::copy(sweep_.out(), copy(), fs::copy_options::recursive);
  }
  fs::path copy() const { return folder_ / "copy"; }
  Outcome diff(const std::string& more = "") const {
    return runner(concat("diff ", more, " ", sweep_.out().string(), " ", copy().string()));
  }
  void change_plan(const std::function<void(Json&)>& change) const {
    const fs::path path = copy() / "runs/noop/plan.json";
    Json plan = Json::parse(read_text(path));
    change(plan);
    write_atomically(path, plan.dump());
  }
  TemporaryFolder folder_;
};

TEST_F(DiffSafety, ARunOfSeveralIsNamedBehindAColon) {
  fs::copy(copy() / "runs/noop", copy() / "runs/other", fs::copy_options::recursive);
  const std::string ours = sweep_.out().string() + ":noop ";
  EXPECT_EQ(diff().status, 2) << "which of two?";
  const Outcome outcome = runner(concat("diff ", ours, copy().string(), ":noop"));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(runner(concat("diff ", ours, copy().string(), ":nope")).status, 2);
  const Outcome same_folder =
      runner(concat("diff ", copy().string(), ":noop ", copy().string(), ":other"));
  EXPECT_EQ(same_folder.status, 0) << same_folder.output;
}

TEST_F(DiffSafety, OtherAttributesAreAnotherContentAndProvenanceIsNot) {
  const fs::path path = copy() / "artifacts" / artifacts_of(copy()).lower_bound("model/")->first;
  auto content = storage::read_artifact(path);
  content.attributes["provenance"] = "elsewhere";
  storage::write_artifact(path, content);
  EXPECT_EQ(diff().status, 0);
  content.attributes["note"] = "another";
  storage::write_artifact(path, content);
  const Outcome outcome = diff("--json");
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  const Json json = Json::parse(outcome.output);
  ASSERT_EQ(json.at("unequal_artifacts").size(), 1u);
  EXPECT_EQ(json.at("unequal_artifacts")[0].at("hash"), path.stem().string());
}

TEST_F(DiffSafety, ADamagedArtifactIsNamedAndHidesNothing) {
  const auto names = artifacts_of(copy());
  damage(names.lower_bound("model/")->second);
  const auto other = names.lower_bound("dataset/")->second;
  auto content = storage::read_artifact(other);
  content.attributes["note"] = "another";
  storage::write_artifact(other, content);
  const Outcome outcome = diff("--json");
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  const Json json = Json::parse(outcome.output);
  EXPECT_EQ(json.at("unequal_artifacts").size(), 1u);
  EXPECT_THAT(json.at("problems").dump(), HasSubstr("checksum does not match"));
  EXPECT_THAT(diff().output, HasSubstr("checksum does not match"));
}

TEST_F(DiffSafety, CellsAreComparedByTheirLabels) {
  const Json plan = Json::parse(read_text(sweep_.run_folder() / "plan.json"));
  const Json& row = plan.at("table").at("rows")[1];
  const std::string name = row.at("trials")[0].at("evaluations").at("clean");
  const fs::path path = copy() / "artifacts/evaluation" / (name + ".h5");
  auto content = storage::read_artifact(path);
  content.arrays["predictions"] = storage::Array::own(std::vector<std::int64_t>{3, 3, 3, 3}, {4});
  storage::write_artifact(path, content);
  const Outcome outcome = diff("--json");
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  const Json json = Json::parse(outcome.output);
  EXPECT_EQ(json.at("unequal_artifacts").size(), 1u);
  EXPECT_EQ(json.at("cells").size(), 6u);
  for (const auto& cell : json.at("cells")) {
    const bool changed = cell.at("row") == row.at("label") && cell.at("column") == "clean";
    EXPECT_TRUE(cell.at("a").is_number());
    EXPECT_EQ(cell.at("a") == cell.at("b"), !changed) << cell;
    EXPECT_TRUE(!changed || cell.at("b") == 25.0) << cell;
  }
}

TEST_F(DiffSafety, AColumnThatMeansSomethingElseIsAChange) {
  change_plan([](Json& plan) { plan.at("table").at("columns").back()["pixels"] = "uint8"; });
  const Outcome outcome = diff();
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr(R"(columns.fgsm.pixels: "float32" -> "uint8")"));
}

}  // namespace
}  // namespace sweep::test_support
