#include "runner/data/card.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/text.hpp"

namespace sweep::data {
namespace {

using Counts = std::vector<std::int64_t>;

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, text.size()), ' ');
}

std::string number_cell(std::int64_t number, std::size_t width) {
  const std::string text = concat(number);
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string counts_text(const Json& card) {
  const auto names = card.at("class_names").get<std::vector<std::string>>();
  const auto train = card.at("train_counts").get<Counts>(),
             test = card.at("test_counts").get<Counts>();
  std::size_t width = 5;
  for (const auto& name : names) width = std::max(width, name.size());
  const auto line = [&](const std::string& name, std::int64_t trained, std::int64_t tested) {
    return concat("  ", padded(name, width), number_cell(trained, 9), number_cell(tested, 9),
                  number_cell(trained + tested, 9), "\n");
  };
  std::string text = concat("  ", padded("class", width), "    train     test      all\n");
  for (std::size_t k = 0; k < names.size(); ++k) text += line(names[k], train[k], test[k]);
  const auto sum = [](const Counts& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  };
  return text + line("all", sum(train), sum(test));
}

}  // namespace

std::string card_text(const Json& card) {
  std::string text = concat(card.at("dataset").get<std::string>(), "\n", counts_text(card));
  const Json& skipped = card.at("skipped");
  text += concat("  skipped: ", skipped.size(), "\n");
  for (const auto& image : skipped)
    text += concat("    ", image.at("id").get<std::string>(), " (",
                   image.at("split").get<std::string>(), ", ", image.at("class").get<std::string>(),
                   ") ", image.at("reason").get<std::string>(), "\n");
  for (const auto& note : card.at("notes"))
    text += concat("  note: ", note.get<std::string>(), "\n");
  for (const std::string split : {"train", "test"})
    text += concat("  SHA-256 of the ", split,
                   " images: ", card.at("images_sha256").at(split).get<std::string>(), "\n");
  return text + concat("  source: ", card.at("source_fingerprint").get<std::string>(), "\n");
}

}  // namespace sweep::data
