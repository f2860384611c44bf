#include "fovea/models/transformer/learner.h"

#include <memory>

#include "fovea/models/layers/weights_file.h"
#include "fovea/ops/views.h"

namespace fovea::transformer {
namespace {

Transformer make_model(const Settings& s, Generator random) { return Transformer(options_of(s), random); }

}  // namespace

Learner::Learner(const Settings& settings, TokenPairs train, TokenPairs validation,
                 std::vector<NamedTensor> about_words)
    : TranslationLearner(settings, settings, std::move(about_words)),
      settings_(settings),
      model_(make_model(settings, Generator(settings.seed).fork(weights_stream))) {
  smoothing_named(settings.smoothing);
  start(model_, std::move(train), std::move(validation));
}

Tensor Learner::loss(const TokenBatch& batch, bool training) {
  if (!training) return model_.loss(batch);
  training_mode(model_, data_);
  const Options& o = model_.options;
  const Tensor loss = model_.loss(batch, smoothed(smoothing_named(settings_.smoothing),
                                                  settings_.label_smoothing, o.target_words, o.pad));
  evaluation_mode(model_);
  return loss;
}

Writer Learner::writer(const TokenBatch& batch, Index most) {
  const auto state = std::make_shared<State>(model_.start(batch.source, batch.source_keep, most));
  Writer writer = model_.writer(*state);
  return {[state, next = writer.next](const Tensor& last) { return next(last); }, writer.keep_rows};
}

std::vector<Tensor> Learner::maps(const TokenBatch& batch) {
  std::vector<Tensor> weights, maps;
  model_.decode(batch.input, model_.encode(batch.source, batch.source_keep), batch.source_keep, &weights);
  for (Index head = 0; head < settings_.heads; ++head)
    maps.push_back(contiguous(select(select(weights.back(), 0, 0), 0, head)));
  return maps;
}

std::vector<Tensor> Learner::self_attention(const TokenIds& sentence) {
  check(sentence);
  const std::vector<Index> first{0};
  const TokenBatch batch = to(make_token_batch({{sentence}, {sentence}}, first), device());
  std::vector<Tensor> weights;
  model_.encode(batch.source, batch.source_keep, &weights);
  to_host(weights);
  for (Tensor& w : weights) w = contiguous(select(w, 0, 0));
  return weights;
}

void Learner::load(const std::vector<NamedTensor>& tensors) {
  load_tensors(model_, tensors, true, "the checkpoint");
}

}  // namespace fovea::transformer
