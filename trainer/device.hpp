#pragma once

#include <string>

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

/// Settings of the whole process, to be made once, before the first operation: `threads` for the
/// operations of LibTorch (at least 1), repeatable convolution algorithms, denormal numbers are
/// zero. Equal seeds then give equal bits on the CPU, for an equal number of threads. On CUDA they
/// do up to the order of the sums in max-pooling's gradient.
void configure_torch(int threads);

}  // namespace sweep::trainer
