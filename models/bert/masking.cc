#include "fovea/models/bert/masking.h"

#include <algorithm>
#include <cmath>

#include "fovea/core/error.h"
#include "fovea/ops/create.h"
#include "fovea/ops/views.h"

namespace fovea::bert {
namespace {

void check_ids(const Tensor& ids) {
  require(ids.defined() && ids.rank() == 2 && ids.dtype() == DType::i32, "masking", "ids must be i32 [B,L]");
}

Tensor to_tensor(const std::vector<std::int32_t>& values) {
  return Tensor::from(std::span(values), {static_cast<Index>(values.size())});
}

}  // namespace

Masked mask_tokens(const Tensor& ids, const MaskingOptions& o, Generator& random) {
  check_ids(ids);
  require(o.share > 0 && o.share <= 1 && o.masked >= 0 && o.replaced >= 0 && o.masked + o.replaced <= 1,
          "masking", "share ", o.share, " must be in (0, 1], and masked ", o.masked, " and replaced ",
          o.replaced, " together at most 1");
  require(o.vocabulary > o.special.first, "masking", "a vocabulary of ", o.vocabulary,
          " has no ordinary tokens; they begin at ", o.special.first);
  const Index B = ids.size(0), L = ids.size(1);
  Masked out{clone(ids), {}, {}};
  auto* x = out.ids.mutable_data<std::int32_t>();
  std::vector<std::int32_t> places, targets, ordinary;
  for (Index b = 0; b < B; ++b, x += L) {
    ordinary.clear();
    for (Index i = 0; i < L; ++i)
      if (x[i] >= o.special.first) ordinary.push_back(static_cast<std::int32_t>(i));
    const auto all = static_cast<std::uint32_t>(ordinary.size());
    const auto n = static_cast<std::uint32_t>(std::lround(o.share * all));
    const std::uint32_t chosen = all == 0 ? 0 : std::max(n, 1u);
    for (std::uint32_t i = 0; i < chosen; ++i)  // Fisher and Yates, as far as needed
      std::swap(ordinary[i], ordinary[i + random.below(all - i)]);
    std::sort(ordinary.begin(), ordinary.begin() + chosen);
    for (std::uint32_t i = 0; i < chosen; ++i) {
      std::int32_t& token = x[ordinary[i]];
      places.push_back(static_cast<std::int32_t>(b * L) + ordinary[i]);
      targets.push_back(token);
      const auto fate = static_cast<double>(random.uniform());
      const std::uint32_t other = random.below(static_cast<std::uint32_t>(o.vocabulary - o.special.first));
      if (fate < o.masked)
        token = o.special.mask;
      else if (fate < o.masked + o.replaced)
        token = o.special.first + static_cast<std::int32_t>(other);
    }
  }
  out.places = to_tensor(places);
  out.targets = to_tensor(targets);
  return out;
}

Pairs single_texts(const Tensor& texts, const SpecialIds& special) {
  check_ids(texts);
  const Index B = texts.size(0), N = texts.size(1);
  const Tensor from = contiguous(texts);
  Pairs out{Tensor::empty({B, N + 2}, DType::i32)};
  const auto* x = from.data<std::int32_t>();
  auto* y = out.ids.mutable_data<std::int32_t>();
  for (Index b = 0; b < B; ++b, x += N) {
    *y++ = special.begin;
    y = std::copy_n(x, N, y);
    *y++ = special.end;
  }
  return out;
}

Pairs text_pairs(const Tensor& texts, const SpecialIds& special, Generator& random) {
  check_ids(texts);
  const Index B = texts.size(0), N = texts.size(1), first = N / 2;
  require(B >= 2 && N >= 2, "masking", "texts ", texts.shape(),
          " make no pairs; two texts of two tokens are the least");
  const Tensor from = contiguous(texts);
  Pairs out{Tensor::empty({B, N + 3}, DType::i32), Tensor::empty({B, N + 3}, DType::i32),
            Tensor::empty({B}, DType::i32)};
  const auto* x = from.data<std::int32_t>();
  auto *y = out.ids.mutable_data<std::int32_t>(), *kind = out.segments.mutable_data<std::int32_t>();
  for (Index b = 0; b < B; ++b) {
    const bool follows = random.below(2) == 1;
    const Index other = (b + 1 + random.below(static_cast<std::uint32_t>(B - 1))) % B;
    *y++ = special.begin;
    y = std::copy_n(x + b * N, first, y);
    *y++ = special.end;
    y = std::copy_n(x + (follows ? b : other) * N + first, N - first, y);
    *y++ = special.end;
    kind = std::fill_n(kind, first + 2, 0);
    kind = std::fill_n(kind, N - first + 1, 1);
    out.follows.mutable_data<std::int32_t>()[b] = follows ? 1 : 0;
  }
  return out;
}

}  // namespace fovea::bert
