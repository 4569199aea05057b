#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "cluster/executor_process.hpp"
#include "core/build_info.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/store.hpp"
#include "tests/end_to_end/same_results.hpp"
#include "tests/support/temporary_folder.hpp"

// Talks with the built trial_executor as its agent does.

namespace sweep::tasks {
namespace {

using storage::ArtifactId;
using storage::ArtifactKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const ArtifactId kDataset{ArtifactKind::dataset, std::string(64, 'd')};
const ArtifactId kModel{ArtifactKind::model, std::string(64, 'e')};

Json described(const ArtifactId& id) {
  return {{"kind", storage::to_string(id.kind)}, {"hash", id.hash}};
}

Json dataset_task() {
  Json task = described(kDataset);
  task.update({{"label", "prepare"},
               {"inputs", Json::array()},
               {"locations", Json::object()},
               {"spec",
                {{"dataset",
                  {{"name", "synthetic_lesions"},
                   {"image_size", 32},
                   {"seed", 1},
                   {"train_per_class", 8},
                   {"test_per_class", 2}}},
                 {"source", ""}}}});
  return task;
}

Json training_task(int epochs) {
  Json task = described(kModel);
  task.update(
      {{"label", "train"},
       {"inputs", {described(kDataset)}},
       {"locations", Json::object()},
       {"spec",
        {{"dataset", kDataset.hash},
         {"model", {{"name", "densenet121"}, {"normalize", "imagenet"}}},
         {"defence", {{"name", "denoising"}, {"lambda_n", 1}, {"lambda_a", 1}, {"sigma", 0.03}}},
         {"training",
          {{"epochs", epochs},
           {"batch_size", 16},
           {"optimizer", "sgd"},
           {"learning_rate", 0.01},
           {"momentum", 0.9},
           {"weight_decay", 1e-4},
           {"milestones", {0.5}},
           {"gamma", 0.1},
           {"flip", true},
           {"precision", "float32"},
           {"seed", 0}}}}}});
  return task;
}

class Executor {
 public:
  explicit Executor(const storage::Store& store, const std::string& memory = "")
      : store_(store), process_(options(store, memory)) {}

  void start(const Json& task, const Json& more = Json::object()) {
    Json message{{"type", "task"},
                 {"task", task},
                 {"store", store_.root().string()},
                 {"epoch", 1},
                 {"run", {{"checkpoint_seconds", 1e6}}},
                 {"log", (store_.root() / "attempt.log").string()}};
    message.update(more);
    process_.send(message.dump());
  }

  void say(const std::string& type) { process_.send(Json{{"type", type}}.dump()); }

