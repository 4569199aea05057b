// The batch script as text, and what bash makes of it. What it does in a job: lab_test.py.

#include "runner/slurm/script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "runner/slurm/shell.hpp"
#include "tests/end_to_end/program.hpp"

namespace sweep::slurm {
namespace {

using test_support::run_shell;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Submission table1() {
  return {.sweep = "table1",
          .program = "/opt/sweep/sweep_runner",
          .command = {"run", "table1.toml", "--out=results"},
          .folder = "/data/me",
          .run_folder = "/data/me/results/runs/table1"};
}

std::string message(const Json& given) {
  try {
    resolve_options(given, [](const std::string&) { return std::string("file:1:1"); });
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(BatchScript, SaysEverythingToSbatch) {
  const Options options{.partition = "gpu",
                        .account = "lab",
                        .qos = "high",
                        .constraint = "a100|h100",
                        .time = "4:00:00",
                        .mail = "me@example.org",
                        .nodes = 2,
                        .gpus_per_node = 4,
                        .sbatch = {"--mem=64G"},
                        .setup = {"module load openmpi"}};
  EXPECT_THAT(batch_script(table1(), options), StartsWith(R"(#!/bin/bash
#SBATCH --job-name=table1
#SBATCH --chdir="/data/me"
#SBATCH --output="/data/me/results/runs/table1/slurm/%j.log"
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --no-kill
#SBATCH --signal=B:USR1@180
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --time=4:00:00
#SBATCH --partition=gpu
#SBATCH --account=lab
#SBATCH --qos=high
#SBATCH --constraint="a100|h100"
#SBATCH --mail-user=me@example.org
#SBATCH --mail-type=END,FAIL,REQUEUE
#SBATCH --mem=64G

# Written by sweep_runner submit.
module load openmpi
launch=(mpirun --quiet --bind-to none --mca orte_enable_recovery 1 --mca btl_vader_single_copy_mechanism none)
sweep=(/opt/sweep/sweep_runner run table1.toml --out=results)
run_folder=/data/me/results/runs/table1
warning=180
requeues=10
chained=no
)"));
}

TEST(BatchScript, OfAnArrayAndOfAChain) {
  Submission job = table1();
  job.array = 8;
  job.chained = true;
  const std::string script = batch_script(job, {.launcher = "srun"});
  EXPECT_THAT(script, HasSubstr("#SBATCH --array=0-7\n"));
  EXPECT_THAT(script, HasSubstr("/slurm/%A_%a.log\"\n"));
  EXPECT_THAT(script, HasSubstr("requeues=0\nchained=yes\n"));
  EXPECT_THAT(script, HasSubstr("launch=(srun --mpi=pmix --no-kill --kill-on-bad-exit=0"));
  EXPECT_THAT(script, Not(HasSubstr("--gpus-per-node")));
}

TEST(BatchScript, IsBashWhateverItsWordsAre) {
  const test_support::TemporaryFolder folder;
  Submission job = table1();
  job.command = {"run", "a b/$(touch evil);'\"`rm`\n.toml", "--set=x=*"};
  job.run_folder = "/data/me/it's here; rm/runs/table1";
  write_atomically(folder / "job.sh", batch_script(job, {}));
  const std::string path = (folder / "job.sh").string();
  EXPECT_EQ(run_shell("bash -n " + path).status, 0);
  const auto words = run_shell(
      concat("cd ", folder.path().string(), " && sed '/^restart=/,$d' job.sh > head.sh && ",
             R"(echo 'printf "%s|" "${sweep[@]}"; ls evil' >> head.sh && bash head.sh)"));
  EXPECT_THAT(
      words.output,
      StartsWith("/opt/sweep/sweep_runner|run|a b/$(touch evil);'\"`rm`\n.toml|--set=x=*|"));
  EXPECT_NE(words.status, 0) << "a word was run";
}

TEST(BatchScript, RefusesFoldersThatSbatchReadsOtherwise) {
  for (const char* name : {"50%j", "a\"b", "a\\b", "a\nb"}) {
    Submission job = table1();
    job.run_folder = std::filesystem::path("/data") / name / "runs/table1";
    EXPECT_THROW(batch_script(job, {}), InputError) << name;
  }
}

TEST(Options, RefuseWhatWouldBreakTheScript) {
  EXPECT_THAT(message({{"partition", "gpu\n#SBATCH --wrap=x"}}), HasSubstr("slurm.partition"));
  EXPECT_THAT(message({{"account", "a b"}}), HasSubstr("slurm.account"));
  EXPECT_THAT(message({{"qos", "--exclusive"}}), HasSubstr("slurm.qos"));
  EXPECT_THAT(message({{"sbatch", {"mem=4G"}}}), HasSubstr("no option of sbatch"));
  EXPECT_THAT(message({{"sbatch", {"--mem=4G\nrm -rf /"}}}), HasSubstr("no option of sbatch"));
  EXPECT_THAT(message({{"setup", {"true\nfalse"}}}), HasSubstr("more than a line"));
  EXPECT_THAT(message({{"partitoin", "gpu"}}), HasSubstr("did you mean 'partition'"));
  EXPECT_THAT(message({{"launcher", "ssh"}}), HasSubstr("slurm.launcher"));
  EXPECT_THAT(message({{"time", "4h"}}), HasSubstr("no time limit"));
  EXPECT_THAT(message({{"time", "5"}}), HasSubstr("too short"));
  EXPECT_EQ(message({{"time", "10"}}), "");
}

TEST(TimeLimit, IsReadAsSbatchReadsIt) {
  EXPECT_EQ(time_limit_seconds("90"), 90 * 60);
  EXPECT_EQ(time_limit_seconds("1:30"), 90);
  EXPECT_EQ(time_limit_seconds("4:00:00"), 4 * 3600);
  EXPECT_EQ(time_limit_seconds("2-12"), 60 * 3600);
  EXPECT_EQ(time_limit_seconds("1-0:30"), 86400 + 1800);
  EXPECT_EQ(time_limit_seconds("1-0:0:5"), 86405);
  for (const char* bad : {"", "-", "a", "1:2:3:4", "-5", "1-", "0", "1:-2", "1-2-3", "4h"})
    EXPECT_EQ(time_limit_seconds(bad), std::nullopt) << bad;
}

TEST(ShellWord, LeavesPlainWordsAsTheyAre) {
  EXPECT_EQ(shell_word("--set=a.b=1"), "--set=a.b=1");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
  EXPECT_EQ(shell_word("a$b"), "'a$b'");
}

}  // namespace
}  // namespace sweep::slurm
