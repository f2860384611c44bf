#ifndef FOVEA_MODELS_TRAINING_DTYPES_H_
#define FOVEA_MODELS_TRAINING_DTYPES_H_

#include "fovea/core/dtype.h"
#include "fovea/models/training/settings.h"

namespace fovea {

/// The types that a model can be trained in, for a setting `dtype`: f64 shows what rounding does, at about
/// half the speed.
inline constexpr Choices<DType> dtypes = {{"f32", DType::f32}, {"f64", DType::f64}};

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_DTYPES_H_
