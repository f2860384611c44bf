#include "fovea/models/seq2seq/learner.h"

namespace fovea::seq2seq {
namespace {

struct TaskRow {
  const char *name, *about;
};
constexpr TaskRow tasks[] = {{"dates", "dates in figures to dates in words, which make themselves"},
                             {"multi30k", "captions of pictures, en, de and fr (needs --data-dir)"}};

}  // namespace

std::vector<Setting> Settings::own() {
  return {
      {"task", &task, "What to learn"},
      {"source", &source, "The language to translate from: en, de, fr"},
      {"target", &target, "The language to translate into"},
      {"merges", &merges, "Of byte-pair encoding, learned on both sides; 0: whole words"},
      {"min_count", &min_count, "Words that occur less often are unknown", 1},
      {"net", &net, "rnnsearch (Bahdanau et al. 2015) or luong (Luong et al. 2015)"},
      {"attention", &attention, "none, dot, general, concat, cosine, scaled, local-m, local-p or hard"},
      {"embedding", &embedding, "Numbers of a word's vector", 1},
      {"hidden", &hidden, "Units of the decoder", 1},
      {"encoder_hidden", &encoder_hidden, "Units of each direction of the encoder; 0: half the decoder's"},
      {"layers", &layers, "Of encoder and decoder; luong", 1},
      {"half_width", &half_width, "D of local-m and local-p: words on each side", 1},
      {"input_feeding", &input_feeding, "What was seen enters the next step; luong"},
      {"features", &features, "Numbers that the next word is predicted from; rnnsearch; 0: half of hidden"},
      {"dropout", &dropout, "Of words' vectors, between layers and of features"},
      {"source_words", &source_words, "Of the vocabulary", 1},
      {"target_words", &target_words, "Of the vocabulary", 1},
      {"most_length", &most_length, "Tokens of a sentence; longer ones are left out of training", 1}};
}

std::vector<std::string> task_names() { return names_of(tasks); }
std::string about(const std::string& task) { return row_named("seq2seq", "task", tasks, task).about; }

Settings settings_for(const std::string& task) {
  row_named("seq2seq", "task", tasks, task);
  Settings s;
  s.task = task;
  s.batch_size = 64;
  s.clip_norm = 1;
  s.lr = 1e-3;
  s.schedule = "cooldown";
  if (task == "dates") {
    s.source = "figures";
    s.target = "words";
    s.embedding = 32;
    s.hidden = 64;
    s.dropout = 0;
    s.lr = 3e-3;
    s.steps = 3000;
  }
  return s;
}

Options options_of(const Settings& s) {
  Options o;
  o.net = s.net;
  o.attention = s.attention;
  o.embedding = s.embedding;
  o.hidden = s.hidden;
  o.encoder_hidden = s.encoder_hidden;
  o.layers = s.layers;
  o.half_width = s.half_width;
  o.input_feeding = s.input_feeding;
  o.features = s.features;
  o.dropout = s.dropout;
  o.source_words = s.source_words;
  o.target_words = s.target_words;
  return o;
}

}  // namespace fovea::seq2seq
