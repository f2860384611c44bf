#ifndef FOVEA_MODELS_DATA_SPLIT_H_
#define FOVEA_MODELS_DATA_SPLIT_H_

namespace fovea {

/// The part of a data set.
enum class Split { train, validation, test };

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_SPLIT_H_
