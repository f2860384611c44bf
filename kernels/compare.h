#ifndef FOVEA_KERNELS_COMPARE_H_
#define FOVEA_KERNELS_COMPARE_H_

#include "fovea/core/device.h"
#include "fovea/kernels/view.h"

namespace fovea {

enum class Comparison { less, less_equal, greater, greater_equal, equal, not_equal };
/// z = x ? y as 0 or 1, u8. x and y are of one dtype, any; all views have z's shape, any strides.
void compare_forward(Cpu, Comparison comparison, const View& x, const View& y, const View& z);
void compare_forward(Cuda, Comparison comparison, const View& x, const View& y, const View& z);
/// z = x ? y for a number y; f32 compares with y rounded to f32, integers are compared exactly.
void compare_forward(Cpu, Comparison comparison, const View& x, double y, const View& z);
void compare_forward(Cuda, Comparison comparison, const View& x, double y, const View& z);

enum class Logic { both, either, differ };
/// z = x and y, x or y, x xor y, on u8 of which every value but 0 is true; the result is 0 or 1.
void logic_forward(Cpu, Logic logic, const View& x, const View& y, const View& z);
void logic_forward(Cuda, Logic logic, const View& x, const View& y, const View& z);

}  // namespace fovea

#endif  // FOVEA_KERNELS_COMPARE_H_
