#include "fovea/models/seq2seq/learner.h"

#include <memory>

#include "fovea/models/layers/weights_file.h"
#include "fovea/ops/join.h"

namespace fovea::seq2seq {
namespace {

Seq2Seq make_model(const Settings& s, Generator random) { return Seq2Seq(options_of(s), random); }

}  // namespace

Learner::Learner(const Settings& settings, TokenPairs train, TokenPairs validation,
                 std::vector<NamedTensor> about_words)
    : TranslationLearner(settings, settings, std::move(about_words)),
      settings_(settings),
      model_(make_model(settings, Generator(settings.seed).fork(weights_stream))) {
  start(model_, std::move(train), std::move(validation));
}

Tensor Learner::loss(const TokenBatch& batch, bool training) {
  if (!training) return model_.loss(batch);
  training_mode(model_, data_);
  const Tensor loss = model_.loss(batch);
  evaluation_mode(model_);
  return loss;
}

Writer Learner::writer(const TokenBatch& batch, Index) {
  const auto state =
      std::make_shared<State>(model_.encode(batch.source, batch.source_keep, batch.source_lengths));
  Writer writer = model_.writer(*state);
  return {[state, next = writer.next](const Tensor& last) { return next(last); }, writer.keep_rows};
}

std::vector<Tensor> Learner::maps(const TokenBatch& batch) { return all(batch, &Step::weights); }

std::vector<Tensor> Learner::windows(const TokenBatch& batch) { return all(batch, &Step::middle); }

std::vector<Tensor> Learner::all(const TokenBatch& batch, Tensor Step::*part) {
  std::vector<Step> steps;
  model_.loss(batch, &steps);
  std::vector<Tensor> parts;
  for (const Step& step : steps)
    if ((step.*part).defined()) parts.push_back(step.*part);
  if (parts.empty()) return {};
  return {concat(parts, 0)};
}

std::vector<NamedTensor> Learner::tensors() { return named_tensors(model_); }

void Learner::load(const std::vector<NamedTensor>& tensors) {
  load_tensors(model_, tensors, true, "the checkpoint");
}

}  // namespace fovea::seq2seq
