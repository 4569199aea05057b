#include "runner/engine/views/lines.hpp"

#include <cmath>

#include "core/text.hpp"

namespace sweep::engine::views {

std::string position(const RunView& view) {
  return concat("[", view.counts.done, "/", view.counts.total, "] ",
                duration_text(seconds_since(view.started)));
}

std::string summary(const RunView& view) {
  const Counts& counts = view.counts;
  std::string text = concat(position(view), "  running ", counts.running);
  if (counts.elsewhere > 0) text += concat("  elsewhere ", counts.elsewhere);
  if (view.state == "draining") text += "  draining";
  if (counts.failed > 0) text += concat("  failed ", counts.failed, "  blocked ", counts.blocked);
  if (counts.cancelled > 0) text += concat("  cancelled ", counts.cancelled);
  if (counts.pruned > 0) text += concat("  pruned ", counts.pruned);
  if (view.eta_s) text += concat("  ETA ", duration_text(*view.eta_s));
  return text;
}

std::string ended_line(const RankView& rank, const std::string& event, const RunView& view) {
  return concat(position(view), "  ", rank.label, "  ", event, "  (rank ", rank.rank, ", ",
                duration_text(seconds_since(rank.since)), ")");
}

std::string percent(double fraction) {
  return concat(std::lround(100 * fraction), " %");
}

}  // namespace sweep::engine::views
