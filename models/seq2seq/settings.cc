#include "fovea/models/seq2seq/learner.h"

namespace fovea::seq2seq {

std::vector<Setting> Settings::own() {
  std::vector<Setting> all = translation_settings();
  all.insert(
      all.end(),
      {{"net", &net, "rnnsearch (Bahdanau et al. 2015) or luong (Luong et al. 2015)", 0, net_names()},
       {"attention", &attention, "How a word's state is compared with the source's, and where", 0,
        attentions()},
       {"embedding", &embedding, "Numbers of a word's vector", 1},
       {"hidden", &hidden, "Units of the decoder", 1},
       {"encoder_hidden", &encoder_hidden, "Units of each direction of the encoder; 0: half the decoder's"},
       {"layers", &layers, "Of encoder and decoder; luong", 1},
       {"half_width", &half_width, "D of local-m and local-p: words on each side", 1},
       {"input_feeding", &input_feeding, "What was seen enters the next step; luong"},
       {"features", &features, "Numbers that the next word is predicted from; rnnsearch; 0: half of hidden"},
       {"dropout", &dropout, "Of words' vectors, between layers and of features"}});
  return all;
}

bool learns_slowly(const Settings& s) { return s.net == "luong" || s.attention == "local-p"; }

Settings settings_for(const std::string& task, const std::string& net, const std::string& attention) {
  Settings s;
  s.net = net;
  s.attention = attention;
  choose_translation(s, task);
  s.batch_size = 64;
  s.clip_norm = 1;
  s.lr = 1e-3;
  s.schedule = "cooldown";
  if (task != "multi30k") {
    s.embedding = 32;
    s.hidden = 64;
    s.dropout = 0;
    s.lr = learns_slowly(s) ? 1e-2 : 3e-3;
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
