#include "fovea/kernels/pointwise_cuda.h"

template void fovea::pointwise::run_forward<double>(int, const Arguments&);
template void fovea::pointwise::run_backward<double>(int, const Arguments&);
