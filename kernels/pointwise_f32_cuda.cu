#include "fovea/kernels/pointwise_cuda.h"

template void fovea::pointwise::run_forward<float>(int, const Arguments&);
template void fovea::pointwise::run_backward<float>(int, const Arguments&);
