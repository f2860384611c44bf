#include "fovea/models/stn/stn.h"

#include "fovea/ops/create.h"
#include "fovea/ops/join.h"

namespace fovea::stn {
namespace {

// `like` for maps of this size.
ConvNet::Options sized(ConvNet::Options like, Index channels, Index height, Index width) {
  like.channels = channels;
  like.height = height;
  like.width = width;
  return like;
}

}  // namespace

Stn::Stn(const Options& o, Generator& random) : options(o) {
  require(o.channels > 0 && o.height > 0 && o.width > 0 && o.size > 0 && o.classes > 0, "Stn",
          "channels, height, width, size and classes must be at least 1");
  ConvNet::Options rest = o.classifier;
  rest.outputs = o.classes;
  Index channels = o.channels, height = o.height, width = o.width;
  if (o.placement == Placement::features) {
    require(!rest.filters.empty(), "Stn", "a transformer behind the first convolution needs a convolution");
    ConvNet::Options first = sized(rest, channels, height, width);
    first.filters.resize(1);
    first.kernels.resize(1);
    first.outputs = 0;
    stem = ConvNet(first, random);
    rest.filters.erase(rest.filters.begin());
    rest.kernels.erase(rest.kernels.begin());
    channels = stem.channels;
    height = stem.height;
    width = stem.width;
  }
  const int count = o.placement == Placement::none                                          ? 0
                    : o.placement == Placement::chain || o.placement == Placement::parallel ? 2
                                                                                            : 1;
  for (int i = 0; i < count; ++i) {
    // In a chain the first keeps the size, so that the second has as much to look at.
    const bool keeps = o.placement == Placement::chain && i == 0;
    transformers.push_back(SpatialTransformer({.kind = o.kind,
                                               .height = keeps ? height : o.size,
                                               .width = keeps ? width : o.size,
                                               .localisation = sized(o.localisation, channels, height, width),
                                               .padding = o.padding},
                                              random));
  }
  if (o.placement == Placement::parallel) channels *= count;
  classifier = ConvNet(sized(rest, channels, o.size, o.size), random);
}

Stn::Look Stn::look(const Tensor& x) const {
  require(x.rank() == 4 && x.size(1) == options.channels && x.size(2) == options.height &&
              x.size(3) == options.width,
          "Stn", "x ", x.shape(), " must be [B,", options.channels, ",", options.height, ",", options.width,
          "]");
  Look look;
  if (options.placement == Placement::none) {
    const Tensor identity =
        SpatialTransformer::identity(SpatialTransformer::Kind::affine, x.dtype(), x.device());
    const Tensor still = expand(reshape(identity, {1, 2, 3}), {x.size(0), 2, 3});
    look.logits =
        classifier.forward(grid_sample(x, affine_grid(still, options.size, options.size, AlignCorners::yes)));
    return look;
  }
  const Tensor map = options.placement == Placement::features ? stem.forward(x) : x;
  std::vector<Tensor> seen;
  for (const SpatialTransformer& t : transformers) {
    const bool chained = options.placement == Placement::chain && !seen.empty();
    look.transformers.push_back(t.look(chained ? seen.back() : map));
    seen.push_back(look.transformers.back().output);
  }
  look.logits = classifier.forward(options.placement == Placement::parallel ? concat(seen, 1) : seen.back());
  return look;
}

Tensor Stn::penalty(const Look& look) const {
  Tensor sum = zeros({}, look.logits.dtype(), look.logits.device());
  for (std::size_t i = 0; i < transformers.size(); ++i)
    sum = sum + transformers[i].penalty(look.transformers[i].theta);
  return sum;
}

}  // namespace fovea::stn
