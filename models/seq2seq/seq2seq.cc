#include "fovea/models/seq2seq/seq2seq.h"

#include "fovea/models/training/settings.h"
#include "fovea/ops/compare.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"
#include "fovea/ops/estimators.h"
#include "fovea/ops/join.h"
#include "fovea/ops/linear_cross_entropy.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"

namespace fovea::seq2seq {
namespace {

constexpr double baseline_decay = 0.9;

enum class Net { rnnsearch, luong };
constexpr Choices<Net> nets = {{"rnnsearch", Net::rnnsearch}, {"luong", Net::luong}};

std::variant<RnnSearch, Luong> make_net(const Options& o, Generator& random) {
  if (chosen("seq2seq", "net", o.net, nets) == Net::rnnsearch) return RnnSearch(o, random);
  return Luong(o, random);
}

// Small embeddings: those of variance 1 saturate gates and scores.
Embedding make_embedding(Index words, const Options& o, Generator& random) {
  Embedding e({.num_embeddings = words, .embedding_dim = o.embedding, .dtype = o.dtype}, random);
  init::uniform(e.weight, random, -0.1, 0.1);
  return e;
}

}  // namespace

std::vector<std::string> net_names() { return words_of(nets); }

Seq2Seq::Seq2Seq(const Options& o, Generator& random)
    : source(make_embedding(o.source_words, o, random)),
      target(make_embedding(o.target_words, o, random)),
      net(make_net(o, random)),
      dropout{o.dropout, {}},
      options(o) {
  const Index features = std::visit([](const auto& n) { return n.features(); }, net);
  out = Linear({.in_features = features, .out_features = o.target_words, .dtype = o.dtype}, random);
  if (o.attention == "hard") baseline = zeros({1}, o.dtype);
}

State Seq2Seq::encode(const Tensor& ids, const Tensor& keep, const Tensor& lengths) const {
  require(ids.rank() == 2 && keep.shape() == ids.shape(), "seq2seq", "source ", ids.shape(), " and keep ",
          keep.shape(), " must both be [B,S]");
  const Tensor x = dropout.forward(source.forward(ids));
  return std::visit([&](const auto& n) { return n.encode(x, keep, lengths); }, net);
}

Step Seq2Seq::step(const Tensor& y, State& state) const {
  const Tensor x = target.forward(y);
  return std::visit([&](const auto& n) { return n.step(x, state); }, net);
}

Seq2Seq::Taught Seq2Seq::taught(const TokenBatch& batch, std::vector<Step>* steps) const {
  const Index B = batch.input.size(0), T = batch.input.size(1);
  State state = encode(batch.source, batch.source_keep, batch.source_lengths);
  // Time first, so that a step's words and features are rows of one matrix.
  const Tensor words = contiguous(transpose(batch.input, 0, 1));
  const Tensor x = dropout.forward(target.forward(reshape(words, {T * B})));
  const std::vector<Tensor> inputs = split(x, T, 0);
  std::vector<Tensor> features, draws;
  for (const Tensor& y : inputs) {
    const Step step = std::visit([&](const auto& n) { return n.step(y, state); }, net);
    features.push_back(step.features);
    if (step.log_prob.defined()) draws.push_back(step.log_prob);
    if (steps) steps->push_back(step);
  }
  Taught result{
      dropout.forward(concat(features, 0)), reshape(contiguous(transpose(batch.output, 0, 1)), {T * B}), {}};
  if (!draws.empty()) result.log_probs = stack(draws, 1);
  return result;
}

Tensor Seq2Seq::losses(const Taught& t) const {
  return softmax_cross_entropy(out.forward(t.features), t.classes,
                               {.ignore_index = options.pad, .reduction = Reduction::none});
}

Tensor Seq2Seq::loss(const TokenBatch& batch, std::vector<Step>* steps) {
  const Taught t = taught(batch, steps);
  if (!t.log_probs.defined() || !dropout.mode.training)
    return linear_cross_entropy(t.features, out.weight, out.bias, t.classes, {.ignore_index = options.pad});
  const Tensor losses = this->losses(t);
  const Tensor keep = cast(batch.target_keep, losses.dtype()), tokens = sum(keep);
  const Tensor cost = sum(losses) / tokens;
  // The reward of a look is ln p of the words from its step on: those before do not depend on it. It is held
  // against the usual ln p of so many words. Padding has no words, and its looks do not count.
  const Index B = batch.input.size(0), T = batch.input.size(1);
  const Tensor log_p = neg(transpose(reshape(losses.detach(), {T, B}), 0, 1));
  const Tensor step = arange(T, log_p.dtype(), log_p.device());
  const Tensor later =
      cast(greater_equal(unsqueeze(step, 1), step), log_p.dtype());  // [u][t] = 1 where u >= t
  const Tensor usual = matmul(keep, later) * baseline;
  const Tensor looks =
      sum(keep * reinforce_loss(t.log_probs, matmul(log_p, later), usual, Reduction::none)) / tokens;
  assign(baseline, baseline * baseline_decay - cost.detach() * (1 - baseline_decay));
  // The value stays the cost: only the gradient of the looks is wanted.
  return cost + (looks - looks.detach());
}

Tensor Seq2Seq::log_probs(const TokenBatch& batch) const {
  const Index B = batch.input.size(0), T = batch.input.size(1);
  return contiguous(neg(transpose(reshape(losses(taught(batch, nullptr)), {T, B}), 0, 1)));
}

Writer Seq2Seq::writer(State& state, std::vector<Step>* steps) const {
  return {[this, &state, steps](const Tensor& last) {
            const Step s = step(to(last, out.weight.device()), state);
            if (steps) steps->push_back(s);
            return log_softmax(out.forward(s.features));
          },
          [this, &state](const Tensor& numbers) { state = state.rows(to(numbers, out.weight.device())); }};
}

void Seq2Seq::each(Visitor& v) {
  v("source", source);
  v("target", target);
  std::visit([&](auto& n) { n.each(v); }, net);
  dropout.each(v);
  v("out", out);
  v.buffer("baseline", baseline);
}

}  // namespace fovea::seq2seq
