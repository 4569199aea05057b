#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace sweep::steps {

// Single steps of an experiment on files that a user has. Each function checks everything that it
// is asked for before it computes, prints its result on standard output and writes its file whole
// or not at all.

/// A user's labelled images: an HDF5 file, or a folder with one folder of images per class.
struct ImageSource {
  std::filesystem::path path;
  std::string images_key = "images", labels_key = "labels";  ///< datasets of an HDF5 file
  std::int64_t image_size = 0;  ///< of a folder's images after scaling; files have their own
};

/// A classifier in a file of weights.
struct ModelSource {
  std::string arch;  ///< a name in the registry of models
  std::int64_t num_classes = 0;
  std::filesystem::path weights;
  std::string normalize = "imagenet";  ///< what the weights expect as first layer
};

/// How to compute.
struct Computing {
  std::string device = "auto";
  int threads = 0;                       ///< 0: all cores that this process may use
  std::int64_t batch = 64;               ///< images at once
  std::string layout = "channels_last";  ///< or "nchw", as other libraries compute
  std::string dtype = "float32";         ///< or "float64", for checks
};

struct PredictRequest {
  ModelSource model;
  ImageSource images;
  Computing computing;
  std::filesystem::path out;
  bool json = false;
};

/// An option of the command line that stands for an entry of an option table.
struct Setting {
  std::string key, value;  ///< "epsilon", "4/255": the value in TOML, or a text or fraction
  std::string written;     ///< as the user wrote it: "--eps 4/255"
};

struct AttackRequest {
  ModelSource model;
  ImageSource images;
  Computing computing;
  std::string attack;             ///< a name in the registry of attacks
  std::vector<Setting> settings;  ///< of the attack's table and of its goal's
  std::filesystem::path out;
  bool json = false;
};

struct EvaluateRequest {
  ModelSource model;               ///< what is empty or 0 in it is that of the attacked model
  std::filesystem::path set;       ///< what attack() has written, or images and labels alone
  std::string pixels = "float32";  ///< or "uint8": rounded to 8 bits
  Computing computing;
  bool json = false;
};

struct TrainRequest {
  std::string arch;
  std::int64_t num_classes = 0;  ///< 0: as many as the labels name
  std::filesystem::path init;    ///< weights to start from; empty: from random parameters
  ImageSource images;
  std::string defence = "none";   ///< a name in the registry of defences
  std::vector<Setting> settings;  ///< of the tables of model, defence and training: "defence.sigma"
  Computing computing;
  std::filesystem::path out;  ///< safetensors
  bool json = false;
};

struct ExportRequest {
  std::filesystem::path model;  ///< artifact of a sweep
  std::filesystem::path out;    ///< safetensors
};

struct BenchRequest {
  std::string arch = "resnet18";
  std::int64_t image_size = 224;
  std::int64_t batch = 0;  ///< images; 0: 64 on a GPU, 16 on a CPU
  double seconds = 4;      ///< for each measurement, at least
  Computing computing;     ///< device and threads
  bool json = false;
};

ExitCode predict(const PredictRequest& request);
ExitCode attack(const AttackRequest& request);
ExitCode evaluate(const EvaluateRequest& request);

/// A stop signal makes it save a checkpoint beside `out` and end with ExitCode::interrupted; the
/// same request goes on from there.
ExitCode train(const TrainRequest& request);

/// The classifier of a sweep's model artifact as a file of weights.
ExitCode export_weights(const ExportRequest& request);

/// What this machine reaches in training and attacks, and what Table 1 would take at that. On
/// random images and parameters: neither changes the speed.
ExitCode bench(const BenchRequest& request);

}  // namespace sweep::steps
