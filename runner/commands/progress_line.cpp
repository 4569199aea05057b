#include "runner/commands/progress_line.hpp"

#include <unistd.h>

#include <iostream>

#include "runner/upkeep/store_scan.hpp"

namespace sweep::commands {

ProgressLine::ProgressLine(std::string doing)
    : doing_(std::move(doing)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      last_(std::chrono::steady_clock::now()) {}

ProgressLine::~ProgressLine() {
  if (terminal_ && shown_) std::cerr << "\r\033[K" << std::flush;
}

void ProgressLine::show(const upkeep::Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(10))) return;
  last_ = now;
  shown_ = true;
  std::cerr << (terminal_ ? "\r\033[K" : "") << doing_ << ": " << progress.files << " of "
            << progress.all_files << " files, " << upkeep::bytes_text(progress.bytes) << " of "
            << upkeep::bytes_text(progress.all_bytes) << (terminal_ ? "" : "\n") << std::flush;
}

}  // namespace sweep::commands