  /// Everything up to the first message of one of these types, or to the end of the task.
  std::vector<Json> hear_until(std::vector<std::string> types) {
    types.insert(types.end(), {"done", "failed", "stopped", "pruned"});  // nothing follows these
    std::vector<Json> heard;
    for (int i = 0; i < 6000; ++i) {
      for (const auto& line : process_.receive()) {
        heard.push_back(Json::parse(line));
        const std::string type = heard.back().at("type");
        if (std::find(types.begin(), types.end(), type) != types.end()) return heard;
      }
      if (const auto end = process_.poll_exit()) {
        ADD_FAILURE() << "the executor " << end->text();
        return heard;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "nothing was heard for a minute";
    return heard;
  }

  std::vector<Json> run(const Json& task, const Json& more = Json::object()) {
    start(task, more);
    return hear_until({});
  }

  pid_t pid() const { return process_.pid(); }

 private:
  static cluster::ChildOptions options(const storage::Store& store, const std::string& memory) {
    cluster::ChildOptions options{.program = std::string(SWEEP_BINARIES) + "/trial_executor",
                                  .arguments = {"work", "--threads", "1", "--device", "cpu"},
                                  .log = store.root() / "executor.log"};
    if (!memory.empty()) options.environment = {{"SWEEP_TEST_TENSOR_MEMORY", memory}};
    return options;
  }

  const storage::Store& store_;
  cluster::ExecutorProcess process_;
};

std::vector<Json> of_type(const std::vector<Json>& messages, const std::string& type) {
  std::vector<Json> found;
  for (const auto& message : messages)
    if (message.at("type") == type) found.push_back(message);
  return found;
}

class ExecutorTest : public ::testing::Test {
 protected:
  ExecutorTest() {
    Executor executor(store_);
    EXPECT_EQ(executor.run(dataset_task()).back().at("type"), "done");
  }

  std::string log() const { return read_text(store_.root() / "attempt.log"); }

  sweep::test_support::TemporaryFolder folder_;
  storage::Store store_{folder_.path() / "store"};
  storage::StoreLock lock_{store_};
};

TEST_F(ExecutorTest, TellsEpochsAndWhatTheArtifactHolds) {
  Executor executor(store_);
  const auto heard = executor.run(training_task(2));
  ASSERT_EQ(heard.back().at("type"), "done") << heard.back();
  const auto content = store_.read(kModel);
  const auto epochs = of_type(heard, "epoch");
  ASSERT_EQ(epochs.size(), 2);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(epochs[i].at("epoch"), i + 1);
    EXPECT_EQ(epochs[i].at("step"), 2 * (i + 1));  // 32 images
    EXPECT_EQ(epochs[i].at("metrics").size(), 8);
    for (const auto& [metric, value] : epochs[i].at("metrics").items())
      EXPECT_EQ(value.get<double>(), content.array("history/" + metric).values<double>()[i])
          << metric;
  }
  const auto progress = of_type(heard, "progress");
  ASSERT_FALSE(progress.empty());
  EXPECT_EQ(progress.front().at("epoch"), 1);
  EXPECT_GT(progress.front().at("loss").get<double>(), 0);
  EXPECT_GT(progress.front().at("images_per_second").get<double>(), 0);
  EXPECT_GT(progress.front().at("memory_bytes").get<std::int64_t>(), 50'000'000) << "LibTorch";
}

TEST_F(ExecutorTest, StopsWithACheckpointAndGoesOnWithoutTellingOldEpochs) {
  Executor executor(store_);
  executor.start(training_task(3));
  executor.hear_until({"epoch"});
  executor.say("stop");
  EXPECT_EQ(executor.hear_until({}).back().at("type"), "stopped");
  EXPECT_TRUE(std::filesystem::exists(store_.checkpoint_path(kModel)));
  const auto heard = executor.run(training_task(3));
  EXPECT_EQ(heard.back().at("type"), "done");
  const auto epochs = of_type(heard, "epoch");
  ASSERT_FALSE(epochs.empty());
  EXPECT_EQ(epochs.front().at("epoch"), 2);
  EXPECT_EQ(epochs.back().at("epoch"), 3);
}

TEST_F(ExecutorTest, IsPrunedWithoutSaving) {
  Executor executor(store_);
  executor.start(training_task(1000));
  executor.hear_until({"epoch"});
  executor.say("prune");
  EXPECT_EQ(executor.hear_until({}).back().at("type"), "pruned");
  EXPECT_FALSE(std::filesystem::exists(store_.checkpoint_path(kModel)));
  EXPECT_FALSE(store_.contains(kModel));
  EXPECT_EQ(executor.run(dataset_task()).back().at("type"), "done") << "the next task is not meant";
}

/// This training needs 194 MB at memory level 0 and 148 MB at level 1.
constexpr char kLittleMemory[] = "170000000";

TEST_F(ExecutorTest, WhatRanOutOfMemoryGivesTheSameResultsWithLess) {
  Executor executor(store_, kLittleMemory);
  const auto failed = executor.run(training_task(1)).back();
  ASSERT_EQ(failed.at("type"), "failed");
  EXPECT_EQ(failed.at("failure"), to_string(FailureType::out_of_memory));
  EXPECT_THAT(failed.at("message").get<std::string>(), HasSubstr("can't allocate memory"));
  const pid_t pid = executor.pid();
  const auto heard = executor.run(training_task(1), {{"attempt", 2}, {"memory_level", 1}});
  ASSERT_EQ(heard.back().at("type"), "done") << heard.back() << log();
  EXPECT_EQ(executor.pid(), pid);
  EXPECT_THAT(log(), HasSubstr("saving memory, level 1"));
  const auto content = store_.read(kModel);
  const Json provenance = Json::parse(content.attributes.at("provenance").get<std::string>());
  EXPECT_EQ(provenance.at("memory_level"), 1);
  EXPECT_EQ(provenance.at("attempt"), 2);

  store_.remove(kModel);
  Executor undisturbed(store_);
  ASSERT_EQ(undisturbed.run(training_task(1)).back().at("type"), "done");
  sweep::test_support::expect_same_content("model", content, store_.read(kModel));
}

TEST_F(ExecutorTest, ArtifactsTellTheirProvenanceButNotWhoseTheyAre) {
  const auto attributes = store_.read(kDataset).attributes;
  const std::string text = attributes.at("provenance");
  const Json provenance = Json::parse(text);
  EXPECT_EQ(provenance.at("git_revision"), kGitRevision);
  EXPECT_EQ(provenance.at("git_diff"), kGitDiff);
  EXPECT_EQ(provenance.at("device").at("name"), provenance.at("cpu"));
  EXPECT_EQ(provenance.at("attempt"), 1);
  EXPECT_EQ(provenance.at("run_epoch"), 1);
  EXPECT_EQ(provenance.at("memory_level"), 0);
  for (const char* key : {"sweep_runner_version", "compiler", "host"})
    EXPECT_FALSE(provenance.at(key).get<std::string>().empty()) << key;
  for (const char* key : {"torch", "hdf5"})
    EXPECT_THAT(provenance.at("libraries").at(key).get<std::string>(), HasSubstr("."));
  EXPECT_LE(provenance.at("started").get<std::string>(), provenance.at("ended").get<std::string>());
  for (const char* variable : {"HOME", "PWD"}) {
    const char* value = std::getenv(variable);
    if (value && value != std::string("/")) {
      EXPECT_THAT(text, Not(HasSubstr(value)));
    }
  }
  std::vector<std::string> others;
  for (const auto& [name, value] : attributes.items()) others.push_back(name);
  EXPECT_THAT(others, ElementsAre("card", "class_names", "kind", "name", "provenance", "spec"));
}

}  // namespace
}  // namespace sweep::tasks
