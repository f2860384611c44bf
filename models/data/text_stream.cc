#include "fovea/models/data/text_stream.h"

#include <algorithm>

namespace fovea {
TextStream::TextStream(std::vector<std::int32_t> ids, const TextStreamOptions& options,
                       const Generator& random)
    : ids_(std::move(ids)), options_(options), random_(random) {
  require(options.batch_size >= 1 && options.length >= 1, "text_stream", "a batch of ", options.batch_size,
          " windows of ", options.length, " tokens is none");
  require(size() > options.length, "text_stream", "a text of ", size(), " tokens has no window of ",
          options.length, " and the token after it; take a longer text or shorter windows");
  require(size() <= 0xffffffff, "text_stream", size(), " tokens are more than 2^32 - 1");
  for (std::size_t i = 0; i < ids_.size(); ++i)
    require(ids_[i] >= 0, "text_stream", "token ", i, " is ", ids_[i]);
}

TextWindows TextStream::next() {
  std::vector<Index> starts(static_cast<std::size_t>(options_.batch_size));
  for (Index& s : starts) s = random_.below(static_cast<std::uint32_t>(size() - options_.length));
  return at(starts);
}

Index TextStream::windows() const { return (size() - 1) / options_.length; }

TextWindows TextStream::consecutive(Index first, Index count) const {
  require(first >= 0 && count >= 0 && first <= windows() && count <= windows() - first, "text_stream",
          "windows ", first, " to ", first + count - 1, " are not all among ", windows());
  std::vector<Index> starts(static_cast<std::size_t>(count));
  for (Index& s : starts) s = first++ * options_.length;
  return at(starts);
}

TextWindows TextStream::at(const std::vector<Index>& starts) const {
  const Index length = options_.length;
  const Shape shape{static_cast<Index>(starts.size()), length};
  TextWindows out{Tensor::empty(shape, DType::i32), Tensor::empty(shape, DType::i32)};
  auto* x = out.x.mutable_data<std::int32_t>();
  auto* y = out.y.mutable_data<std::int32_t>();
  for (const Index start : starts) {
    x = std::copy_n(ids_.data() + start, length, x);
    y = std::copy_n(ids_.data() + start + 1, length, y);
  }
  return out;
}

std::pair<std::vector<std::int32_t>, std::vector<std::int32_t>> cut_text(const std::vector<std::int32_t>& ids,
                                                                         double part) {
  const auto size = static_cast<double>(ids.size());
  const auto first = static_cast<std::ptrdiff_t>(part * size);
  require(first >= 1 && first < static_cast<std::ptrdiff_t>(ids.size()), "text_stream", ids.size(),
          " tokens cannot be cut at ", part, " of them");
  return {{ids.begin(), ids.begin() + first}, {ids.begin() + first, ids.end()}};
}

}  // namespace fovea
