#include "runner/report/load.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::report {
namespace {

namespace fs = std::filesystem;
using storage::ArtifactId;
using storage::ArtifactKind;
using storage::Store;

fs::path plan_path(const Store& store, const std::string& sweep_name) {
  return store.run_folder(sweep_name) / "plan.json";
}

/// The effect of a set that all rows share.
AttackEffect effect_of(const AdversarialSet& set) {
  const auto n = static_cast<double>(set.l2.size());
  const auto sum = [](const std::vector<float>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
  };
  return {100.0 * static_cast<double>(set.successes) / n, sum(set.l2) / n, sum(set.linf) / n};
}

/// Fills a table from a plan and the artifacts that it names.
class Loader {
 public:
  Loader(const Plan& plan, Artifacts& artifacts) : plan_(plan), artifacts_(artifacts) {}

  Table load() {
    table_.name = plan_.name;
    table_.title = plan_.title;
    table_.row_keys = plan_.row_keys;
    for (const auto& column : plan_.columns) table_.columns.push_back(load_column(column));
    for (const auto& row : plan_.rows) table_.rows.push_back(load_row(row));
    for (std::size_t r = 0; r < plan_.rows.size(); ++r) compare_row(r);
    for (const auto& hash : plan_.datasets) {
      note_problem({ArtifactKind::dataset, hash}, artifacts_.dataset(hash));
      if (const auto* card = artifacts_.dataset(hash)) table_.datasets.push_back(*card);
    }
    return std::move(table_);
  }

 private:
  /// `artifact`, whose problem, if it has one, the table tells once.
  template <class T>
  const T* note_problem(const ArtifactId& id, const T* artifact) {
    if (const auto problem = artifacts_.problem(id); problem && told_.insert(id).second)
      table_.problems.push_back(*problem);
    return artifact;
  }

  const Evaluation* evaluation(const Plan::Trial& trial, const std::string& column) {
    const auto hash = trial.evaluations.find(column);
    if (hash == trial.evaluations.end()) return nullptr;
    return note_problem({ArtifactKind::evaluation, hash->second},
                        artifacts_.evaluation(hash->second));
  }

  const AdversarialSet* set(const std::string& hash) {
    return note_problem({ArtifactKind::adversarial_set, hash}, artifacts_.adversarial_set(hash));
  }

  Column load_column(const Plan::Column& planned) {
    Column column{planned.label, planned.attack, planned.attacker, planned.pixels, {}};
    column.set_by_row = !planned.attack.is_null() && !planned.adversarial_set;
    if (planned.adversarial_set)
      if (const auto* shared = set(*planned.adversarial_set)) column.effect = effect_of(*shared);
    return column;
  }

  Row load_row(const Plan::Row& planned) {
    Row row{.label = planned.label,
            .group = planned.group,
            .control = planned.control,
            .baseline = planned.baseline};
    for (const auto& key : plan_.row_keys) {
      const auto value = planned.keys.find(key);
      row.keys.push_back(value == planned.keys.end() ? Json() : value->second);
    }
    for (const auto& trial : planned.trials) row.seeds.push_back(trial.seed);
    auto& answers = answers_.emplace_back();
    for (const auto& column : plan_.columns)
      row.cells.push_back(load_cell(planned, column, row, answers.emplace_back()));
    return row;
  }

  Cell load_cell(const Plan::Row& planned, const Plan::Column& column, Row& row,
                 std::vector<Answers>& answers) {
    Cell cell;
    std::vector<PerMetric<Measurement>> measured;
    for (const auto& trial : planned.trials) {
      Observation seen = observe(trial, column);
      measured.push_back(measured_or_problem(trial, column, seen));
      if (seen.evaluation != nullptr) {
        answers.push_back({trial.seed, seen.evaluation});
        add_to(cell.confusion, *seen.evaluation);
        row.images = static_cast<std::int64_t>(seen.evaluation->labels.size());
      }
      cell.trials.push_back({trial.seed, measured.back()});
    }
    for (std::size_t i = 0; i < kMetrics; ++i)
      cell.metrics[i] = estimate(static_cast<Metric>(i), measured);
    if (const auto published = planned.published.find(column.label);
        published != planned.published.end())
      cell.published = published->second;
    return cell;
  }

