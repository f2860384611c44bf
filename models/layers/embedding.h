#ifndef FOVEA_MODELS_LAYERS_EMBEDDING_H_
#define FOVEA_MODELS_LAYERS_EMBEDDING_H_

#include "fovea/models/layers/init.h"
#include "fovea/models/layers/module.h"
#include "fovea/ops/gather.h"

namespace fovea {

/// A learned vector for each of V ids: i32 ids of any shape -> ids' shape + (D). Starts as N(0, 1).
struct Embedding {
  struct Options {
    Index num_embeddings = 0;  ///< V
    Index embedding_dim = 0;   ///< D
    DType dtype = DType::f32;
  };

  Parameter weight;  ///< [V,D]

  Embedding() = default;
  Embedding(const Options& o, Generator& random) {
    require(o.num_embeddings > 0 && o.embedding_dim > 0, "Embedding", "num_embeddings is ", o.num_embeddings,
            " and embedding_dim ", o.embedding_dim, "; both must be at least 1");
    weight = Parameter(Tensor::empty({o.num_embeddings, o.embedding_dim}, o.dtype));
    init::normal(weight, random);
  }

  Tensor forward(const Tensor& ids) const { return embedding(weight, ids); }

  void each(Visitor& v) { v("weight", weight); }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_EMBEDDING_H_
