#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cluster/host.hpp"
#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/commands/arguments_again.hpp"
#include "runner/commands/command.hpp"
#include "runner/commands/sweep_options.hpp"
#include "runner/plan/request.hpp"
#include "runner/slurm/client.hpp"
#include "runner/slurm/script.hpp"
#include "runner/slurm/shell.hpp"
#include "storage/store.hpp"

namespace sweep::commands {
namespace {

namespace fs = std::filesystem;

constexpr char kSubmitExamples[] =
    "\nReturns at once with the job's id. Before its time limit the job saves and goes back to the "
    "queue, until the\n"
    "sweep is finished. Defaults stand in [slurm] of the sweep file, and for all sweeps of yours "
    "in\n"
    "~/.config/sweep_runner/slurm.toml. More: docs/slurm.md\n"
    "\n"
    "  sweep_runner submit sweeps/table1.toml --nodes 2 --gpus-per-node 4 --time 8:00:00\n"
    "  sweep_runner submit sweeps/table1.toml --partition gpu --sbatch --mem=64G --dry-run\n"
    "  sweep_runner submit sweeps/table1.toml --time 60 --chain 5\n"
    "  sweep_runner submit sweeps/table1.toml --gpus-per-node 1 --array 8";

/// A key of [slurm] that is an option, too: "gpus_per_node" as --gpus-per-node.
struct KeyOption {
  const char* key;
  const char* type;
  const char* summary;
};

constexpr KeyOption kTexts[] = {
    {"partition", "NAME", "Where the job runs"},
    {"account", "NAME", "Who pays"},
    {"qos", "NAME", "Quality of service"},
    {"constraint", "FEATURES", "What the nodes must have"},
    {"time", "LIMIT", "Time limit: 90 (minutes), 4:00:00, 2-12 (days and hours)"},
    {"mail", "ADDRESS", "Who is told of the job's end"},
    {"launcher", "NAME", "What starts the ranks: mpirun or srun"},
};

constexpr KeyOption kNumbers[] = {
    {"nodes", "N", "Nodes of the job"},
    {"gpus_per_node", "N", "GPUs of each node, one rank for each"},
    {"ranks_per_node", "N", "Ranks of each node; default: one for each GPU"},
    {"warning", "SECONDS", "So long before the time limit running tasks save and end"},
    {"requeues", "N", "How often the job may go back to the queue"},
};

constexpr KeyOption kLists[] = {
    {"sbatch", "OPTION",
     "A further option of sbatch, beside those of the files: "
     "--sbatch=--mem=64G; repeatable"},
    {"setup", "LINE",
     "A shell line before the start, such as 'module load openmpi', "
     "beside those of the files; repeatable"},
};

std::string option_of(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return key;
}

class Submit final : public Command {
 public:
  void add_options(CLI::App& app) override {
    app_ = &app;
    add_sweep_options(app, request_);
    for (const auto& [key, type, summary] : kTexts)
      add(app, option_of(key), texts_[key], type, summary);
    for (const auto& [key, type, summary] : kNumbers)
      add(app, option_of(key), numbers_[key], type, summary);
    for (const auto& [key, type, summary] : kLists)
      add(app, option_of(key), lists_[key], type, summary)->allow_extra_args(false)->take_all();
    add(app, "array", array_, "N",
        "N jobs that work on the sweep at once, as far as they get nodes")
        ->check(CLI::Range(1, 1000));
    add(app, "chain", chain_, "N",
        "N jobs one behind the other, instead of going back to the queue")
        ->check(CLI::Range(1, 100));
    own_.emplace_back("dry-run");
    app.add_flag("-n,--dry-run", dry_run_, "Print the batch script, and submit nothing");
    app.add_option("--executor", request_.executor, "Program that does the tasks")
        ->group("");  // for tests and benchmarks of everything around the tasks
  }

  int run() override {
    if (request_.sweep.file.empty())
      throw InputError(
          "no sweep file is given; try: sweep_runner submit sweeps/quick/table1.toml --dry-run");
    const plan::Sweep sweep = plan::read_sweep(request_.sweep);
    const slurm::Options options = resolve();
    const slurm::Submission job = submission(sweep.name);
    const std::string script = slurm::batch_script(job, options);
    if (dry_run_) {
      std::cout << script;
      return 0;
    }
    const auto ids = submit(job, script);
    tell(job, options, ids);
    return 0;
  }

