#include "fovea/models/seq2seq/learner.h"

#include <algorithm>
#include <numeric>

#include "fovea/models/layers/weights_file.h"
#include "fovea/models/training/metrics.h"
#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"

namespace fovea::seq2seq {
namespace {

constexpr auto op = "seq2seq";

TokenBatchesOptions batch_options(const Settings& s) {
  // As many sentences as asked for, however long.
  return {.tokens = s.batch_size * (s.most_length + 1),
          .most_sentences = s.batch_size,
          .most_length = s.most_length + 1};
}

Seq2Seq make_model(const Settings& s, Generator random) { return Seq2Seq(options_of(s), random); }

void check(const Settings& s, const TokenPairs& pairs, const char* name) {
  const auto within = [&](const std::vector<TokenIds>& side, Index words, const char* which) {
    for (const TokenIds& ids : side)
      for (const std::int32_t id : ids)
        require(id >= 0 && id < words, op, name, "'s ", which, " has the id ", id, "; the vocabulary has ",
                words);
  };
  within(pairs.source, s.source_words, "source");
  within(pairs.target, s.target_words, "target");
}

}  // namespace

Learner::Learner(const Settings& settings, TokenPairs train, TokenPairs validation,
                 std::vector<NamedTensor> about_words)
    : fovea::Learner(settings),
      settings_(settings),
      model_(make_model(settings, Generator(settings.seed).fork(weights_stream))),
      about_words_(std::move(about_words)) {
  start(flatten(model_));
  check(settings, train, "training");
  check(settings, validation, "validation");
  TokenBatchesOptions options = batch_options(settings);
  if (!train.source.empty()) batches_.emplace(std::move(train), options, data_.fork(1));
  options.shuffle = false;
  if (!validation.source.empty())
    validation_ = TokenBatches(std::move(validation), options, data_.fork(2)).all();
}

double Learner::epochs() const {
  return batches_ ? static_cast<double>(steps()) / static_cast<double>(batches_->batches_in_epoch()) : 0;
}

double Learner::step() {
  training_mode(model_, data_);
  const double cost = fovea::Learner::step();
  evaluation_mode(model_);
  return cost;
}

Tensor Learner::cost() {
  require(batches_.has_value(), op, "there are no sentences to learn from");
  return model_.loss(batches_->next());
}

Checkpoint Learner::checkpoint() {
  Checkpoint c = fovea::Learner::checkpoint();
  if (batches_) c.generators["order"] = batches_->state();
  c.extra = about_words_;
  return c;
}

void Learner::restore(const Checkpoint& c) {
  fovea::Learner::restore(c);
  const auto order = c.generators.find("order");
  if (!batches_) return;
  require(order != c.generators.end(), op, "the checkpoint has no random state named order");
  batches_->set_state(order->second);
}

double Learner::validate() {
  require(!validation_.empty(), op, "there are no sentences to validate with");
  Mean mean;
  for (const TokenBatch& batch : validation_)
    mean.add(model_.loss(batch).item<double>(), static_cast<double>(batch.target_tokens));
  return mean.value();
}

std::vector<Written> Learner::translate(const std::vector<TokenIds>& sentences, Index beam,
                                        double length_penalty) {
  const TokenPairs pairs{sentences, sentences};
  for (const TokenIds& ids : sentences) {
    require(!ids.empty(), op, "a sentence is empty");
    for (const std::int32_t id : ids)
      require(id >= 0 && id < settings_.source_words, op, "the id ", id, " is not in the vocabulary of ",
              settings_.source_words);
  }
  // Those of about equal length together.
  std::vector<Index> order(sentences.size());
  std::iota(order.begin(), order.end(), Index{0});
  const auto length = [&](Index i) {
    return static_cast<Index>(sentences[static_cast<std::size_t>(i)].size());
  };
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return length(a) < length(b); });
  std::vector<Written> out(sentences.size());
  const auto batch_size = static_cast<std::size_t>(std::max<Index>(settings_.batch_size, 1));
  for (std::size_t from = 0; from < order.size(); from += batch_size) {
    const auto part = std::span(order).subspan(from, std::min(batch_size, order.size() - from));
    const TokenBatch batch = make_token_batch(pairs, part);
    State state = model_.encode(batch.source, batch.source_keep, batch.source_lengths);
    BeamOptions options;
    options.beam = beam;
    options.length_penalty = length_penalty;
    for (const Index i : part) options.most.push_back(2 * length(i) + 10);
    const Writer writer = model_.writer(state);
    std::vector<Written> written = beam > 1 ? beam_search(writer, options) : write_greedily(writer, options);
    for (std::size_t k = 0; k < part.size(); ++k)
      out[static_cast<std::size_t>(part[k])] = std::move(written[k]);
  }
  return out;
}

Learner::Looked Learner::look(const TokenIds& sentence) {
  const std::vector<Index> first{0};
  const TokenBatch batch = make_token_batch({{sentence}, {sentence}}, first);
  State state = model_.encode(batch.source, batch.source_keep, batch.source_lengths);
  Weights weights;
  WriteOptions options;
  options.most = {2 * static_cast<Index>(sentence.size()) + 10};
  Looked looked;
  looked.written = write_greedily(model_.writer(state, &weights), options)[0];
  if (!weights[0].defined()) return looked;
  weights.resize(looked.written.ids.size() + (looked.written.ended ? 1 : 0));
  looked.weights = weights.empty() ? zeros({0, batch.source.size(1)}) : concat(weights, 0);
  return looked;
}

std::vector<NamedTensor> Learner::tensors() { return named_tensors(model_); }

void Learner::load(const std::vector<NamedTensor>& tensors) {
  load_tensors(model_, tensors, true, "the checkpoint");
}

}  // namespace fovea::seq2seq
