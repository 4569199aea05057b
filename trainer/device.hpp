#pragma once

#include <string>

#include "core/json.hpp"

namespace c10 {
struct Device;
}

namespace sweep::trainer {

/// The device that `text` asks for: "cpu", "cuda", "cuda:1", or "auto" (CUDA where there is a GPU,
/// else the CPU). CUDA's libraries are loaded here, and only if a driver is there: call it before
/// any other function of LibTorch, which remembers the first answer to whether there is CUDA.
/// @throws InputError when a GPU is asked for and there is none.
c10::Device select_device(const std::string& text);

/// "AMD EPYC 9454", "NVIDIA H100 80GB HBM3".
std::string device_name(const c10::Device& device);

/// The model of the processor.
std::string cpu_name();

/// "GPU-3f2a...", as nvidia-smi shows it; empty for the CPU, and where the driver does not tell.
std::string device_uuid(const c10::Device& device);

/// Versions of the libraries that only this device needs: "cuda", "cudnn" and, where it is loaded,
/// "nccl". None for the CPU.
Json device_libraries(const c10::Device& device);

/// Settings of the whole process, to be made once, before the first operation: `threads` for the
/// operations of LibTorch (at least 1), repeatable convolution algorithms, denormal numbers are
/// zero, freed memory is kept (trainer/memory.hpp). Equal seeds then give equal bits on the CPU,
/// for an equal number of threads. On CUDA they do up to the order of the sums in max-pooling's
/// gradient.
void configure_torch(int threads);

}  // namespace sweep::trainer
