#ifndef FOVEA_MODELS_BERT_PRETRAINED_H_
#define FOVEA_MODELS_BERT_PRETRAINED_H_

#include <filesystem>
#include <string>
#include <vector>

#include "fovea/models/bert/bert.h"

/// Checkpoints in Hugging Face's layout: a folder with config.json and model.safetensors (or its shards and
/// model.safetensors.index.json). All files are taken for hostile: errors are Error and name the file.

namespace fovea::bert {

struct Pretrained {
  Bert model;
  std::vector<std::string> ignored;  ///< tensors for other tasks, that no part of the model takes
};

/// Reads a folder of a BERT-type model; f16, bf16 and f64 become f32. The model has a pooler or a head when
/// the files have. Names may begin with "bert." or not, and norms may be called gamma and beta. Throws for
/// another kind of model, and lists tensors that are missing (with the nearest name there is), that only a
/// larger encoder would have, or whose shapes are not what config.json says.
Pretrained load_pretrained(const std::filesystem::path& folder);

/// Writes config.json and model.safetensors, so that load_pretrained() and transformers read them. The folder
/// is made when it is not there; each file replaces an old one only when it is complete. A causal model is
/// transformers' BertLMHeadModel. `next`, if it has parameters, says from the pooled [CLS] whether a text
/// does not follow another (row 0) or does (row 1); with it the folder is of a BertForPreTraining, where
/// these rows lie the other way round.
void save_pretrained(Bert& model, const std::filesystem::path& folder, const Linear& next = {});

/// What a sentence's vector is made of: the mean of its tokens' vectors, that of [CLS], or all of them.
enum class Pooling { mean, cls, none };

/// What sentence-transformers keeps beside a model.
struct SentenceOptions {
  Pooling pooling = Pooling::mean;
  bool normalize = false;  ///< vectors get a length of 1
  Index longest = 512;     ///< most tokens of a sentence, [CLS] and [SEP] included
};

/// Reads modules.json, 1_Pooling/config.json and sentence_bert_config.json where they are, and where the last
/// gives no max_seq_length, tokenizer_config.json's model_max_length; without, the defaults above.
/// `positions` is the model's longest input, which nothing exceeds. Throws where they ask for more than Fovea
/// does.
SentenceOptions read_sentence_options(const std::filesystem::path& folder, Index positions);

}  // namespace fovea::bert

#endif  // FOVEA_MODELS_BERT_PRETRAINED_H_
