#ifndef FOVEA_MODELS_GPT_PRETRAINED_H_
#define FOVEA_MODELS_GPT_PRETRAINED_H_

#include <filesystem>
#include <span>
#include <vector>

#include "fovea/models/gpt/gpt.h"

/// GPT-2 in Hugging Face's layout: a folder with config.json and model.safetensors (or its shards and their
/// index). All files are taken for hostile: errors are Error and name the file.

namespace fovea::gpt {

/// Reads a folder of a GPT-2; f16, bf16 and f64 become f32. Throws for another kind of model, for options
/// that Gpt has not, and lists tensors that are missing (with the nearest name there is), left over, or of
/// other shapes than config.json says. The configuration's three dropouts must be one.
Gpt load_pretrained(const std::filesystem::path& folder);

/// Writes config.json and model.safetensors, so that load_pretrained() and transformers read them; biases
/// that the model has not are written as 0. The folder is made when it is not there.
void save_pretrained(Gpt& model, const std::filesystem::path& folder);

/// GPT-2's weights as Hugging Face's files hold them, made to fit Gpt: they store the linear layers of a
/// block transposed, leave out "transformer." in some files, and add masks that are no weights.
std::vector<NamedTensor> from_hugging_face(std::span<const NamedTensor> tensors);

}  // namespace fovea::gpt

#endif  // FOVEA_MODELS_GPT_PRETRAINED_H_
