#pragma once

#include "storage/array.hpp"

namespace sweep::trainer {
struct TrainingState;
}

namespace sweep::tasks {

/// An unfinished training as the content of a file: "progress" and "tensors/NAME".
storage::Content checkpoint_content(const trainer::TrainingState& state);

/// The opposite. @throws Error{bad_data} when it is not such a content
trainer::TrainingState training_state(const storage::Content& content);

}  // namespace sweep::tasks
