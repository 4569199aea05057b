#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sweep::cluster {

/// Cores that this process may run on (the container's quota too limits them); at least 1. Under
/// mpirun call reset_affinity first.
int available_cores();

/// The cores of the rank `local_rank` of `local_size` on this host, `threads` each, where together
/// they fill exactly what available_cores() counts; otherwise none: the system then moves threads
/// to where nobody else computes.
std::vector<int> cores_of_rank(int local_rank, int local_size, int threads);

/// Memory of the host, or what the container leaves of it.
double memory_bytes();

/// Undoes the binding to one core that mpirun gives jobs of one or two ranks: children inherit it.
void reset_affinity();

/// Names of the CUDA devices that CUDA_VISIBLE_DEVICES leaves, found without loading CUDA.
std::vector<std::string> cuda_devices();

/// Folder of the running program.
/// @throws InputError where /proc is not mounted.
std::filesystem::path program_folder();

/// True when a launcher (mpirun, srun --mpi=pmix) started this process as a rank of an MPI job.
bool started_by_launcher();

/// True when standard output is a terminal that shows what this process prints. Under mpirun a
/// rank's own output is a pseudo-terminal in any case, so the launcher's output decides.
bool shows_on_terminal();

}  // namespace sweep::cluster
