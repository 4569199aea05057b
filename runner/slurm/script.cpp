#include "runner/slurm/script.hpp"

#include <algorithm>
#include <cctype>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/slurm/shell.hpp"

namespace sweep::slurm {

extern const char* const kScriptBody;  // script_body.cpp

namespace {

/// A path in an #SBATCH line. @param what  names it in the error
std::string quoted_path(const std::filesystem::path& path, const std::string& what) {
  const std::string text = path.string();
  const bool safe = std::none_of(text.begin(), text.end(), [](unsigned char c) {
    return c == '"' || c == '\\' || c == '%' || std::iscntrl(c) != 0;
  });
  if (!safe)
    throw InputError(concat(what, " is ",
                            Json(text).dump(-1, ' ', false, Json::error_handler_t::replace),
                            " (sbatch gives \", \\, % and control characters in paths a meaning of "
                            "their own); use another folder"));
  return concat("\"", text, "\"");
}

std::string sbatch_lines(const Submission& submission, const Options& options) {
  std::string text;
  const auto add = [&](const std::string& name, const auto& value) {
    text += concat("#SBATCH --", name, "=", value, "\n");
  };
  const auto add_given = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) add(name, value);
  };
  add("job-name", submission.sweep);
  add("chdir", quoted_path(submission.folder, "the current folder"));
  const auto logs = jobs_folder(submission.run_folder);
  const std::string log = quoted_path(logs, "the output folder");
  add("output",
      concat(log.substr(0, log.size() - 1), "/", submission.array > 0 ? "%A_%a" : "%j", ".log\""));
  text += "#SBATCH --open-mode=append\n";
  text += "#SBATCH --requeue\n#SBATCH --no-kill\n";
  add("signal", concat("B:USR1@", options.warning));
  add("nodes", options.nodes);
  add("ntasks-per-node", options.ranks());
  if (options.gpus_per_node > 0) add("gpus-per-node", options.gpus_per_node);
  add_given("time", options.time);
  add_given("partition", options.partition);
  add_given("account", options.account);
  add_given("qos", options.qos);
  if (!options.constraint.empty()) add("constraint", concat("\"", options.constraint, "\""));
  if (!options.mail.empty()) {
    add("mail-user", options.mail);
    add("mail-type", "END,FAIL,REQUEUE");
  }
  if (submission.array > 0) add("array", concat("0-", submission.array - 1));
  for (const auto& line : options.sbatch) text += concat("#SBATCH ", line, "\n");
  return text;
}

std::vector<std::string> launcher(const Options& options) {
  if (options.launcher == "srun")
    return {"srun", "--mpi=pmix", "--no-kill", "--kill-on-bad-exit=0", "--wait=0"};
  return {"mpirun", "--quiet", "--bind-to",
          "none",   "--mca",   "orte_enable_recovery",
          "1",      "--mca",   "btl_vader_single_copy_mechanism",
          "none"};
}

}  // namespace

std::filesystem::path jobs_folder(const std::filesystem::path& run_folder) {
  return run_folder / "slurm";
}

std::string batch_script(const Submission& submission, const Options& options) {
  std::vector<std::string> sweep{submission.program.string()};
  sweep.insert(sweep.end(), submission.command.begin(), submission.command.end());
  std::string text =
      "#!/bin/bash\n" + sbatch_lines(submission, options) + "\n# Written by sweep_runner submit.\n";
  for (const auto& line : options.setup) text += line + "\n";
  text += concat("launch=(", shell_words(launcher(options)), ")\n");
  text += concat("sweep=(", shell_words(sweep), ")\n");
  text += concat("run_folder=", shell_word(submission.run_folder.string()), "\n");
  text += concat("warning=", options.warning, "\n");
  text += concat("requeues=", submission.chained ? 0 : options.requeues, "\n");
  text += concat("chained=", submission.chained ? "yes" : "no", "\n\n");
  return text + kScriptBody;
}

}  // namespace sweep::slurm
