#include "runner/engine/run_view.hpp"

namespace sweep::engine {

Json to_json(const RankView& rank) {
  Json json{
      {"rank", rank.rank}, {"host", rank.host}, {"device", rank.device}, {"state", rank.state}};
  if (!rank.task) return json;
  json.update({{"task", *rank.task},
               {"label", rank.label},
               {"log", rank.log},
               {"attempt", rank.attempt},
               {"since_s", seconds_since(rank.since)},
               {"fraction", rank.fraction},
               {"text", rank.text}});
  const auto add = [&](const char* key, const std::optional<double>& value) {
    if (value) json[key] = *value;
  };
  add("memory_bytes", rank.memory_bytes);
  add("epoch", rank.epoch);
  add("loss", rank.loss);
  add("images_per_second", rank.images_per_second);
  return json;
}

Json to_json(const RunView& view) {
  Json ranks = Json::array();
  for (const auto& rank : view.ranks) ranks.push_back(to_json(rank));
  return {{"state", view.state},
          {"exit_code", view.exit_code ? Json(*view.exit_code) : Json()},
          {"by_request", view.by_request},
          {"elapsed_s", seconds_since(view.started)},
          {"eta_s", view.eta_s ? Json(*view.eta_s) : Json()},
          {"counts", view.counts},
          {"stages", view.stages},
          {"ranks", ranks},
          {"failures", view.failures}};
}

}  // namespace sweep::engine
