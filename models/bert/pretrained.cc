#include "fovea/models/bert/pretrained.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "fovea/core/atomic_file.h"
#include "fovea/core/byte_reader.h"
#include "fovea/models/layers/config_file.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/ops/pad.h"

namespace fovea::bert {
namespace {

namespace fs = std::filesystem;

Options read_config(const fs::path& path) {
  const ConfigFile file(path);
  const std::string type = file.text("model_type", "");
  file.check(type == "bert", "model_type is ", in_quotes(type), "; only 'bert' is read");
  file.check(!file.boolean("add_cross_attention", false), "asks for attention to another model's output");
  const std::string positions = file.text("position_embedding_type", "absolute");
  file.check(positions == "absolute", "position_embedding_type is ", in_quotes(positions),
             "; only 'absolute' is read");
  Options o{.vocabulary = file.count("vocab_size"),
            .positions = file.count("max_position_embeddings"),
            .segments = file.count("type_vocab_size", 2),
            .layers = file.count("num_hidden_layers"),
            .heads = file.count("num_attention_heads"),
            .hidden = file.count("hidden_size"),
            .intermediate = file.count("intermediate_size"),
            .activation = file.activation("hidden_act", "gelu"),
            .eps = file.number("layer_norm_eps", 0, 1, 1e-12),
            .dropout = file.number("hidden_dropout_prob", 0, 1, 0.1),
            .attention_dropout = file.number("attention_probs_dropout_prob", 0, 1, 0.1),
            .tied = file.boolean("tie_word_embeddings", true),
            .causal = file.boolean("is_decoder", false)};
  file.check(o.heads > 0 && o.hidden % o.heads == 0, "num_attention_heads ", o.heads,
             " must divide hidden_size ", o.hidden);
  return o;
}

void replace_end(std::string& text, std::string_view end, std::string_view by) {
  if (text.ends_with(end)) text.replace(text.size() - end.size(), end.size(), by);
}

/// A tensor's name as BertModel has it, or of the head.
std::string plain_name(std::string name) {
  if (name.starts_with("bert.")) name.erase(0, 5);
  replace_end(name, ".gamma", ".weight");
  replace_end(name, ".beta", ".bias");
  return name;
}

/// How many values a model of these options has, as a number that does not overflow.
double size_of(const Options& o) {
  const auto d = [](Index n) { return static_cast<double>(n); };
  return d(o.hidden) * (d(o.vocabulary) + d(o.positions) + d(o.segments) +
                        d(o.layers) * (4.0 * d(o.hidden) + 2.0 * d(o.intermediate)));
}

}  // namespace

Pretrained load_pretrained(const fs::path& folder) {
  Options options = read_config(folder / "config.json");
  const WeightsFolder weights(folder);

  Pretrained out;
  std::map<std::string, std::string> stored;  // by plain name, the name in the file
  double values = 0;
  for (const auto& [name, file] : weights.in) {
    const std::string plain = plain_name(name);
    if (plain == "embeddings.position_ids") continue;  // 0, 1, 2, ..., which old versions saved
    const auto of = [&](const char* part) { return plain.starts_with(part); };
    if (!of("embeddings.") && !of("encoder.") && !of("pooler.") && !of("cls.predictions.")) {
      out.ignored.push_back(name);
      continue;
    }
    const auto [at, is_new] = stored.emplace(plain, name);
    require(is_new, "pretrained", weights.source.string(), " has both ", in_quotes(at->second), " and ",
            in_quotes(name), ", which are one tensor");
    values += static_cast<double>(file.shape(name).numel());
  }
  const auto any = [&](const char* part) {
    const auto at = stored.lower_bound(part);
    return at != stored.end() && at->first.starts_with(part);
  };
  options.pooler = any("pooler.");
  options.head = any("cls.predictions.");
  // A config is a few bytes, and must not decide alone how much memory is taken.
  require(size_of(options) < 4 * values + 1e7, "pretrained", folder.string(),
          ": config.json describes a model of ", size_of(options), " values, but the files hold ", values);

  std::vector<NamedTensor> tensors;
  for (const auto& [plain, name] : stored) {
    const bool prefixed = options.head && !plain.starts_with("cls.");
    tensors.push_back({prefixed ? "bert." + plain : plain, weights.in.at(name).get(name)});
  }
  out.model = Bert::unset(options);
  load_tensors(out.model, tensors, true, weights.source.string());
  return out;
}

void save_pretrained(Bert& model, const fs::path& folder, const Linear& next) {
  fs::create_directories(folder);
  const Options& o = model.options;
  const char* architecture = !o.head ? "BertModel" : o.causal ? "BertLMHeadModel" : "BertForMaskedLM";
  std::vector<NamedTensor> tensors = named_tensors(model);
  if (next.weight.defined()) {
    architecture = "BertForPreTraining";
    for (const auto& [part, t] : {std::pair{"weight", next.weight}, {"bias", next.bias}})
      tensors.push_back({cat("cls.seq_relationship.", part), flip(t.detach(), {0})});
  }
  const nlohmann::ordered_json config{{"architectures", {architecture}},
                                      {"model_type", "bert"},
                                      {"vocab_size", o.vocabulary},
                                      {"max_position_embeddings", o.positions},
                                      {"type_vocab_size", o.segments},
                                      {"num_hidden_layers", o.layers},
                                      {"num_attention_heads", o.heads},
                                      {"hidden_size", o.hidden},
                                      {"intermediate_size", o.intermediate},
                                      {"hidden_act", config_name(o.activation)},
                                      {"layer_norm_eps", o.eps},
                                      {"hidden_dropout_prob", o.dropout},
                                      {"attention_probs_dropout_prob", o.attention_dropout},
                                      {"initializer_range", o.deviation},
                                      {"tie_word_embeddings", o.tied},
                                      {"is_decoder", o.causal}};
  save_safetensors(folder / "model.safetensors", tensors);
  write_atomically(folder / "config.json", config.dump(2) + "\n", "pretrained");
}

SentenceOptions read_sentence_options(const fs::path& folder, Index positions) {
  SentenceOptions out{.longest = positions};
  if (fs::exists(folder / "modules.json")) {
    const ConfigFile file(folder / "modules.json");
    for (const std::string& type : file.column("type")) {
      const std::string last = type.substr(type.rfind('.') + 1);
      if (last == "Normalize") out.normalize = true;
      file.check(last == "Transformer" || last == "Pooling" || last == "Normalize", "module ",
                 in_quotes(type), " is not known; there are Transformer, Pooling and Normalize");
    }
  }
  if (const fs::path pooling = folder / "1_Pooling" / "config.json"; fs::exists(pooling)) {
    constexpr std::string_view prefix = "pooling_mode_";
    const ConfigFile file(pooling);
    std::vector<std::string> modes = file.one_or_more("pooling_mode");
    for (const std::string& key : file.switches(prefix.data())) modes.push_back(key.substr(prefix.size()));
    file.check(modes.size() == 1, "asks for ", modes.size(),
               " kinds of pooling; Fovea does one, mean or cls");
    const bool mean = modes[0] == "mean" || modes[0] == "mean_tokens";
    const bool cls = modes[0] == "cls" || modes[0] == "cls_token";
    file.check(mean || cls, "asks for pooling by ", in_quotes(modes[0]), "; Fovea does mean and cls");
    out.pooling = cls ? Pooling::cls : Pooling::mean;
  }
  // As sentence-transformers has it, the first that says something. Files of transformers say 1e30 for "any".
  for (const auto& [name, key] : {std::pair{"sentence_bert_config.json", "max_seq_length"},
                                  {"tokenizer_config.json", "model_max_length"}}) {
    if (!fs::exists(folder / name)) continue;
    const ConfigFile file(folder / name);
    if (!file.has(key)) continue;
    constexpr double any = std::numeric_limits<double>::infinity();
    const double most = file.number(key, 0, any, any);
    file.check(most >= 2, key, " is ", most, "; [CLS] and [SEP] alone are 2");
    out.longest = static_cast<Index>(std::min(most, static_cast<double>(positions)));
    break;
  }
  return out;
}

}  // namespace fovea::bert
