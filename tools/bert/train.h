#ifndef FOVEA_TOOLS_BERT_TRAIN_H_
#define FOVEA_TOOLS_BERT_TRAIN_H_

#include "tools/commands.h"

namespace fovea::tools {

/// `fovea train bert` and `fovea eval bert`.
void add_bert_training(Commands& commands);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_BERT_TRAIN_H_
