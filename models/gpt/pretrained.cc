#include "fovea/models/gpt/pretrained.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "fovea/core/atomic_file.h"
#include "fovea/core/byte_reader.h"
#include "fovea/models/layers/config_file.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/ops/create.h"
#include "fovea/ops/views.h"

namespace fovea::gpt {
namespace {

namespace fs = std::filesystem;

/// Whether Hugging Face stores this tensor transposed, as its Conv1D does.
bool is_turned(const std::string& name) {
  return name.ends_with(".attn.c_attn.weight") || name.ends_with(".attn.c_proj.weight") ||
         name.ends_with(".mlp.c_fc.weight") || name.ends_with(".mlp.c_proj.weight");
}

Tensor turned(const Tensor& t) { return t.rank() == 2 ? clone(transpose(t, 0, 1)) : t; }

Options read_config(const fs::path& path) {
  const ConfigFile file(path);
  const std::string type = file.text("model_type", "");
  file.check(type == "gpt2", "model_type is ", in_quotes(type), "; only 'gpt2' is read");
  for (const auto& [key, wanted] : {std::pair{"scale_attn_weights", true},
                                    {"tie_word_embeddings", true},
                                    {"scale_attn_by_inverse_layer_idx", false},
                                    {"add_cross_attention", false}})
    file.check(file.boolean(key, wanted) == wanted, key, " is ", wanted ? "false" : "true",
               ", which Fovea does not do");
  const double dropout = file.number("resid_pdrop", 0, 1, 0.1);
  for (const char* key : {"embd_pdrop", "attn_pdrop"})
    file.check(file.number(key, 0, 1, 0.1) == dropout, key,
               " is not resid_pdrop; Fovea's GPT has one dropout");
  const Options o{.vocabulary = file.count("vocab_size"),
                  .block_size = file.count(
                      "n_positions", file.has("n_ctx") ? std::optional(file.count("n_ctx")) : std::nullopt),
                  .layers = static_cast<int>(file.count("n_layer")),
                  .heads = file.count("n_head"),
                  .embed_dim = file.count("n_embd"),
                  .dropout = dropout,
                  .activation = file.activation("activation_function", "gelu_new"),
                  .eps = file.number("layer_norm_epsilon", 0, 1, 1e-5)};
  for (const auto& [key, value] : {std::pair{"vocab_size", o.vocabulary},
                                   {"n_positions", o.block_size},
                                   {"n_layer", Index{o.layers}},
                                   {"n_head", o.heads},
                                   {"n_embd", o.embed_dim}})
    file.check(value > 0, key, " is 0; it must be at least 1");
  file.check(o.embed_dim % o.heads == 0, "n_head ", o.heads, " must divide n_embd ", o.embed_dim);
  file.check(file.count("n_inner", 4 * o.embed_dim) == 4 * o.embed_dim, "n_inner is ",
             file.count("n_inner", 0), "; Fovea's GPT has 4 n_embd, ", 4 * o.embed_dim);
  return o;
}

/// How many values a model of these options has, as a number that does not overflow.
double size_of(const Options& o) {
  const double E = static_cast<double>(o.embed_dim);
  return E * (static_cast<double>(o.vocabulary) + static_cast<double>(o.block_size) + 12.0 * o.layers * E);
}

}  // namespace

Gpt load_pretrained(const fs::path& folder) {
  const Options options = read_config(folder / "config.json");
  const WeightsFolder weights(folder);
  double values = 0;
  for (const auto& [name, file] : weights.in) values += static_cast<double>(file.shape(name).numel());
  // A config is a few bytes, and must not decide alone how much memory is taken.
  require(size_of(options) < 4 * values + 1e7, "pretrained", folder.string(),
          ": config.json describes a model of ", size_of(options), " values, but the files hold ", values);
  std::vector<NamedTensor> tensors;
  for (const auto& [name, file] : weights.in) tensors.push_back({name, file.get(name)});
  Generator random;
  Gpt model(options, random);
  load_tensors(model, from_hugging_face(tensors), true, weights.source.string());
  return model;
}

void save_pretrained(Gpt& model, const fs::path& folder) {
  const Options& o = model.options;
  // Under a model of the same size that has all biases, which start as 0.
  Options whole = o;
  whole.bias = true;
  Generator random;
  Gpt copy(whole, random);
  load_tensors(copy, named_tensors(model), false);
  std::vector<NamedTensor> tensors = named_tensors(copy);
  for (NamedTensor& t : tensors)
    if (is_turned(t.name)) t.tensor = turned(t.tensor);
  const nlohmann::ordered_json config{{"architectures", {"GPT2LMHeadModel"}},
                                      {"model_type", "gpt2"},
                                      {"vocab_size", o.vocabulary},
                                      {"n_positions", o.block_size},
                                      {"n_layer", o.layers},
                                      {"n_head", o.heads},
                                      {"n_embd", o.embed_dim},
                                      {"activation_function", config_name(o.activation)},
                                      {"layer_norm_epsilon", o.eps},
                                      {"resid_pdrop", o.dropout},
                                      {"embd_pdrop", o.dropout},
                                      {"attn_pdrop", o.dropout},
                                      {"bos_token_id", nullptr},
                                      {"eos_token_id", nullptr},
                                      {"tie_word_embeddings", true}};
  fs::create_directories(folder);
  save_safetensors(folder / "model.safetensors", tensors);
  write_atomically(folder / "config.json", config.dump(2) + "\n", "pretrained");
}

std::vector<NamedTensor> from_hugging_face(std::span<const NamedTensor> tensors) {
  std::vector<NamedTensor> out;
  for (const NamedTensor& t : tensors) {
    if (t.name.ends_with(".attn.bias") || t.name.ends_with(".attn.masked_bias")) continue;
    const bool prefixed = t.name.starts_with("transformer.") || t.name.starts_with("lm_head.");
    out.push_back(
        {prefixed ? t.name : "transformer." + t.name, is_turned(t.name) ? turned(t.tensor) : t.tensor});
  }
  return out;
}

}  // namespace fovea::gpt
