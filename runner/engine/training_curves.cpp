#include "runner/engine/training_curves.hpp"

#include <cctype>
#include <chrono>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/tensorboard/scalars.hpp"

namespace sweep::engine {
namespace {

/// The label with nothing in it that means something in a path or to a shell.
std::string folder_name(const plan::Task& task) {
  constexpr std::size_t kLongest = 120;
  std::string name = task.label.substr(0, kLongest);
  for (char& c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '=' || c == '.' ||
                       c == '-' || c == '_' || c == '+';
    if (!plain) c = '_';
  }
  return concat(name, ".", task.output.hash.substr(0, 8));
}

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

void TrainingCurves::add(const plan::Task& task, const Json& message) {
  if (failed_) return;
  try {
    auto file = open_.find(task.output.hash);
    if (file == open_.end())
      file = open_.emplace(task.output.hash, tensorboard::EventFile(folder_ / folder_name(task)))
                 .first;
    file->second.add_scalars(message.at("step"), wall_time(),
                             tensorboard::scalars_of(message.at("metrics")));
  } catch (const Error& error) {
    failed_ = true;
    log_warning(concat(error.what(), "; no more TensorBoard files are written in this run"));
  }
}

}  // namespace sweep::engine
