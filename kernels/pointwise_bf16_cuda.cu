#include "fovea/kernels/pointwise_cuda.h"

namespace fovea::pointwise {

template <>
void run_forward<bf16>(int id, const Arguments& a) {
  static constexpr auto table = forward_table<bf16>(static_cast<List*>(nullptr));
  table[static_cast<std::size_t>(id)](a);
}

template <>
void run_backward<bf16>(int id, const Arguments& a) {
  static constexpr auto table = backward_table<bf16>(static_cast<List*>(nullptr));
  table[static_cast<std::size_t>(id)](a);
}

}  // namespace fovea::pointwise
