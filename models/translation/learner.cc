#include "fovea/models/translation/learner.h"

#include <algorithm>
#include <iterator>

#include "fovea/core/tape.h"
#include "fovea/models/data/labelled_images.h"
#include "fovea/models/training/metrics.h"
#include "fovea/ops/create.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"

namespace fovea {
namespace {

constexpr auto average_prefix = "average.", average_count = "averaged";

void check_ids(const TokenPairs& pairs, const TranslationTask& task, const char* name) {
  const auto within = [&](const std::vector<TokenIds>& side, Index words, const char* which) {
    for (const TokenIds& ids : side)
      for (const std::int32_t id : ids)
        require(id >= 0 && id < words, task.model.c_str(), name, "'s ", which, " has the id ", id,
                "; the vocabulary has ", words);
  };
  within(pairs.source, task.source_words, "source");
  within(pairs.target, task.target_words, "target");
}

Index most_words(const TokenIds& sentence) { return 2 * static_cast<Index>(sentence.size()) + 10; }

}  // namespace

TokenBatchesOptions batch_options(const TranslationTask& task, Index batch_size) {
  const Index longest = task.most_length + 1;
  // Without a limit of tokens, as many sentences as asked for, however long.
  return {.tokens = task.tokens > 0 ? task.tokens : batch_size * (longest + task.pad_to),
          .most_sentences = batch_size,
          .most_length = longest,
          .pad_to = task.pad_to};
}

TranslationLearner::TranslationLearner(const TrainingSettings& settings, const TranslationTask& task,
                                       std::vector<NamedTensor> about_words)
    : Learner(settings),
      task_(task),
      batch_size_(settings.batch_size),
      last_step_(settings.steps),
      about_words_(std::move(about_words)) {}

void TranslationLearner::learn_from(TokenPairs train, TokenPairs validation) {
  check_ids(train, task_, "training");
  if (!train.source.empty())
    batches_.emplace(std::move(train), batch_options(task_, batch_size_), data_.fork(1));
  if (!validation.source.empty()) validate_with(std::move(validation));
  if (task_.averages > 0) average_.emplace(optimizer().parameters(), AverageWeights::equal);
}

double TranslationLearner::epochs() const {
  return batches_ ? static_cast<double>(steps()) / static_cast<double>(batches_->batches_in_epoch()) : 0;
}

double TranslationLearner::step() {
  require(!averages_used_, task_.model.c_str(),
          "the mean of the weights is in use; call use_averages(false) before step()");
  const double cost = Learner::step();
  if (!average_) return cost;
  // Moments are counted from the end of the run, so that the last is its end.
  const Index left = last_step_ - steps();
  if (left < 0 || left % task_.average_every != 0 || left / task_.average_every >= task_.averages)
    return cost;
  // A run that was made longer averages anew.
  if (left / task_.average_every == task_.averages - 1 || average_->count() >= task_.averages)
    average_->set_count(0);
  average_->update();
  return cost;
}

Batch TranslationLearner::draw() {
  require(batches_.has_value(), task_.model.c_str(), "there are no sentences to learn from");
  next_ = batches_->next();
  if (task_.pad_to > 1)
    return {next_.source, next_.source_lengths, next_.source_keep,
            next_.input,  next_.output,         next_.target_keep};
  // There are hundreds of shapes; and lengths stay on the host, which skips what has ended.
  next_ = to(next_, device());
  return {};
}

Tensor TranslationLearner::cost(const Batch& batch) {
  if (batch.empty()) return loss(next_, true);
  TokenBatch there{.source = batch[0],
                   .source_lengths = batch[1],
                   .source_keep = batch[2],
                   .input = batch[3],
                   .output = batch[4],
                   .target_lengths = {},
                   .target_keep = batch[5],
                   .target_tokens = 0,
                   .indices = {}};
  return loss(there, true);
}

Checkpoint TranslationLearner::checkpoint() {
  Checkpoint c = Learner::checkpoint();
  if (batches_) c.generators["order"] = batches_->state();
  c.extra = about_words_;
  if (averaged() == 0) return c;
  for (const NamedTensor& t : average_->state()) c.extra.push_back({average_prefix + t.name, t.tensor});
  c.extra.push_back({average_count, full({1}, static_cast<double>(averaged()), DType::i32)});
  return c;
}

void TranslationLearner::restore(const Checkpoint& c) {
  Learner::restore(c);
  if (average_) {
    std::vector<NamedTensor> means;
    Index count = 0;
    for (const NamedTensor& t : c.extra)
      if (t.name == average_count)
        count = t.tensor.item<std::int32_t>();
      else if (t.name.starts_with(average_prefix))
        means.push_back({t.name.substr(std::char_traits<char>::length(average_prefix)), t.tensor});
    if (count > 0) average_->load_state(means);
    average_->set_count(count);
  }
  if (!batches_) return;
  const auto order = c.generators.find("order");
  require(order != c.generators.end(), task_.model.c_str(), "the checkpoint has no random state named order");
  batches_->set_state(order->second);
}

void TranslationLearner::use_averages(bool use) {
  if (averaged() == 0 || use == averages_used_) return;
  average_->swap();
  averages_used_ = use;
}

void TranslationLearner::validate_with(TokenPairs pairs) {
  check_ids(pairs, task_, "validation");
  TokenBatchesOptions options = batch_options(task_, batch_size_);
  options.shuffle = false;
  validation_ = TokenBatches(std::move(pairs), options, data_.fork(2)).all();
}

double TranslationLearner::validate() {
  require(!validation_.empty(), task_.model.c_str(), "there are no sentences to validate with");
  Mean mean;
  for (const TokenBatch& batch : validation_)
    mean.add(loss(to(batch, device()), false).item<double>(), static_cast<double>(batch.target_tokens));
  return mean.value();
}

void TranslationLearner::check(const TokenIds& sentence) const {
  require(!sentence.empty(), task_.model.c_str(), "a sentence is empty");
  for (const std::int32_t id : sentence)
    require(id >= 0 && id < task_.source_words, task_.model.c_str(), "the id ", id,
            " is not in the vocabulary of ", task_.source_words);
}

std::vector<Written> TranslationLearner::translate(const std::vector<TokenIds>& sentences, Index beam,
                                                   double length_penalty) {
  constexpr std::size_t at_once = 64;
  for (const TokenIds& ids : sentences) check(ids);
  const TokenPairs pairs{sentences, sentences};
  // Those of about equal length together.
  std::vector<Index> order = every_index(std::ssize(sentences));
  const auto sentence = [&](Index i) -> const TokenIds& { return sentences[static_cast<std::size_t>(i)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return sentence(a).size() < sentence(b).size(); });
  std::vector<Written> out(sentences.size());
  for (std::size_t from = 0; from < order.size(); from += at_once) {
    const auto part = std::span(order).subspan(from, std::min(at_once, order.size() - from));
    BeamOptions options;
    options.beam = beam;
    options.length_penalty = length_penalty;
    for (const Index i : part) options.most.push_back(most_words(sentence(i)));
    const Writer w = writer(to(make_token_batch(pairs, part), device()), options.most.back());
    std::vector<Written> written = beam > 1 ? beam_search(w, options) : write_greedily(w, options);
    for (std::size_t k = 0; k < part.size(); ++k)
      out[static_cast<std::size_t>(part[k])] = std::move(written[k]);
  }
  return out;
}

TokenBatch TranslationLearner::batch_of(const TokenIds& sentence, const Written& written) const {
  check(sentence);
  const std::vector<Index> first{0};
  return to(make_token_batch({{sentence}, {written.ids}}, first), device());
}

std::vector<float> TranslationLearner::middles(const TokenIds& sentence, const Written& written) {
  std::vector<Tensor> all = windows(batch_of(sentence, written));
  to_host(all);
  if (all.empty()) return {};
  const auto values = all[0].values<float>();
  return {values.begin(), values.end() - (written.ended ? 0 : 1)};
}

std::vector<Tensor> TranslationLearner::look(const TokenIds& sentence, const Written& w) {
  std::vector<Tensor> maps = this->maps(batch_of(sentence, w));
  to_host(maps);
  // Cut at the greatest length, it has written no end.
  if (!w.ended)
    for (Tensor& map : maps) map = slice(map, 0, 0, static_cast<Index>(w.ids.size()));
  return maps;
}

TranslationLearner::Looked TranslationLearner::look(const TokenIds& sentence) {
  Looked looked{translate({sentence})[0]};
  looked.maps = look(sentence, looked.written);
  return looked;
}

Tensor TranslationLearner::gradients(const TokenIds& sentence, const Written& written) {
  check(sentence);
  // The sentence once for every word written, of which alone that copy's cost is made; and every word read,
  // of every copy, with a vector of its own, so that one sweep gives all gradients apart.
  const std::size_t copies = written.ids.size() + 1;
  TokenBatch batch = make_token_batch({std::vector(copies, sentence), std::vector(copies, written.ids)},
                                      every_index(static_cast<Index>(copies)));
  const Index T = batch.output.size(1), S = batch.source.size(1);
  auto* wanted = batch.output.mutable_data<std::int32_t>();
  for (Index copy = 0; copy < T; ++copy)
    for (Index t = 0; t < T; ++t)
      if (t != copy) wanted[copy * T + t] = TokenBatchesOptions{}.pad;

  struct Exchange {  // of the vectors, and back
    TranslationLearner& learner;
    Parameter own;
    ~Exchange() {
      learner.source_embedding().weight = own;
      learner.optimizer().parameters().zero_gradients();
    }
  } exchange{*this, source_embedding().weight};
  Parameter apart(index_select(exchange.own.detach(), 0, here(reshape(batch.source, {T * S}))));
  source_embedding().weight = apart;
  batch.source = reshape(arange(T * S), {T, S});
  Tape tape;
  tape.backward(loss(to(batch, device()), false));
  // The cost is a mean of T words.
  const Tensor lengths = norm(apart.grad(), -1) * static_cast<double>(T);
  const Tensor map = to(cast(reshape(lengths, {T, S}), DType::f32), Cpu{});
  return written.ended ? map : contiguous(slice(map, 0, 0, T - 1));
}

}  // namespace fovea
