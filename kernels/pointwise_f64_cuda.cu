#include "fovea/kernels/pointwise_cuda.h"

namespace fovea::pointwise {

template <>
void run_forward<double>(int id, const Arguments& a) {
  static constexpr auto table = forward_table<double>(static_cast<List*>(nullptr));
  table[static_cast<std::size_t>(id)](a);
}

template <>
void run_backward<double>(int id, const Arguments& a) {
  static constexpr auto table = backward_table<double>(static_cast<List*>(nullptr));
  table[static_cast<std::size_t>(id)](a);
}

}  // namespace fovea::pointwise
