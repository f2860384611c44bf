#include "fovea/models/data/token_batches.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "fovea/models/data/labelled_images.h"
#include "fovea/ops/create.h"

namespace fovea {
namespace {

Index length(const TokenIds& ids) { return static_cast<Index>(ids.size()); }

Index source_length(const TokenPairs& pairs, Index i, const TokenBatchesOptions& options) {
  return length(pairs.source[static_cast<std::size_t>(i)]) + (options.end_source ? 1 : 0);
}
Index target_length(const TokenPairs& pairs, Index i) {
  return length(pairs.target[static_cast<std::size_t>(i)]) + 1;
}
Index padded(Index n, const TokenBatchesOptions& options) {
  return (n + options.pad_to - 1) / options.pad_to * options.pad_to;
}
/// How much room pair i takes: the longer of its sides.
Index room(const TokenPairs& pairs, Index i, const TokenBatchesOptions& options) {
  return padded(std::max(source_length(pairs, i, options), target_length(pairs, i)), options);
}

void check(const TokenPairs& pairs, const TokenBatchesOptions& options) {
  require(pairs.source.size() == pairs.target.size(), "token_batches", pairs.source.size(), " sources and ",
          pairs.target.size(), " targets do not pair");
  require(options.most_sentences >= 0, "token_batches", "most_sentences is ", options.most_sentences);
  require(options.pad_to >= 1, "token_batches", "pad_to is ", options.pad_to, "; it must be at least 1");
  for (Index i = 0; i < static_cast<Index>(pairs.source.size()); ++i) {
    for (const TokenIds* side :
         {&pairs.source[static_cast<std::size_t>(i)], &pairs.target[static_cast<std::size_t>(i)]}) {
      const char* name = side == &pairs.source[static_cast<std::size_t>(i)] ? "source" : "target";
      require(!side->empty(), "token_batches", name, " ", i, " is empty");
      for (const std::int32_t id : *side)
        require(id >= 0, "token_batches", name, " ", i, " has an id of ", id);
    }
    const Index longer = std::max(source_length(pairs, i, options), target_length(pairs, i));
    const auto refuse = [&](Index length, const char* of, Index most, const char* limit) {
      require(length <= most, "token_batches", "pair ", i, " has ", length, of, ", more than ", most,
              "; leave it out or raise ", limit);
    };
    refuse(longer, " tokens with its end", options.most_length, "most_length");
    refuse(room(pairs, i, options), options.pad_to > 1 ? " tokens when it is padded" : " tokens with its end",
           options.tokens, "tokens");
  }
}

/// Rows of i32, padded behind; and which of it is no padding.
struct Padded {
  Padded(Index rows, Index columns, std::int32_t pad)
      : ids(Tensor::empty({rows, columns}, DType::i32)),
        keep(Tensor::empty({rows, columns}, DType::u8)),
        lengths(Tensor::empty({rows}, DType::i32)) {
    std::fill_n(ids.mutable_data<std::int32_t>(), rows * columns, pad);
    std::fill_n(keep.mutable_data<std::uint8_t>(), rows * columns, std::uint8_t{0});
  }
  void set(Index row, Index count) {
    std::fill_n(keep.mutable_data<std::uint8_t>() + row * keep.size(1), count, std::uint8_t{1});
    lengths.mutable_data<std::int32_t>()[row] = static_cast<std::int32_t>(count);
  }
  Tensor ids, keep, lengths;
};

}  // namespace

TokenBatch make_token_batch(const TokenPairs& pairs, std::span<const Index> indices,
                            const TokenBatchesOptions& options) {
  Index most_source = 0, most_target = 0;
  for (const Index i : indices) {
    require(i >= 0 && i < static_cast<Index>(pairs.source.size()), "token_batches", "there is no pair ", i,
            " among ", pairs.source.size());
    most_source = std::max(most_source, source_length(pairs, i, options));
    most_target = std::max(most_target, target_length(pairs, i));
  }
  most_source = padded(most_source, options);
  most_target = padded(most_target, options);
  const auto rows = static_cast<Index>(indices.size());
  Padded source(rows, most_source, options.pad), input(rows, most_target, options.pad);
  Tensor output = Tensor::empty({rows, most_target}, DType::i32);
  std::fill_n(output.mutable_data<std::int32_t>(), output.numel(), options.pad);
  TokenBatch batch;
  batch.target_tokens = 0;
  for (Index row = 0; row < rows; ++row) {
    const auto i = indices[static_cast<std::size_t>(row)];
    const TokenIds& x = pairs.source[static_cast<std::size_t>(i)];
    const TokenIds& y = pairs.target[static_cast<std::size_t>(i)];
    auto* in = source.ids.mutable_data<std::int32_t>() + row * most_source;
    in = std::copy(x.begin(), x.end(), in);
    if (options.end_source) *in = options.end;
    auto* shifted = input.ids.mutable_data<std::int32_t>() + row * most_target;
    *shifted = options.begin;
    std::copy(y.begin(), y.end(), shifted + 1);
    auto* out = output.mutable_data<std::int32_t>() + row * most_target;
    *std::copy(y.begin(), y.end(), out) = options.end;
    source.set(row, source_length(pairs, i, options));
    input.set(row, target_length(pairs, i));
    batch.target_tokens += target_length(pairs, i);
  }
  batch.source = source.ids;
  batch.source_lengths = source.lengths;
  batch.source_keep = source.keep;
  batch.input = input.ids;
  batch.output = output;
  batch.target_lengths = input.lengths;
  batch.target_keep = input.keep;
  batch.indices.assign(indices.begin(), indices.end());
  return batch;
}

TokenBatch to(TokenBatch batch, const Device& device) {
  for (Tensor* t : {&batch.source, &batch.source_keep, &batch.input, &batch.output, &batch.target_keep})
    *t = to(*t, device);
  return batch;
}

TokenBatches::TokenBatches(TokenPairs pairs, const TokenBatchesOptions& options, const Generator& random)
    : pairs_(std::move(pairs)), options_(options), random_(random) {
  require(!pairs_.source.empty(), "token_batches", "there are no pairs");
  require(pairs_.source.size() <= 0xffffffff, "token_batches", pairs_.source.size(),
          " pairs are more than 2^32 - 1");
  check(pairs_, options_);
  start_epoch(0);
}

TokenBatches::Plan TokenBatches::plan(std::vector<Index> order) const {
  // Where lengths are padded, all that a batch's shape follows from: then every epoch has the same ones.
  const auto key = [&](Index i) {
    return std::tuple(room(pairs_, i, options_), padded(source_length(pairs_, i, options_), options_),
                      options_.pad_to > 1 ? padded(target_length(pairs_, i), options_) : 0);
  };
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return key(a) < key(b); });
  Plan batches;
  for (const Index i : order) {
    // Sorted, so the newest pair is the longest of its batch.
    const Index count = batches.empty() ? 0 : static_cast<Index>(batches.back().size()) + 1;
    const bool full = count * room(pairs_, i, options_) > options_.tokens ||
                      (options_.most_sentences > 0 && count > options_.most_sentences);
    if (batches.empty() || full) batches.emplace_back();
    batches.back().push_back(i);
  }
  return batches;
}

