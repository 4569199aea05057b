#include "cluster/message_bus.hpp"

// What load_mpi_bus() looks for.
extern "C" sweep::cluster::MessageBus* sweep_make_mpi_bus() {
  return sweep::cluster::make_mpi_bus().release();
}
