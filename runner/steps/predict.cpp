#include <ATen/ATen.h>

#include <iostream>

#include "core/text.hpp"
#include "runner/steps/image_source.hpp"
#include "runner/steps/metrics.hpp"
#include "runner/steps/network.hpp"
#include "runner/steps/output.hpp"
#include "runner/steps/steps.hpp"
#include "runner/tasks/tensors.hpp"
#include "storage/artifact_file.hpp"
#include "trainer/device.hpp"

namespace sweep::steps {

ExitCode predict(const PredictRequest& request) {
  check_model(request.model);
  check_output(request.out, {request.model.weights, request.images.path});
  const LabelledImages set =
      load_images(request.images, request.model.num_classes, threads_of(request.computing));
  const Network network(request.model, request.computing);

  const at::Tensor labels = tasks::to_tensor(set.labels);
  Progress progress("predict");
  const at::Tensor logits = network.predict(tasks::to_tensor(set.images),
                                            [&](double fraction) { progress.report(fraction); });
  const at::Tensor predictions = logits.argmax(1);
  storage::Content content;
  content.attributes = provenance(request.model, request.computing);
  content.attributes["device"] = trainer::device_name(network.device());
  content.arrays["images"] = set.images;
  content.arrays["labels"] = set.labels;
  content.arrays["logits"] = tasks::to_array(logits);
  content.arrays["predictions"] = tasks::to_array(predictions);
  storage::write_artifact(request.out, content);

  const Json metrics = metrics_of({.labels = labels, .predictions = predictions});
  if (request.json) {
    std::cout << metrics.dump(2) << "\n";
  } else {
    std::cout << text_of(metrics) << "wrote " << request.out.string() << "\n";
  }
  return ExitCode::ok;
}

}  // namespace sweep::steps
