#include "runner/engine/progress.hpp"

#include <cmath>
#include <ostream>

#include "core/text.hpp"

namespace sweep::engine {
namespace {

using Clock = std::chrono::steady_clock;

struct Busy {
  std::string label, text;
  double fraction = 0;
  Clock::time_point since = Clock::now();
};

double seconds_since(Clock::time_point time) {
  return std::chrono::duration<double>(Clock::now() - time).count();
}

std::string percent(double fraction) {
  return concat(std::lround(100 * fraction), " %");
}

class View : public Progress {
 public:
  explicit View(std::ostream& out) : out_(out) {}

  void note(const std::string& text) override { print(text); }
  void started(int rank, const std::string& label) override { busy_[rank] = {.label = label}; }
  void advanced(int rank, double fraction, const std::string& text) override {
    Busy& busy = busy_[rank];
    busy.fraction = fraction;
    busy.text = text;
  }
  void ended(int rank, const std::string& event) override {
    const auto found = busy_.find(rank);
    if (found == busy_.end()) return;
    const Busy busy = found->second;
    busy_.erase(found);
    print(concat(position(), "  ", busy.label, "  ", event, "  (rank ", rank, ", ",
                 duration_text(seconds_since(busy.since)), ")"));
  }
  void tick(const Counts& counts, std::optional<double> eta_s) override {
    counts_ = counts;
    eta_s_ = eta_s;
    refresh();
  }

 protected:
  /// A line that stays.
  virtual void print(const std::string& line) = 0;
  virtual void refresh() = 0;

  std::string position() const {
    return concat("[", counts_.done, "/", counts_.total, "] ",
                  duration_text(seconds_since(start_)));
  }
  std::string summary() const {
    std::string text = concat(position(), "  running ", counts_.running);
    if (counts_.failed > 0)
      text += concat("  failed ", counts_.failed, "  blocked ", counts_.blocked);
    if (eta_s_) text += concat("  ETA ", duration_text(*eta_s_));
    return text;
  }

  std::ostream& out_;
  std::map<int, Busy> busy_;
  Counts counts_;
  std::optional<double> eta_s_;
  Clock::time_point start_ = Clock::now();
};

class PlainView final : public View {
 public:
  using View::View;
  void close() override {}

 private:
  static constexpr double kSecondsBetweenStatus = 30;

  void print(const std::string& line) override {
    out_ << line << std::endl;
    last_ = Clock::now();
  }
  void refresh() override {
    if (busy_.empty() || seconds_since(last_) < kSecondsBetweenStatus) return;
    std::string line = summary();
    for (const auto& [rank, busy] : busy_)
      line += concat("  | ", busy.label, " ", percent(busy.fraction), " ", busy.text);
    print(line);
  }

  Clock::time_point last_ = Clock::now();
};

class LiveView final : public View {
 public:
  using View::View;
  void close() override {
    erase();
    out_.flush();
    closed_ = true;
  }

 private:
  static constexpr double kSecondsBetweenFrames = 0.2;

  /// Back to the first line of the block, everything below cleared.
  void erase() {
    if (drawn_ > 0) out_ << "\x1b[" << drawn_ << "A\r\x1b[J";
    drawn_ = 0;
  }
  void print(const std::string& line) override {
    erase();
    out_ << line << '\n';
    if (!closed_) draw();
  }
  void refresh() override {
    if (closed_ || seconds_since(last_) < kSecondsBetweenFrames) return;
    erase();
    draw();
  }
  void draw() {
    line(summary());
    for (const auto& [rank, busy] : busy_) {
      const auto filled = static_cast<std::size_t>(std::lround(busy.fraction * 20));
      line(concat("  rank ", rank, " [", std::string(filled, '#'), std::string(20 - filled, '.'),
                  "] ", busy.label, "  ", busy.text));
    }
    out_.flush();
    last_ = Clock::now();
  }
  /// A line that the terminal cuts instead of wrapping it: wrapped lines would break the counting.
  void line(const std::string& text) {
    out_ << "\x1b[?7l" << text << "\x1b[?7h\n";
    ++drawn_;
  }

  int drawn_ = 0;
  bool closed_ = false;
  Clock::time_point last_ = Clock::now();
};

}  // namespace

std::unique_ptr<Progress> make_progress(std::ostream& out, bool terminal) {
  if (terminal) return std::make_unique<LiveView>(out);
  return std::make_unique<PlainView>(out);
}

}  // namespace sweep::engine
