#include "fovea/models/bert/learner.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "fovea/models/data/labelled_images.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/models/training/dtypes.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/positions.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"

namespace fovea::bert {
namespace {

constexpr auto baseline_prefix = "left_only/";
constexpr std::uint64_t masks_stream = 64;

struct PresetRow {
  const char* name;
  Index vocabulary, context, layers, heads, width, batch, steps;
  double dropout, lr, masked;
};
// More than the paper's 15 % are hidden where updates are few: every one of them is a lesson (Wettig et al.
// 2023).
constexpr PresetRow presets[] = {{"small", 2000, 64, 2, 4, 128, 32, 6000, 0, 2e-3, 0.4},
                                 {"medium", 8000, 128, 4, 4, 256, 64, 20000, 0.1, 1e-3, 0.4},
                                 {"base", 30522, 512, 12, 12, 768, 256, 1000000, 0.1, 1e-4, 0.15}};

// How often the likeliest of logits [M,V] is the target, which lies on the host.
Index right_ones(const Tensor& logits, const Tensor& targets) {
  const Tensor guesses = to(argmax(logits, -1), Cpu{});
  const auto likeliest = guesses.values<std::int32_t>(), wanted = targets.values<std::int32_t>();
  Index n = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) n += likeliest[i] == wanted[i];
  return n;
}

// Rows of [B,L,E] at places b * L + i: [M,E].
Tensor rows_at(const Tensor& hidden, const Tensor& places) {
  return index_select(reshape(hidden, {hidden.size(0) * hidden.size(1), hidden.size(2)}), 0, places);
}

}  // namespace

std::vector<Setting> Settings::own() {
  return {{"text", &text, "The text"},
          {"tokens", &tokens, "What ids stand for"},
          {"vocabulary", &vocabulary, "Kinds of tokens, at most", 6},
          {"context", &context, "Tokens that it sees at once", 8},
          {"layers", &layers, "Layers", 1},
          {"heads", &heads, "Heads of a layer", 1},
          {"width", &width, "Numbers that stand for a token", 1},
          {"dropout", &dropout, "Share of the activations that training drops"},
          {"deviation", &deviation, "Of the weights that it starts from"},
          {"dtype", &dtype, "Of activations and products in training; bf16 pays on a GPU", 0,
           words_of(activation_dtypes)},
          {"masked", &masked, "Share of the tokens that are to be guessed"},
          {"next_sentence", &next_sentence, "Learn also whether a text follows another"},
          {"left_only", &left_only, "Guess every token from those before it, instead"},
          {"with_baseline", &with_baseline, "Train a left-only model of the same size beside it"}};
}

Settings settings_for(const std::string& preset) {
  const PresetRow& row = row_named("bert", "preset", presets, preset);
  Settings s;
  s.vocabulary = row.vocabulary;
  s.context = row.context;
  s.layers = row.layers;
  s.heads = row.heads;
  s.width = row.width;
  s.dropout = row.dropout;
  s.masked = row.masked;
  s.batch_size = row.batch;
  s.steps = row.steps;
  s.optimizer = "adamw";
  s.lr = row.lr;
  // The paper's 0.02, so that products over a narrower width start out as large as over its 768.
  s.deviation = 0.02 * std::sqrt(768 / static_cast<double>(row.width));
  s.weight_decay = 0.01;
  s.warmup = row.steps / 20;
  s.clip_norm = 1;
  return s;
}

void Learner::Model::each(Visitor& v) {
  bert.each(v);
  v("cls.seq_relationship", next);
}

// What a batch asks for, on the host.
struct Learner::Example {
  Input input;
  Tensor places;   // of the vectors that the guesses are made of
  Tensor targets;  // the tokens
  Tensor follows;
};