  Observation observe(const Plan::Trial& trial, const Plan::Column& column) {
    Observation seen{.evaluation = evaluation(trial, column.label),
                     .clean = clean_evaluation(trial, column),
                     .attacked = !column.attack.is_null()};
    if (!seen.attacked) return seen;
    seen.targeted = column.attack.value("target", Json("none")) != "none";
    const auto own = trial.adversarial_sets.find(column.label);
    if (own != trial.adversarial_sets.end()) {
      seen.set = set(own->second);
    } else if (column.adversarial_set) {
      seen.set = set(*column.adversarial_set);
    }
    return seen;
  }

  /// The first column of clean images that has one; for such a column its own.
  const Evaluation* clean_evaluation(const Plan::Trial& trial, const Plan::Column& column) {
    if (column.attack.is_null()) return evaluation(trial, column.label);
    for (const auto& other : plan_.columns)
      if (other.attack.is_null())
        if (const auto* clean = evaluation(trial, other.label)) return clean;
    return nullptr;
  }

  /// Artifacts that contradict each other give no value.
  PerMetric<Measurement> measured_or_problem(const Plan::Trial& trial, const Plan::Column& column,
                                             Observation& seen) {
    try {
      return measure(seen);
    } catch (const Error& error) {
      const ArtifactId id{ArtifactKind::evaluation, trial.evaluations.at(column.label)};
      table_.problems.push_back(concat(id.short_name(), " can't be used and counts as missing: ",
                                       error.what(), "; run the sweep again, which makes it anew"));
      seen.evaluation = nullptr;
      return {};
    }
  }

  static Json part(const Plan::Row& row, const std::string& component) {
    return row.trials.empty() ? Json() : row.trials.front().spec.value(component, Json());
  }

  /// The row of this kind that is most like row r: it shares the dataset, and if possible the
  /// model, then the group.
  template <class IsWanted>
  std::optional<std::size_t> reference_of(std::size_t r, IsWanted is_wanted) const {
    std::optional<std::size_t> best;
    int best_score = -1;
    const auto& row = plan_.rows[r];
    for (std::size_t i = 0; i < plan_.rows.size(); ++i) {
      const auto& other = plan_.rows[i];
      if (!is_wanted(other) || part(other, "dataset") != part(row, "dataset")) continue;
      const int score =
          (part(other, "model") == part(row, "model") ? 2 : 0) + (other.group == row.group ? 1 : 0);
      if (score > best_score) {
        best = i;
        best_score = score;
      }
    }
    return best;
  }

  void compare_row(std::size_t r) {
    const auto baseline = reference_of(r, [](const Plan::Row& row) { return row.baseline; });
    const auto control = reference_of(r, [](const Plan::Row& row) { return row.control; });
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
      Cell& cell = table_.rows[r].cells[c];
      cell.against_baseline = compared(r, c, baseline);
      cell.against_control = compared(r, c, control);
    }
  }

  std::optional<Comparison> compared(std::size_t r, std::size_t c,
                                     const std::optional<std::size_t>& reference) const {
    if (!reference || *reference == r) return std::nullopt;
    return compare(answers_[r][c], answers_[*reference][c], plan_.rows[*reference].label);
  }

  const Plan& plan_;
  Artifacts& artifacts_;
  Table table_;
  std::set<ArtifactId> told_;
  std::vector<std::vector<std::vector<Answers>>> answers_;  ///< by row, column, seed
};

}  // namespace

std::vector<std::string> sweep_names(const Store& store) {
  std::error_code error;
  if (!fs::is_directory(store.root(), error))
    throw InputError(concat("there is no folder '", store.root().string(),
                            "' (it should hold the results of a sweep); name the folder that "
                            "sweep_runner wrote to: aggregate_results DIR"));
  std::vector<std::string> names;
  for (const auto& run : fs::directory_iterator(store.root() / "runs", error)) {
    const std::string name = run.path().filename();
    // Further runs that joined have the plan of the first, and the same artifacts.
    if (const auto at = name.find('@');
        at != std::string::npos && fs::exists(plan_path(store, name.substr(0, at)), error))
      continue;
    if (fs::exists(plan_path(store, name), error)) names.push_back(name);
  }
  if (names.empty())
    throw InputError(concat("no sweep has run in '", store.root().string(),
                            "' (it has no runs/*/plan.json); run one, or name the folder that "
                            "sweep_runner wrote to: aggregate_results DIR"));
  std::sort(names.begin(), names.end());
  return names;
}

Plan load_plan(const Store& store, const std::string& sweep_name) {
  return read_plan(plan_path(store, sweep_name), sweep_name);
}

Table load_table(const Plan& plan, Artifacts& artifacts) {
  return Loader(plan, artifacts).load();
}

}  // namespace sweep::report
