#include "fovea/models/training/dtypes.h"
#include "fovea/models/transformer/learner.h"

namespace fovea::transformer {
namespace {

struct PresetRow {
  const char* name;
  int layers;
  Index heads, width, feedforward;
  double dropout, lr;
  Index warmup, tokens, steps;
};
// base reaches the paper's rate, (512 * 4000)^-0.5, at the paper's step.
constexpr PresetRow presets[] = {{"toy", 2, 4, 64, 128, 0, 3e-3, 200, 1500, 2000},
                                 {"tiny", 4, 4, 128, 256, 0.3, 5e-3, 2000, 4096, 8000},
                                 {"base", 6, 8, 512, 2048, 0.1, 7e-4, 4000, 25000, 100000}};

}  // namespace

std::vector<Setting> Settings::own() {
  std::vector<Setting> all = translation_settings();
  all.insert(all.end(),
             {{"layers", &layers, "Layers of the encoder, and of the decoder", 1},
              {"heads", &heads, "Heads of a layer", 1},
              {"width", &width, "Numbers that stand for a word", 1},
              {"feedforward", &feedforward, "Width between a layer's two linear layers", 1},
              {"norm_first", &norm_first, "Normalise before every sub-layer and not after it"},
              {"tied", &tied, "One matrix for source words, target words and output"},
              {"dropout", &dropout, "Of sub-layers and of the words' vectors"},
              {"attention_dropout", &attention_dropout, "Of attention weights"},
              {"relu_dropout", &relu_dropout, "Between a layer's two linear layers"},
              {"label_smoothing", &label_smoothing, "Share of the target that goes to other words"},
              {"smoothing", &smoothing, "To which: all, others (but the true one) or words (nor padding)", 0,
               smoothing_names()},
              {"dtype", &dtype, "Of activations and products in training; bf16 pays on a GPU", 0,
               words_of(activation_dtypes)}});
  return all;
}

std::vector<std::string> preset_names() { return names_of(presets); }

Settings settings_for(const std::string& task, const std::string& preset) {
  Settings s;
  choose_translation(s, task);
  const bool toy = task != "multi30k";
  const PresetRow& row = row_named("transformer", "preset", presets,
                                   !preset.empty() ? preset
                                   : toy           ? "toy"
                                                   : "tiny");
  s.layers = row.layers;
  s.heads = row.heads;
  s.width = row.width;
  s.feedforward = row.feedforward;
  s.dropout = row.dropout;
  s.lr = row.lr;
  s.warmup = row.warmup;
  s.tokens = row.tokens;
  s.steps = row.steps;
  s.schedule = "noam";
  s.beta2 = 0.98;
  s.clip_norm = 0;
  s.batch_size = 4096;  // `tokens` decides
  s.shared_words = true;
  s.min_count = 1;
  s.averages = 10;
  s.average_every = toy ? 20 : 120;
  if (!toy) s.merges = 10000;
  return s;
}

Options options_of(const Settings& s) {
  Options o;
  o.embed_dim = s.width;
  o.num_heads = s.heads;
  o.feedforward = s.feedforward;
  o.dropout = s.dropout;
  o.norm_first = s.norm_first;
  o.layers = s.layers;
  o.source_words = s.source_words;
  o.target_words = s.target_words;
  o.tied = s.tied;
  o.attention_dropout = s.attention_dropout;
  o.relu_dropout = s.relu_dropout;
  o.activations = chosen(Settings::family, "type", s.dtype, activation_dtypes);
  return o;
}

}  // namespace fovea::transformer