 private:
  template <class T>
  CLI::Option* add(CLI::App& app, const std::string& name, T& value, const char* type,
                   const char* summary) {
    own_.push_back(name);
    return app.add_option("--" + name, value, summary)->type_name(type);
  }

  bool given(const std::string& option) const { return app_->count("--" + option) > 0; }

  /// What the user's file says, then the sweep's, then the command line.
  slurm::Options resolve() const {
    const Document user = slurm::read_user_file(), file = plan::read_document(request_.sweep);
    const Json section = file.root.value("slurm", Json::object());
    Json merged = user.root;
    for (const auto& [key, value] : section.items()) merged[key] = value;
    std::set<std::string> options;  // keys that the command line has set
    for (const auto& [key, type, summary] : kTexts)
      if (given(option_of(key))) merged[*options.insert(key).first] = texts_.at(key);
    for (const auto& [key, type, summary] : kNumbers)
      if (given(option_of(key))) merged[*options.insert(key).first] = numbers_.at(key);
    for (const auto& [key, type, summary] : kLists)
      for (const auto& line : lists_.at(key)) merged[key].push_back(line);
    return slurm::resolve_options(merged, [&](const std::string& dotted) {
      const std::string key = dotted.substr(dotted.find('.') + 1);
      if (options.contains(key)) return std::string("command line");
      return section.contains(key) ? file.location_of(dotted) : user.location_of(key);
    });
  }

  slurm::Submission submission(const std::string& sweep) const {
    slurm::Submission job{
        .sweep = sweep,
        .program = cluster::program_folder() / "sweep_runner",
        .command = {"run"},
        .folder = fs::current_path(),
        .run_folder =
            fs::absolute(storage::Store(request_.out).run_folder(sweep)).lexically_normal(),
        .array = array_,
        .chained = chain_ > 0};
    for (auto& argument : arguments_again(*app_, own_)) job.command.push_back(std::move(argument));
    job.command.emplace_back("--progress=plain");
    if (array_ > 0) job.command.emplace_back("--join");
    return job;
  }

  /// Ids of the jobs, whose scripts stay in the run's folder under their names.
  std::vector<std::string> submit(const slurm::Submission& job, const std::string& script) const {
    const auto folder = slurm::jobs_folder(job.run_folder);
    create_folders(folder);
    const auto path = folder / "next.sh";
    std::vector<std::string> ids;
    for (int i = 0; i < std::max(chain_, 1); ++i) {
      write_atomically(path, script);
      std::vector<std::string> behind;
      if (!ids.empty()) behind.push_back("--dependency=afterany:" + ids.back());
      ids.push_back(slurm::submit_script(path, behind));
      fs::rename(path, folder / (ids.back() + ".sh"));
    }
    return ids;
  }

  void tell(const slurm::Submission& job, const slurm::Options& options,
            const std::vector<std::string>& ids) const {
    const std::string out = slurm::shell_word(request_.out.string());
    const std::string run = concat(out, " --run ", job.sweep);
    const auto log =
        slurm::jobs_folder(job.run_folder) / concat(ids.front(), array_ > 0 ? "_0" : "", ".log");
    std::cout << "submitted " << (ids.size() > 1 ? "jobs " : "job ") << join(ids, ", ") << ": "
              << job.sweep << " on " << options.nodes << (options.nodes == 1 ? " node" : " nodes")
              << " with " << options.ranks() << (options.ranks() == 1 ? " rank" : " ranks")
              << (options.nodes == 1 ? "" : " each") << "\n"
              << "  queue   squeue --jobs " << join(ids, ",") << "\n"
              << "  log     tail -F " << slurm::shell_word(log.string()) << "\n"
              << "  state   sweep_runner status " << run << " --watch\n"
              << "  stop    sweep_runner drain " << run << " --stop\n";
  }

  CLI::App* app_ = nullptr;
  engine::RunRequest request_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::int64_t> numbers_;
  std::map<std::string, std::vector<std::string>> lists_;
  std::vector<std::string> own_;  ///< options that are no options of `run`
  int array_ = 0, chain_ = 0;
  bool dry_run_ = false;
};

const bool added_submit = add<Submit>(
    "submit", Group::run, "Hand a sweep to SLURM as a job, and return", kSubmitExamples);

}  // namespace
}  // namespace sweep::commands
