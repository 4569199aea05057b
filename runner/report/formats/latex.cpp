#include <algorithm>
#include <cmath>

#include "core/text.hpp"
#include "runner/report/format.hpp"
#include "runner/report/grid.hpp"
#include "runner/report/latex_text.hpp"
#include "runner/report/notes.hpp"
#include "runner/report/wording.hpp"

namespace sweep::report::latex_format {
namespace {

/// Needs only what every LaTeX has (Debian: texlive-latex-base).
constexpr char kBegin[] = R"(\documentclass{article}
\usepackage[a4paper,landscape,margin=15mm]{geometry}
\usepackage{graphicx}
\setlength{\parindent}{0pt}
\setlength{\tabcolsep}{5pt}
\renewcommand{\arraystretch}{1.15}
\newcommand{\published}[1]{{\footnotesize(#1)}}
\newsavebox{\whole}
\newcommand{\fitted}[1]{\sbox{\whole}{#1}%
  \ifdim\wd\whole>\linewidth\resizebox{\linewidth}{!}{\usebox{\whole}}\else\usebox{\whole}\fi}
\pagestyle{empty}
\begin{document}
)";
constexpr std::size_t kLinesOfPage = 26;

/// The two lines above a column, as the paper has them: "FGSM" and "epsilon = 4".
struct Heading {
  std::string title, detail;
  bool operator==(const Heading&) const = default;
};

std::string method_title(const Json& attack) {
  const std::string method = value_text(attack.value("method", Json("")));
  const Json names{
      {"fgsm", "FGSM"}, {"ifgsm", "IFGSM"}, {"pgd", "PGD"}, {"mifgsm", "MI-FGSM"}, {"cw", "C&W"}};
  const std::string title = names.value(method, method);
  const bool counts_steps = attack.contains("steps") && attack.contains("epsilon");
  return counts_steps ? title + value_text(attack.at("steps")) : title;
}

/// "$\epsilon = 4$", of 255; "$\kappa = 10$".
std::string detail(const Json& attack) {
  const Json epsilon = attack.value("epsilon", Json());
  if (epsilon.is_number()) {
    const double steps = epsilon.get<double>() * 255;
    const bool whole = std::abs(steps - std::round(steps)) < 1e-6;
    return concat("$\\epsilon = ", whole ? std::round(steps) : epsilon.get<double>(), "$");
  }
  const Json confidence = attack.value("confidence", Json());
  return confidence.is_number() ? concat("$\\kappa = ", value_text(confidence), "$") : "";
}

Heading heading_of(const Column& column) {
  if (column.attack.is_null())
    return {column.label == "clean" ? "Clean" : latex_text(column.label), ""};
  std::string title = latex_text(method_title(column.attack));
  if (is_white_box(column)) title += ", white-box";
  if (!is_white_box(column) && !column.attacker.empty())
    title += concat(" from ", latex_text(column.attacker));
  if (column.pixels == "uint8") title += ", 8 bit";
  return {title, detail(column.attack)};
}

/// Columns that would look the same show their labels.
std::vector<Heading> headings(const Table& table) {
  std::vector<Heading> all;
  for (const auto& column : table.columns) all.push_back(heading_of(column));
  const std::vector<Heading> plain = all;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (std::count(plain.begin(), plain.end(), plain[i]) > 1)
      all[i].detail = latex_text(table.columns[i].label);
  return all;
}

bool shows_seeds(const Table& table) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [](const Row& row) { return row.seeds.size() > 1; });
}

std::string line(const std::vector<std::string>& cells) {
  return join(cells, " & ") + " \\\\\n";
}

std::string header(const Table& table) {
  const auto all = headings(table);
  const std::size_t first = shows_seeds(table) ? 2 : 1;
  std::vector<std::string> titles{"Defence"}, details{""};
  if (first == 2) titles.emplace_back("$n$"), details.emplace_back();
  std::string rules;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    for (; end < all.size() && all[end].title == all[i].title; ++end)
      details.push_back(all[end].detail);
    titles.push_back(concat("\\multicolumn{", end - i, "}{c}{", all[i].title, "}"));
    if (end - i > 1) rules += concat("\\cline{", first + i + 1, "-", first + end, "}");
    i = end;
  }
  return concat("\\hline\n", line(titles), rules, rules.empty() ? "" : "\n", line(details),
                "\\hline\n");
}

/// Ours, and behind it the published value or the difference to it.
std::string cell_text(const Cell& cell, const Column& column, const View& view) {
  std::string text = latex_text(shown_text(cell, column, view));
  if (!cell.published || view.metric != Metric::accuracy) return text;
  if (!view.compare) return concat(text, " \\published{", percent(cell.published, ""), "}");
  const auto change = difference(cell);
  if (!change) return text;
  const bool inside = published_is_inside(cell).value_or(true);
  return concat(text, " \\published{$", signed_percent(*change), "$}", inside ? "" : "$^\\dagger$");
}

std::string row_text(const Table& table, const Row& row, const View& view) {
  // "{}": a line break would take a "[" or "*" behind it.
  std::vector<std::string> cells{"{}" + latex_text(marked_label(row, "*"))};
  if (shows_seeds(table)) cells.push_back(concat(seed_count(row)));
  for (std::size_t i = 0; i < row.cells.size(); ++i)
    cells.push_back(cell_text(row.cells[i], table.columns[i], view));
  return line(cells);
}

std::string tabular(const Table& table, std::span<const Line> lines, const View& view) {
  const std::size_t columns = table.columns.size() + (shows_seeds(table) ? 2 : 1);
  std::string text =
      concat("\\fitted{\\begin{tabular}{l", std::string(columns - 1, 'c'), "}\n", header(table));
  for (const auto& [row, heading] : lines)
    text += row == nullptr ? concat("\\multicolumn{", columns, "}{l}{\\textit{",
                                    latex_text(heading), "}} \\\\\n")
                           : row_text(table, *row, view);
  return text + "\\hline\n\\end{tabular}}\n";
}

std::string notes_text(const Table& table, const View& view) {
  std::string text = "\\par\\medskip\n{\\footnotesize\n";
  if (view.compare)
    text +=
        "In parentheses: ours minus the published value; $^\\dagger$: the published value lies "
        "outside of our interval.\\par\n";
  else if (view.metric == Metric::accuracy)
    text += "In parentheses: the published value.\\par\n";
  for (const auto& note : notes(table, view)) text += latex_text(note) + "\\par\n";
  return text + "}\n";
}

std::string table_text(const Table& table, const View& view) {
  const auto lines = lines_of(table);
  std::string text = concat("{\\large ", latex_text(table.title), "}\\par\\medskip\n");
  for (std::size_t first = 0; first == 0 || first < lines.size(); first += kLinesOfPage) {
    const auto page = std::span(lines).subspan(first, std::min(kLinesOfPage, lines.size() - first));
    text += concat(first == 0 ? "" : "\\newpage\n", tabular(table, page, view));
  }
  return text + notes_text(table, view);
}

std::string latex(std::span<const Table> tables, const View& view) {
  std::string text = kBegin;
  for (const auto& table : tables)
    text += concat(&table == &tables.front() ? "" : "\\newpage\n", table_text(table, view));
  return text + "\\end{document}\n";
}

const bool registered = FormatRegistry::instance().add(
    "latex", {"a whole document that pdflatex compiles", {}, {latex, {"tex"}}});

}  // namespace
}  // namespace sweep::report::latex_format