Learner::Learner(const Settings& settings, Text text)
    : fovea::Learner(settings),
      settings_(settings),
      text_(std::move(text)),
      masks_(data_.fork(masks_stream)) {
  require(settings.next_sentence + settings.left_only + settings.with_baseline <= 1, "bert",
          "next_sentence, left_only and with_baseline exclude each other: a left-only model knows no pairs");
  Generator random = Generator(settings.seed).fork(weights_stream);
  model_.bert = Bert({.vocabulary = settings.vocabulary,
                      .positions = settings.context,
                      .layers = settings.layers,
                      .heads = settings.heads,
                      .hidden = settings.width,
                      .intermediate = 4 * settings.width,
                      .dropout = settings.dropout,
                      .attention_dropout = settings.dropout,
                      .pooler = settings.next_sentence,
                      .causal = settings.left_only,
                      .deviation = settings.deviation,
                      .activations = chosen("bert", "type", settings.dtype, activation_dtypes)},
                     random);
  // Positions are learned, from waves of the words' size: with noise to start from, a small model stays near
  // the unigrams for thousands of updates and does not find out which tokens are neighbours.
  assign(model_.bert.encoder.embeddings.position.weight.detach(),
         sinusoidal_positions(settings.context, settings.width) * (std::sqrt(2) * settings.deviation));
  if (settings.next_sentence) {
    model_.next = Linear({.in_features = settings.width, .out_features = 2}, random);
    init::truncated_normal(model_.next.weight, random, 0, settings.deviation);
    init::constant(model_.next.bias, 0);
  }
  start(model_);
  if (settings.with_baseline) {
    Settings other = settings;
    other.with_baseline = false;
    other.left_only = true;
    baseline_ = std::make_unique<Learner>(other, text_);
  }
  if (text_.train.empty()) return;
  const Index length = settings.context - (settings.next_sentence ? 3 : 2);
  for (const auto* part : {&text_.train, &text_.validation}) {
    for (const std::int32_t id : *part)
      require(id >= 0 && id < settings.vocabulary, "bert", "the text has token ", id, " of a vocabulary of ",
              settings.vocabulary);
    streams_.emplace_back(*part, TextStreamOptions{.batch_size = settings.batch_size, .length = length},
                          data_.fork(static_cast<std::uint64_t>(streams_.size())));
  }
}

Learner::Example Learner::example(const Tensor& texts, double share, Generator& random) const {
  const SpecialIds special;
  const Pairs pairs =
      settings_.next_sentence ? text_pairs(texts, special, random) : single_texts(texts, special);
  const Masked masked = mask_tokens(
      pairs.ids, {.share = share, .vocabulary = settings_.vocabulary, .special = special}, random);
  Example e{{masked.ids, {}, pairs.segments}, masked.places, masked.targets, pairs.follows};
  if (settings_.left_only) {  // the vector before a token guesses it
    e.input.ids = pairs.ids;
    e.places = clone(masked.places);
    for (Index i = 0; i < e.places.numel(); ++i) --e.places.mutable_data<std::int32_t>()[i];
  }
  return e;
}

Tensor Learner::encoded(const Example& e) const {
  return model_.bert.encoder.forward({here(e.input.ids), here(e.input.keep_mask), here(e.input.segments)});
}

Batch Learner::draw() {
  require(!streams_.empty(), "bert", "there is no text to learn from");
  const Tensor texts = streams_[0].next().x;
  // From a left-only model nothing has to be hidden, so that every token is a lesson.
  if (settings_.left_only) return {single_texts(texts).ids, texts};
  const Example e = example(texts, settings_.masked, masks_);
  return {e.input.ids, e.targets, e.places, e.input.segments, e.input.keep_mask, e.follows};
}

Tensor Learner::cost(const Batch& batch) {
  training_mode(model_, data_);
  const Tensor &ids = batch[0], &targets = batch[1];
  Tensor loss;
  if (settings_.left_only) {
    const Tensor hidden = model_.bert.encoder.forward({ids});
    loss = model_.bert.loss(slice(hidden, 1, 0, targets.size(1)), targets);
  } else {
    const Tensor &places = batch[2], &segments = batch[3], &keep_mask = batch[4], &follows = batch[5];
    const Tensor hidden = model_.bert.encoder.forward({ids, keep_mask, segments});
    loss = model_.bert.loss(rows_at(hidden, places), targets);
    if (settings_.next_sentence)
      loss = loss + softmax_cross_entropy(model_.next.forward(model_.bert.encoder.pooled(hidden)), follows);
  }
  evaluation_mode(model_);
  return loss;
}

double Learner::step() {
  const double cost = fovea::Learner::step();
  if (baseline_) baseline_->step();
  return cost;
}

