#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "cluster/keyboard.hpp"
#include "core/text.hpp"
#include "runner/engine/log_tail.hpp"
#include "runner/engine/progress.hpp"
#include "runner/engine/views/lines.hpp"

namespace sweep::engine {
namespace {

constexpr double kSecondsBetweenFrames = 0.2;
constexpr std::size_t kLogLines = 8;
constexpr char kKeys[] =
    "  keys: d drain (running tasks end, nothing new starts)  s save and stop  l show a task's log";

std::string bar(double fraction, std::size_t width) {
  const auto filled = std::min(
      width,
      static_cast<std::size_t>(std::lround(std::max(fraction, 0.0) * static_cast<double>(width))));
  return concat("[", std::string(filled, '#'), std::string(width - filled, '.'), "]");
}

std::string rank_line(const RankView& rank) {
  std::string text =
      concat("  rank ", rank.rank, " ", bar(rank.fraction, 20), " ", rank.label, "  ", rank.text);
  if (rank.memory_bytes) text += concat("  ", fixed(*rank.memory_bytes / 1e9, 1), " GB");
  return text;
}

std::string stages_line(const RunView& view) {
  std::vector<std::string> parts;
  for (const auto& stage : view.stages)
    parts.push_back(concat(stage.kind, " ", stage.done, "/", stage.total));
  return "  " + join(parts, "  ");
}

/// Lines; under mpirun, where it can't be known, those of a small one.
std::size_t terminal_height() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

class LiveView final : public Progress {
 public:
  LiveView(std::ostream& out, bool keys) : out_(out) {
    if (keys) keyboard_ = std::make_unique<cluster::Keyboard>();
  }

  void note(const std::string& text) override { print(text); }
  void ended(const RankView& rank, const std::string& event, const RunView& view) override {
    print(views::ended_line(rank, event, view));
  }
  void tick(const RunView& view) override {
    if (closed_ || seconds_since(last_) < kSecondsBetweenFrames) return;
    erase();
    frame_ = frame_of(view);
    draw();
    last_ = Clock::now();
  }
  std::optional<Request> request() override {
    while (const auto key = keyboard_ ? keyboard_->next() : std::nullopt) {
      if (*key == 'd') return Request::drain;
      if (*key == 's') return Request::stop;
      if (*key == 'l') ++shown_log_;
    }
    return std::nullopt;
  }
  void close() override {
    erase();
    out_.flush();
    closed_ = true;
    if (keyboard_) keyboard_->restore();
  }

 private:
  std::vector<std::string> frame_of(const RunView& view) {
    std::vector<std::string> lines{views::summary(view), stages_line(view)};
    std::vector<const RankView*> busy;
    for (const auto& rank : view.ranks)
      if (rank.task) busy.push_back(&rank);
    // A block higher than the terminal could not be drawn anew in place.
    const std::size_t room =
        std::max<std::size_t>(terminal_height(), kLogLines + 8) - kLogLines - 6;
    for (std::size_t i = 0; i < std::min(room, busy.size()); ++i)
      lines.push_back(rank_line(*busy[i]));
    if (busy.size() > room)
      lines.push_back(concat("  and ", busy.size() - room, " more ranks: sweep_runner status"));
    // 0: no log, then one rank after the other.
    const std::size_t shown = shown_log_ % (busy.size() + 1);
    if (shown > 0) {
      lines.push_back(concat("  log of rank ", busy[shown - 1]->rank, ": ", busy[shown - 1]->log));
      for (const auto& line : log_tail(busy[shown - 1]->log, kLogLines))
        lines.push_back("    " + line);
    }
    if (keyboard_) lines.emplace_back(kKeys);
    return lines;
  }

  /// Back to the first line of the block, everything below cleared.
  void erase() {
    if (drawn_ > 0) out_ << "\x1b[" << drawn_ << "A\r\x1b[J";
    drawn_ = 0;
  }
  void print(const std::string& line) {
    erase();
    out_ << line << '\n';
    if (!closed_) draw();
  }
  /// Lines that the terminal cuts instead of wrapping them: wrapped ones would break the counting.
  void draw() {
    for (const auto& line : frame_) out_ << "\x1b[?7l" << line << "\x1b[?7h\n";
    drawn_ = frame_.size();
    out_.flush();
  }

  std::ostream& out_;
  std::unique_ptr<cluster::Keyboard> keyboard_;
  std::vector<std::string> frame_;
  std::size_t drawn_ = 0, shown_log_ = 0;
  bool closed_ = false;
  Clock::time_point last_;
};

}  // namespace

std::unique_ptr<Progress> make_live_view(std::ostream& out, bool keys) {
  return std::make_unique<LiveView>(out, keys);
}

}  // namespace sweep::engine
