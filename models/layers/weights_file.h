#ifndef FOVEA_MODELS_LAYERS_WEIGHTS_FILE_H_
#define FOVEA_MODELS_LAYERS_WEIGHTS_FILE_H_

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "fovea/core/safetensors.h"
#include "fovea/models/layers/module.h"

/// A model's weights in safetensors files, under PyTorch's names, so that either side reads the other's.

namespace fovea {

/// What did not fit when weights were loaded; empty lists when all did.
struct LoadReport {
  std::vector<std::string> missing;     ///< names the model has and the source has not
  std::vector<std::string> unexpected;  ///< names the source has and the model has not
  std::vector<std::string> mismatched;  ///< "name: (3,4) f32 in the model, (4,3) f32 in the source"
  bool ok() const { return missing.empty() && unexpected.empty() && mismatched.empty(); }
};

namespace detail {
LoadReport load_tensors(const Parts& parts, std::span<const NamedTensor> tensors, bool strict,
                        const std::string& source);
LoadReport load_parameters(const Parts& parts, const std::filesystem::path& path, bool strict);
}  // namespace detail

/// Copies tensors into the parameters and buffers of the same names. Shapes must agree; among f32, f64 and
/// bf16 values are converted. A parameter with several names may come under any of them. With `strict`,
/// throws an Error that lists everything missing, unexpected and mismatched, and then nothing has been
/// changed; without, copies what fits and reports the rest. `source` is what messages call the tensors'
/// origin.
template <Layer Model>
LoadReport load_tensors(Model& model, std::span<const NamedTensor> tensors, bool strict = true,
                        const std::string& source = "the tensors") {
  return detail::load_tensors(detail::parts_of(model), tensors, strict, source);
}

/// Writes parameters and buffers; the old file is replaced only by a complete new one.
template <Layer Model>
void save_parameters(Model& model, const std::filesystem::path& path,
                     const Metadata& metadata = {{"format", "pt"}}) {
  save_safetensors(path, named_tensors(model), metadata);
}

/// Reads a file into parameters and buffers as load_tensors() does.
template <Layer Model>
LoadReport load_parameters(Model& model, const std::filesystem::path& path, bool strict = true) {
  return detail::load_parameters(detail::parts_of(model), path, strict);
}

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_WEIGHTS_FILE_H_