template <class Use>
void Learner::each_validation_batch(Index examples, const Use& use) const {
  require(!streams_.empty(), "bert", "there is no text to validate with");
  const TextStream& text = streams_[1];
  const Index all = text.windows(), n = examples > 0 ? std::min(examples, all) : all;
  // Runs of neighbours as large as a batch, at evenly spread places.
  const Index size = std::min(settings_.batch_size, n), batches = (n + size - 1) / size;
  for (const Index at : spread_indices(std::min(batches, all / size), all / size)) {
    // Not the seed's, nor training's share, so that every run is asked for the same tokens.
    Generator random = Generator(2018).fork(evaluation_stream).fork(static_cast<std::uint64_t>(at));
    use(example(text.consecutive(at * size, size).x, MaskingOptions().share, random));
  }
}

Learner::Score Learner::evaluate(Index examples) {
  double cost = 0;
  Index right = 0, asked = 0, right_pairs = 0, pairs = 0;
  each_validation_batch(examples, [&](const Example& e) {
    const Tensor hidden = encoded(e);
    const Tensor logits = model_.bert.guess(rows_at(hidden, here(e.places)));
    cost += softmax_cross_entropy(logits, here(e.targets), {.reduction = Reduction::sum}).item<double>();
    right += right_ones(logits, e.targets);
    asked += e.targets.numel();
    if (!settings_.next_sentence) return;
    right_pairs += right_ones(model_.next.forward(model_.bert.encoder.pooled(hidden)), e.follows);
    pairs += e.follows.numel();
  });
  Score score{cost / static_cast<double>(asked), static_cast<double>(right) / static_cast<double>(asked)};
  if (pairs > 0) score.next_accuracy = static_cast<double>(right_pairs) / static_cast<double>(pairs);
  return score;
}

Learner::Score Learner::unigrams() const {
  std::vector<double> count(static_cast<std::size_t>(settings_.vocabulary), 1);  // 1 more than seen (Laplace)
  for (const std::int32_t id : text_.train) ++count[static_cast<std::size_t>(id)];
  const double total = static_cast<double>(text_.train.size()) + static_cast<double>(count.size());
  const auto most = static_cast<std::int32_t>(std::max_element(count.begin(), count.end()) - count.begin());
  double cost = 0;
  Index right = 0, asked = 0;
  each_validation_batch(0, [&](const Example& e) {
    for (const std::int32_t id : e.targets.values<std::int32_t>()) {
      cost -= std::log(count[static_cast<std::size_t>(id)] / total);
      right += id == most;
      ++asked;
    }
  });
  return {cost / static_cast<double>(asked), static_cast<double>(right) / static_cast<double>(asked)};
}

Checkpoint Learner::checkpoint() {
  Checkpoint c = fovea::Learner::checkpoint();
  if (streams_.empty()) return c;
  c.generators["text"] = streams_[0].state();
  c.generators["masks"] = masks_.state();
  if (!baseline_) return c;
  const Checkpoint other = baseline_->checkpoint();
  for (const NamedTensor& t : other.model)
    c.extra.push_back({cat(baseline_prefix, "model.", t.name), t.tensor});
  for (const NamedTensor& t : other.optimizer)
    c.extra.push_back({cat(baseline_prefix, "optimizer.", t.name), t.tensor});
  for (const auto& [name, state] : other.generators) c.generators[baseline_prefix + name] = state;
  return c;
}

void Learner::restore(const Checkpoint& c) {
  fovea::Learner::restore(c);
  const auto state = [&](const char* name) -> const Generator::State& {
    const auto at = c.generators.find(name);
    require(at != c.generators.end(), "bert", "the checkpoint has no random state named ", name);
    return at->second;
  };
  if (!streams_.empty()) {
    streams_[0].set_state(state("text"));
    masks_.set_state(state("masks"));
  }
  if (!baseline_) return;
  Checkpoint other{.step = c.step, .meta = baseline_->settings_json()};
  for (const NamedTensor& t : c.extra)
    for (const auto& [part, to] : {std::pair{"model.", &other.model}, {"optimizer.", &other.optimizer}})
      if (const std::string prefix = cat(baseline_prefix, part); t.name.starts_with(prefix))
        to->push_back({t.name.substr(prefix.size()), t.tensor});
  for (const auto& [name, s] : c.generators)
    if (name.starts_with(baseline_prefix)) other.generators[name.substr(std::strlen(baseline_prefix))] = s;
  baseline_->restore(other);
}

void Learner::load(const std::vector<NamedTensor>& tensors) {
  load_tensors(model_, tensors, true, "the checkpoint");
}

}  // namespace fovea::bert
