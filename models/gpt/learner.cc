#include "fovea/models/gpt/learner.h"

#include <algorithm>
#include <cmath>

#include "fovea/models/data/labelled_images.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/models/training/dtypes.h"

namespace fovea::gpt {
namespace {

struct PresetRow {
  const char* name;
  int layers;
  Index heads, width, context, batch;
  double dropout;
  Index steps;
  double lr;
};
// nanoGPT's config/train_shakespeare_char.py, and what its README says for a machine without a GPU; but there
// the small one, too, learns at 1e-3, which leaves it a tenth of a nat higher.
constexpr PresetRow presets[] = {{"cpu", 4, 4, 128, 64, 12, 0, 2000, 3e-3},
                                 {"gpu", 6, 6, 384, 256, 64, 0.2, 5000, 1e-3}};

}  // namespace

std::vector<Setting> Settings::own() {
  return {{"data", &data, "The text"},
          {"characters", &characters, "What tokens stand for"},
          {"vocabulary", &vocabulary, "Kinds of tokens", 1},
          {"context", &context, "Tokens that it sees at once", 1},
          {"layers", &layers, "Layers", 1},
          {"heads", &heads, "Heads of a layer", 1},
          {"width", &width, "Numbers that stand for a token", 1},
          {"dropout", &dropout, "Share of the activations that training drops"},
          {"bias", &bias, "Biases in linear layers and norms"},
          {"dtype", &dtype, "Of activations and products in training; bf16 pays on a GPU", 0,
           words_of(activation_dtypes)}};
}

Settings settings_for(const std::string& preset) {
  const PresetRow& row = row_named("gpt", "preset", presets, preset);
  Settings s;
  s.layers = row.layers;
  s.heads = row.heads;
  s.width = row.width;
  s.context = row.context;
  s.dropout = row.dropout;
  s.batch_size = row.batch;
  s.steps = row.steps;
  s.optimizer = "adamw";
  s.lr = row.lr;
  s.beta2 = 0.99;
  s.weight_decay = 0.1;
  s.warmup = 100;
  s.final_lr = 1e-4;
  s.clip_norm = 1;
  return s;
}

Learner::Learner(const Settings& settings, Text text)
    : fovea::Learner(settings), settings_(settings), text_(std::move(text)) {
  Generator random = Generator(settings.seed).fork(weights_stream);
  model_ = Gpt({.vocabulary = settings.vocabulary,
                .block_size = settings.context,
                .layers = settings.layers,
                .heads = settings.heads,
                .embed_dim = settings.width,
                .dropout = settings.dropout,
                .bias = settings.bias,
                .activations = chosen("gpt", "type", settings.dtype, activation_dtypes)},
               random);
  start(model_);
  if (text_.train.empty()) return;
  for (const auto* part : {&text_.train, &text_.validation}) {
    for (const std::int32_t id : *part)
      require(id >= 0 && id < settings.vocabulary, "gpt", "the text has token ", id, " of a vocabulary of ",
              settings.vocabulary);
    streams_.emplace_back(*part,
                          TextStreamOptions{.batch_size = settings.batch_size, .length = settings.context},
                          data_.fork(static_cast<std::uint64_t>(streams_.size())));
  }
}

Batch Learner::draw() {
  require(!streams_.empty(), "gpt", "there is no text to learn from");
  const TextWindows batch = streams_[0].next();
  return {batch.x, batch.y};
}

Tensor Learner::cost(const Batch& batch) {
  training_mode(model_, data_);
  const Tensor loss = model_.loss(batch[0], batch[1]);
  evaluation_mode(model_);
  return loss;
}

double Learner::validation_loss(Index windows) {
  require(!streams_.empty(), "gpt", "there is no text to validate with");
  const TextStream& text = streams_[1];
  const Index all = text.windows(), n = windows > 0 ? std::min(windows, all) : all;
  double sum = 0;
  // Runs of neighbours as large as a batch, at evenly spread places.
  const Index size = std::min(settings_.batch_size, n), batches = (n + size - 1) / size;
  Index scored = 0;
  for (const Index at : spread_indices(batches, all / size)) {
    const TextWindows batch = text.consecutive(at * size, size);
    sum += static_cast<double>(size) * model_.loss(here(batch.x), here(batch.y)).item<double>();
    scored += size;
  }
  return sum / static_cast<double>(scored);
}

double Learner::unigram_loss() const {
  std::vector<double> count(static_cast<std::size_t>(settings_.vocabulary), 1);  // 1 more than seen (Laplace)
  for (const std::int32_t id : text_.train) ++count[static_cast<std::size_t>(id)];
  const double total = static_cast<double>(text_.train.size()) + static_cast<double>(count.size());
  double sum = 0;
  for (const std::int32_t id : text_.validation) sum -= std::log(count[static_cast<std::size_t>(id)] / total);
  return sum / static_cast<double>(text_.validation.size());
}

Checkpoint Learner::checkpoint() {
  Checkpoint c = fovea::Learner::checkpoint();
  if (!streams_.empty()) c.generators["text"] = streams_[0].state();
  return c;
}

void Learner::restore(const Checkpoint& c) {
  fovea::Learner::restore(c);
  const auto at = c.generators.find("text");
  if (!streams_.empty() && at != c.generators.end()) streams_[0].set_state(at->second);
}

void Learner::load(const std::vector<NamedTensor>& tensors) {
  load_tensors(model_, tensors, true, "the checkpoint");
}

}  // namespace fovea::gpt