void TokenBatches::start_epoch(Index epoch) {
  epoch_ = epoch;
  position_ = 0;
  std::vector<Index> order = every_index(static_cast<Index>(pairs_.source.size()));
  if (!options_.shuffle) {
    plan_ = plan(std::move(order));
    return;
  }
  Generator own = random_.fork(static_cast<std::uint64_t>(epoch));
  const auto shuffle = [&](auto& items) {  // Fisher and Yates
    for (std::size_t left = items.size(); left > 1; --left)
      std::swap(items[left - 1], items[own.below(static_cast<std::uint32_t>(left))]);
  };
  shuffle(order);
  plan_ = plan(std::move(order));
  shuffle(plan_);
}

TokenBatch TokenBatches::next() {
  TokenBatch out = make_token_batch(pairs_, plan_[static_cast<std::size_t>(position_)], options_);
  if (++position_ == batches_in_epoch()) start_epoch(epoch_ + 1);
  return out;
}

Index TokenBatches::batches_in_epoch() const { return static_cast<Index>(plan_.size()); }

Generator::State TokenBatches::state() const {
  return {random_.state().seed, random_.state().stream,
          static_cast<std::uint64_t>(epoch_) << 32 | static_cast<std::uint64_t>(position_)};
}

void TokenBatches::set_state(const Generator::State& state) {
  TokenBatches other = *this;  // stays as it is if this throws
  other.random_ = Generator(state.seed, state.stream);
  other.start_epoch(static_cast<Index>(state.offset >> 32));
  const auto position = static_cast<Index>(state.offset & 0xffffffff);
  require(position < other.batches_in_epoch(), "token_batches", "there is no batch ", position, " in epoch ",
          other.epoch_, ", which has ", other.batches_in_epoch(), "; the state is of other pairs or options");
  other.position_ = position;
  *this = std::move(other);
}

std::vector<TokenBatch> TokenBatches::all() const {
  std::vector<TokenBatch> out;
  for (const auto& indices : plan(every_index(static_cast<Index>(pairs_.source.size()))))
    out.push_back(make_token_batch(pairs_, indices, options_));
  return out;
}

}  // namespace fovea
