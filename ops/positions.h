#ifndef FOVEA_OPS_POSITIONS_H_
#define FOVEA_OPS_POSITIONS_H_

#include "fovea/core/tensor.h"

/// What tells attention where a token stands.

namespace fovea {

/// The table of Vaswani et al. 2017, section 3.5, for positions first, ..., first + n - 1: [n,D],
///   y(p, 2i) = sin(p / 10000^(2i / D)),  y(p, 2i + 1) = cos(p / 10000^(2i / D))
/// Sines and cosines alternate. (Tensor2Tensor and fairseq put all sines first, with slightly other
/// frequencies: their weights do not fit this table.)
Tensor sinusoidal_positions(Index n, Index dim, DType dtype = DType::f32, Index first = 0,
                            const Device& device = Cpu{});

struct RotaryOptions {
  double base = 10000;
  Index first = 0;           ///< the position of x's first row: how many keys a cache already holds
  bool interleaved = false;  ///< which numbers form a pair
};

/// Rotary positions (Su et al. 2021) for queries and keys x [..,L,D], D even: row l's pair i, i < D / 2, is
/// turned by the angle a = (first + l) / base^(2i / D):
///   (u, v) -> (u cos a - v sin a, v cos a + u sin a)
/// A pair is x_i and x_(i + D/2) ("rotate half": GPT-NeoX, LLaMA in Hugging Face's layout), or with
/// `interleaved` x_2i and x_(2i+1) (the paper, GPT-J, Meta's LLaMA). Scores of rotated rows depend on the
/// difference of their positions alone. dx = dy turned back.
Tensor rotary(const Tensor& x, const RotaryOptions& options = {});

}  // namespace fovea

#endif  // FOVEA_OPS_POSITIONS_H_
