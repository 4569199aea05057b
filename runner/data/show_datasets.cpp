#include "runner/data/show_datasets.hpp"

#include <ostream>
#include <vector>

#include "cluster/host.hpp"
#include "cluster/message_bus.hpp"
#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/data/card.hpp"
#include "runner/data/contact_sheet.hpp"
#include "trainer/datasets/png.hpp"

namespace sweep::data {
namespace {

Json card_of(const storage::Content& dataset, const std::filesystem::path& file) {
  if (!dataset.attributes.contains("card"))
    throw InputError(concat("'", file.string(),
                            "' has no card (an older version has made it); delete the file, the "
                            "same command makes it anew"));
  return Json::parse(dataset.attributes.at("card").get<std::string>());
}

void show(const DataRequest& request, const storage::ArtifactId& id, std::ostream& out) {
  const storage::Store store(request.run.out);
  const auto file = store.artifact_path(id);
  const storage::Content dataset = store.read(id);
  Json card = card_of(dataset, file);
  const auto sheet =
      request.sheet.empty() ? store.root() / "datasets" / (id.hash + ".png") : request.sheet;
  create_folders(sheet.parent_path());
  write_atomically(sheet, trainer::encode_png(contact_sheet(
                              dataset, card.at("class_names").get<std::vector<std::string>>())));
  if (request.json) {
    card["artifact"] = id.hash;
    card["sheet"] = sheet.string();
    out << card.dump() << "\n";
  } else {
    out << card_text(card) << "  artifact: " << file.string()
        << "\n  contact sheet: " << sheet.string() << "\n";
  }
}

}  // namespace

int show_datasets(const DataRequest& request, std::ostream& out) {
  if (cluster::started_by_launcher())
    throw InputError(
        "data was started by a launcher (it works in one process, on all its cores); leave mpirun "
        "out");
  std::vector<storage::ArtifactId> datasets;
  const int status = engine::prepare_datasets(
      request.run, *cluster::make_local_bus(),
      [&](const std::vector<storage::ArtifactId>& planned) {
        if (planned.size() > 1 && !request.sheet.empty())
          throw InputError(concat("--sheet names one file, but the sweep has ", planned.size(),
                                  " datasets; leave it out (the sheets are then in '",
                                  (request.run.out / "datasets").string(), "')"));
        datasets = planned;
      });
  if (status != 0) return status;
  for (const auto& id : datasets) show(request, id, out);
  return 0;
}

}  // namespace sweep::data
