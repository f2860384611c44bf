#ifndef FOVEA_KERNELS_ATTENTION_H_
#define FOVEA_KERNELS_ATTENTION_H_

#include <cstdint>

#include "fovea/core/device.h"
#include "fovea/kernels/philox.h"
#include "fovea/kernels/target.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// What forward and backward both need. q (B,H,Lq,D), k (B,G,Lk,D) and v (B,G,Lk,E) may have any strides but
/// 1 for the last; G divides H, and head h reads the keys and values h / (H / G).
struct Attention {
  View q, k, v;
  View keep, bias;  ///< u8 and float, stretched to (B,H,Lq,Lk), or none
  bool causal;      ///< query i sees the keys up to i + Lk - Lq
  double scale;
  double dropout;      ///< weight n in row-major order goes when the n-th number of `random` is below it
  RandomState random;  ///< unused when dropout is 0
};

/// y (B,H,Lq,E) = softmax(scale q k^T + bias) v over the keys that are kept, and the logarithm of every row's
/// sum of exponentials (B,H,Lq; +inf where no key is kept). y has stride 1 in the last dimension.
void attention_forward(Cpu, const Attention& a, const View& y, const View& log_sums);
void attention_forward(Cuda, const Attention& a, const View& y, const View& log_sums);

/// Whether the kernels below take these in bf16, without a bias: on a GPU, with heads of at most 128
/// elements, in pieces of 16 bytes. Then y, dy and the gradients are bf16, too, and log_sums f32.
inline bool attention_takes_bf16(Cuda, const View& q, const View& k, const View& v) {
  const auto in_pieces = [](const View& x) {
    bool whole = reinterpret_cast<std::uintptr_t>(x.data) % 16 == 0 && x.shape[3] % 8 == 0;
    for (int d = 0; d < 3; ++d) whole &= x.strides[d] % 8 == 0;
    return whole && x.shape[3] <= 128;
  };
  return in_pieces(q) && in_pieces(k) && in_pieces(v);
}
inline bool attention_takes_bf16(Cpu, const View&, const View&, const View&) { return false; }

/// The gradients that are wanted, from dy. It and those of q, k and v may have any strides but 1 for the
/// last; dbias is stretched like the bias and always added to. A head's dq is written before its dk, and that
/// before its dv: one buffer may serve several.
void attention_backward(Cpu, const Attention& a, const View& y, const View& log_sums, const View& dy,
                        const Target& dq, const Target& dk, const Target& dv, const View& dbias);
void attention_backward(Cuda, const Attention& a, const View& y, const View& log_sums, const View& dy,
                        const Target& dq, const Target& dk, const Target& dv, const View& dbias);

}  // namespace fovea

#endif  // FOVEA_KERNELS_ATTENTION_H_
