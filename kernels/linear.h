#ifndef FOVEA_KERNELS_LINEAR_H_
#define FOVEA_KERNELS_LINEAR_H_

#include "fovea/core/device.h"
#include "fovea/core/into.h"
#include "fovea/kernels/gemm.h"
#include "fovea/kernels/view.h"

/// All views row-major: x [R,I], w [O,I], bias [O] or none, y and dy [R,O] (u and y may have more
/// dimensions). On a GPU x, w, y, dx and dy may be bf16, then bias, dw and db are f32.

namespace fovea {

/// y = f(u), u = x w^T + bias. f is a unary pointwise op, by its place in the list (kernels/pointwise.h); u
/// is kept only where there is a view for it.
void linear_forward(Cpu, const View& x, const View& w, const View& bias, const View& y,
                    int activation = no_activation, const View& u = {});
void linear_forward(Cuda, const View& x, const View& w, const View& bias, const View& y,
                    int activation = no_activation, const View& u = {});

/// dx = dy w
void linear_input_gradient(Cpu, const View& dy, const View& w, const View& dx, Into into);
void linear_input_gradient(Cuda, const View& dy, const View& w, const View& dx, Into into);

/// dw = dy^T x
void linear_weight_gradient(Cpu, const View& dy, const View& x, const View& dw, Into into);
void linear_weight_gradient(Cuda, const View& dy, const View& x, const View& dw, Into into);

/// db = the sum of dy's rows
void linear_bias_gradient(Cpu, const View& dy, const View& db, Into into);
void linear_bias_gradient(Cuda, const View& dy, const View& db, Into into);

}  // namespace fovea

#endif  // FOVEA_KERNELS_LINEAR_H_
