#include "fovea/models/bert/bert.h"

#include <cmath>
#include <filesystem>

#include "fovea/models/bert/pretrained.h"
#include "fovea/models/bert/sentences.h"
#include "fovea/models/layers/config_file.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/models/text/word_piece.h"
#include "fovea/ops/create.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/errors.h"
#include "tests/golden.h"
#include "tests/rows.h"
#include "tests/scratch.h"

namespace fovea::tests {
namespace {

namespace fs = std::filesystem;
using bert::Bert;
using bert::load_pretrained;
using bert::Pooling;

// What tests/golden/bert.py made the folders' expectations of.
const std::vector<std::string> sentences = {"a small dog runs.",
                                            "",
                                            "The [MASK] sat on the mat, and the dog did not.",
                                            "x",
                                            "Zwei Männer stehen am Herd — 漢字 und \U0001f600!",
                                            [] {
                                              std::string text;
                                              for (int i = 0; i < 30; ++i) text += "one two three ";
                                              return text;
                                            }()};

fs::path folder(const char* name) { return test_dir() / "golden/bert" / name; }
NpzFile expected() { return golden("bert/expected.npz"); }

std::vector<std::vector<std::int32_t>> tokens() {
  const WordPiece tokenizer = WordPiece::load(folder("lm"));
  std::vector<std::vector<std::int32_t>> out;
  for (const std::string& s : sentences) out.push_back(tokenizer.encode(s, 40).ids);
  return out;
}

bert::Input batch() { return {expected().get("ids"), expected().get("mask")}; }

// The fixture's model in a folder of its own, to be spoiled.
struct Copy {
  Scratch scratch{"bert"};
  explicit Copy(const char* name) { fs::copy(folder(name), scratch.path, fs::copy_options::recursive); }
  std::string load_error() const {
    return error_of([&] { load_pretrained(scratch.path); });
  }
  // Puts `by` in the place of `text` in config.json.
  std::string with_config(const std::string& text, const std::string& by) const {
    std::string config;
    std::getline(std::ifstream(scratch.path / "config.json"), config, '\0');
    const std::string before = config;
    REQUIRE(config.find(text) != config.npos);
    scratch.write("config.json", config.replace(config.find(text), text.size(), by));
    const std::string message = load_error();
    scratch.write("config.json", before);
    return message;
  }
  // The weights after `change`.
  std::string with_weights(const std::function<void(std::vector<NamedTensor>&)>& change) const {
    const fs::path path = scratch.path / "model.safetensors";
    std::vector<NamedTensor> tensors;
    {
      const SafetensorsFile file(path);
      for (const std::string& name : file.names()) tensors.push_back({name, clone(file.get(name))});
    }
    change(tensors);
    save_safetensors(path, tensors);
    return load_error();
  }
};

}  // namespace

TEST_CASE("bert: a masked language model of random weights, as transformers computes it") {
  const bert::Pretrained loaded = load_pretrained(folder("lm"));
  CHECK(loaded.ignored.empty());
  const Tensor hidden = loaded.model.encoder.forward(batch());
  CHECK(difference(hidden, expected().get("lm/hidden")) <= 4e-6);
  CHECK(difference(loaded.model.guess(slice(hidden, 1, 0, 6)), expected().get("lm/logits")) <= 4e-6);
  CHECK(difference(slice(loaded.model.forward(batch()), 1, 0, 6), expected().get("lm/logits")) <= 4e-6);
  CHECK(contains(error_of([&] { loaded.model.encoder.pooled(hidden); }), "no pooler"));
}

TEST_CASE("bert: f16 in shards, and bf16, without the prefix and with a pooler") {
  for (const char* name : {"shards", "bf16"}) {
    CAPTURE(name);
    const Bert model = load_pretrained(folder(name)).model;
    const Tensor hidden = model.encoder.forward(batch());
    CHECK(difference(hidden, expected().get(cat(name, "/hidden"))) <= 4e-6);
    CHECK(difference(model.encoder.pooled(hidden), expected().get(cat(name, "/pooled"))) <= 4e-6);
    CHECK(contains(error_of([&] { model.guess(hidden); }), "no layers that guess"));
  }
}

TEST_CASE("bert: attention weights do not change what comes out, and padding gets none") {
  const Bert model = load_pretrained(folder("lm")).model;
  std::vector<Tensor> weights;
  const bert::Input input = batch();
  const Tensor hidden = model.encoder.forward(input, &weights);
  CHECK(difference(hidden, model.encoder.forward(input)) <= 4e-6);
  REQUIRE(weights.size() == 2);
  CHECK(weights[1].shape() == Shape{6, 4, 40, 40});
  CHECK(difference(sum(weights[1], -1), ones({6, 4, 40})) <= 1e-5);
  // The empty sentence is [CLS] [SEP].
  CHECK(max(slice(select(weights[0], 0, 1), 2, 2, to_end)).item<float>() == 0);
}

TEST_CASE("bert: the vectors of sentences, whatever the batches") {
  const Bert model = load_pretrained(folder("lm")).model;
  const auto ids = tokens();
  const Tensor hidden = expected().get("lm/hidden"), mask = expected().get("mask");
  const Index E = 32;
  Tensor means = zeros({6, E}), all = zeros({0, E});
  std::vector<Tensor> rows;
  for (Index i = 0; i < 6; ++i) {
    const auto n = static_cast<Index>(ids[static_cast<std::size_t>(i)].size());
    CHECK(sum(cast(select(mask, 0, i), DType::f32)).item<float>() == static_cast<float>(n));
    CHECK(difference(slice(select(expected().get("ids"), 0, i), 0, 0, n),
                     Tensor::from(std::span(ids[static_cast<std::size_t>(i)]), {n})) == 0);
    rows.push_back(slice(select(hidden, 0, i), 0, 0, n));
    assign(select(means, 0, i), mean(rows.back(), 0));
  }
  for (const Index batch_tokens : {1, 50, 100000}) {
    CAPTURE(batch_tokens);
    CHECK(difference(embed(model.encoder, ids, {.pooling = Pooling::mean}, batch_tokens), means) <= 2e-6);
    CHECK(difference(embed(model.encoder, ids, {.pooling = Pooling::cls}, batch_tokens),
                     select(hidden, 1, 0)) <= 4e-6);
    const Tensor unit = means / norm(means, 1, true);
    CHECK(difference(embed(model.encoder, ids, {.normalize = true}, batch_tokens), unit) <= 1e-6);
    const Tensor tokens = embed(model.encoder, ids, {.pooling = Pooling::none}, batch_tokens);
    Index at = 0;
    for (const Tensor& row : rows) {
      CHECK(difference(slice(tokens, 0, at, at + row.size(0)), row) <= 4e-6);
      at += row.size(0);
    }
    CHECK(tokens.shape() == Shape{at, E});
  }
  CHECK(embed(model.encoder, {}, {}).shape() == Shape{0, E});
  CHECK(contains(error_of([&] { embed(model.encoder, std::vector<std::vector<std::int32_t>>(1), {}); }),
                 "sentence 0 has no tokens"));
  assign(slice(model.encoder.embeddings.position.weight.detach(), 0, 39, 40), full({1, E}, std::nan("")));
  CHECK(contains(error_of([&] { embed(model.encoder, ids, {}); }),
                 "the weights give numbers that are not finite, for sentence 5"));
}

TEST_CASE("bert: what is saved is read again, with all its parts") {
  for (const char* name : {"lm", "shards"}) {
    const Scratch scratch("bert-saved");
    Bert model = load_pretrained(folder(name)).model;
    save_pretrained(model, scratch.path / "new");
    Bert again = load_pretrained(scratch.path / "new").model;
    const auto before = named_tensors(model), after = named_tensors(again);
    REQUIRE(before.size() == after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      CHECK(before[i].name == after[i].name);
      CHECK(difference(before[i].tensor, after[i].tensor) == 0);
    }
    CHECK(again.options.eps == model.options.eps);
    CHECK(again.options.tied == model.options.tied);
  }
}

TEST_CASE("bert: a left-only model, and one that learned pairs, under transformers' names") {
  const Scratch scratch("bert-kinds");
  Generator random(5);
  bert::Options options{
      .vocabulary = 11, .positions = 8, .layers = 1, .heads = 2, .hidden = 8, .intermediate = 8};
  const bert::Input input{rand_int({2, 5}, random, 0, 11)};
  Bert pairs(options, random);
  options.pooler = false;
  options.causal = true;
  Bert causal(options, random);
  save_pretrained(causal, scratch.path);
  CHECK(ConfigFile(scratch.path / "config.json").one_or_more("architectures") ==
        std::vector<std::string>{"BertLMHeadModel"});
  const Bert again = load_pretrained(scratch.path).model;
  CHECK(again.options.causal);
  CHECK(difference(again.forward(input), causal.forward(input)) == 0);

  const Linear next({.in_features = 8, .out_features = 2}, random);
  save_pretrained(pairs, scratch.path, next);
  CHECK(ConfigFile(scratch.path / "config.json").one_or_more("architectures") ==
        std::vector<std::string>{"BertForPreTraining"});
  const SafetensorsFile file(scratch.path / "model.safetensors");
  const Tensor weight = file.get("cls.seq_relationship.weight"), bias = file.get("cls.seq_relationship.bias");
  CHECK(difference(select(weight, 0, 0), select(next.weight, 0, 1)) == 0);  // "follows"
  CHECK(difference(select(weight, 0, 1), select(next.weight, 0, 0)) == 0);
  CHECK(difference(select(bias, 0, 0), select(next.bias, 0, 1)) == 0);
  const bert::Pretrained read = load_pretrained(scratch.path);
  CHECK(!read.model.options.causal);
  CHECK(read.ignored.size() == 2);
  CHECK(difference(read.model.forward(input), pairs.forward(input)) == 0);
}

TEST_CASE("bert: names of other versions and tasks") {
  const Copy copy("lm");
  const Tensor before = load_pretrained(copy.scratch.path).model.forward(batch());
  CHECK(copy.with_weights([](auto& tensors) {
    for (NamedTensor& t : tensors) {
      if (t.name.ends_with("LayerNorm.weight")) t.name.replace(t.name.size() - 6, 6, "gamma");
      if (t.name.ends_with("LayerNorm.bias")) t.name.replace(t.name.size() - 4, 4, "beta");
    }
    tensors.push_back({"bert.embeddings.position_ids", arange(40)});
    tensors.push_back({"cls.seq_relationship.weight", zeros({2, 32})});
    tensors.push_back({"cls.predictions.decoder.weight", zeros({547, 32})});  // tied: not looked at
  }) == "");
  const bert::Pretrained loaded = load_pretrained(copy.scratch.path);
  CHECK(loaded.ignored == std::vector<std::string>{"cls.seq_relationship.weight"});
  CHECK(difference(loaded.model.forward(batch()), before) == 0);
  CHECK(copy.with_config("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false") == "");
}

TEST_CASE("bert: an untied output layer is its own") {
  const Scratch scratch("bert-untied");
  Generator random(4);
  Bert model({.vocabulary = 11,
              .positions = 8,
              .layers = 1,
              .heads = 2,
              .hidden = 8,
              .intermediate = 8,
              .pooler = false,
              .tied = false},
             random);
  save_pretrained(model, scratch.path);
  Bert again = load_pretrained(scratch.path).model;
  const bert::Input input{rand_int({2, 5}, random, 0, 11)};
  CHECK(difference(again.forward(input), model.forward(input)) == 0);
  CHECK(difference(again.decoder.weight, again.encoder.embeddings.word.weight) > 0);
}

TEST_CASE("bert: what does not fit is named, with what may be meant") {
  const Copy copy("lm");
  std::string message = copy.with_weights([](auto& tensors) {
    for (NamedTensor& t : tensors)
      if (t.name == "bert.encoder.layer.1.attention.self.query.weight")
        t.name = "bert.encoder.layer.1.attention.self.qeury.weight";
  });
  CHECK(contains(message,
                 "missing: bert.encoder.layer.1.attention.self.query.weight (the nearest there is "
                 "bert.encoder.layer.1.attention.self.qeury.weight)"));
  message = copy.with_weights([](auto& tensors) {
    std::erase_if(tensors, [](const auto& t) { return t.name.find("qeury") != t.name.npos; });
    tensors.push_back({"bert.encoder.layer.1.attention.self.query.weight", zeros({32, 16})});
  });
  CHECK(contains(message, "mismatched: bert.encoder.layer.1.attention.self.query.weight: (32,32)"));
  message = copy.with_weights([](auto& tensors) {
    tensors.push_back({"embeddings.LayerNorm.weight", zeros({32})});
  });
  CHECK(contains(message, "which are one tensor"));
  // An encoder of more layers than config.json says would be another model.
  message = Copy("lm").with_config("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1");
  CHECK(contains(message, "unexpected: bert.encoder.layer.1."));
}

TEST_CASE("bert: configurations that are not, or ask for what is not there") {
  const Copy copy("lm");
  const auto with = [&](const char* text, const char* by, const char* message) {
    INFO(by);
    CHECK_MESSAGE(contains(copy.with_config(text, by), message), copy.with_config(text, by));
  };
  with("\"model_type\": \"bert\"", "\"model_type\": \"roberta\"", "model_type is 'roberta'; only");
  with("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"silu\"", "hidden_act is 'silu'");
  with("\"is_decoder\": false", "\"add_cross_attention\": true", "attention to another");
  with("\"is_decoder\": false", "\"position_embedding_type\": \"relative_key\"", "position_embedding_type");
  with("\"hidden_size\": 32", "\"hidden_size\": -1", "hidden_size is -1");
  with("\"hidden_size\": 32", "\"hidden_size\": 1e99", "hidden_size is 1e+99");
  with("\"hidden_size\": 32", "\"hidden_size\": 34", "must divide");
  with("\"hidden_size\": 32", "\"hidden_size\": 0", "hidden");
  with("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 2000000000", "describes a model of");
  with("\"vocab_size\": 547", "\"vocab_size\": 2147483647", "describes a model of");
  with("\"vocab_size\": 547", "\"no\": 0", "has no vocab_size");
  with("\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": \"small\"", "layer_norm_eps");
  with("{", "", "no JSON at offset");
  fs::remove(copy.scratch.path / "model.safetensors");
  CHECK(contains(copy.load_error(), "neither model.safetensors nor"));
  copy.scratch.write("model.safetensors", "nonsense");
  CHECK(contains(copy.load_error(), "model.safetensors"));
  fs::remove(copy.scratch.path / "config.json");
  CHECK(contains(copy.load_error(), "config.json"));
}

TEST_CASE("bert: shards that are not as the index says") {
  const Copy copy("shards");
  const auto with_map = [&](const std::string& map) {
    copy.scratch.write("model.safetensors.index.json", "{\"weight_map\": " + map + "}");
    return copy.load_error();
  };
  CHECK(contains(with_map("{\"a\": \"../model.safetensors\"}"), "is no name of a file in this folder"));
  CHECK(contains(with_map("{\"a\": \"..\"}"), "is no name of a file in this folder"));
  CHECK(contains(with_map("{\"a\": 3}"), "weight_map: 'a' is 3, no string"));
  CHECK(contains(with_map("{\"a\": \"model-00001-of-00002.safetensors\"}"), "has no tensor 'a'"));
  CHECK(contains(with_map("{\"a\": \"absent.safetensors\"}"), "absent.safetensors"));
  CHECK(contains(with_map("[]"), "has no weight_map"));
}

TEST_CASE("bert: what sentence-transformers keeps beside a model") {
  const auto read = [](const fs::path& path) { return bert::read_sentence_options(path, 512); };
  const bert::SentenceOptions options = read(folder("lm"));
  CHECK((options.pooling == Pooling::mean && options.normalize && options.longest == 40));
  const bert::SentenceOptions plain = read(folder("bf16"));
  CHECK((plain.pooling == Pooling::mean && !plain.normalize && plain.longest == 512));
  const Copy copy("lm");
  const auto with = [&](const char* file, const char* content) {
    copy.scratch.write(file, content);
    return error_of([&] { read(copy.scratch.path); });
  };
  CHECK(contains(with("1_Pooling/config.json", "{\"pooling_mode_max_tokens\": true}"), "mean and cls"));
  CHECK(contains(with("1_Pooling/config.json", "{}"), "0 kinds"));
  CHECK(with("1_Pooling/config.json", R"({"pooling_mode": ["cls"]})") == "");
  CHECK(read(copy.scratch.path).pooling == Pooling::cls);
  CHECK(with("1_Pooling/config.json", R"({"pooling_mode": "mean"})") == "");
  CHECK(read(copy.scratch.path).pooling == Pooling::mean);
  CHECK(contains(with("1_Pooling/config.json", R"({"pooling_mode": ["mean", "cls"]})"),
                 "asks for 2 kinds of pooling; Fovea does one, mean or cls"));
  CHECK(
      contains(with("1_Pooling/config.json", R"({"pooling_mode": ["cls", 1]})"), "pooling_mode[1] is 1, no"));
  CHECK(with("1_Pooling/config.json", "{\"pooling_mode_cls_token\": true}") == "");
  CHECK(read(copy.scratch.path).pooling == Pooling::cls);
  CHECK(contains(with("sentence_bert_config.json", "{\"max_seq_length\": 1}"), "max_seq_length is 1"));
  // The longest input: of sentence-transformers before 5, of later ones, and none.
  const auto longest = [&](const char* sentence_bert, const char* model_max_length) {
    CHECK(with("sentence_bert_config.json", sentence_bert) == "");
    CHECK(with("tokenizer_config.json", model_max_length) == "");
    return read(copy.scratch.path).longest;
  };
  CHECK(longest(R"({"max_seq_length": 30})", R"({"model_max_length": 16})") == 30);
  CHECK(longest(R"({"max_seq_length": null})", R"({"model_max_length": 16})") == 16);
  CHECK(longest("{}", R"({"model_max_length": 16})") == 16);
  CHECK(longest("{}", R"({"model_max_length": 1000000000000000019884624838656})") == 512);
  CHECK(longest("{}", R"({"model_max_length": 600})") == 512);
  CHECK(longest("{}", "{}") == 512);
  CHECK(contains(with("tokenizer_config.json", R"({"model_max_length": -1})"), "model_max_length is -1"));
  CHECK(
      contains(with("tokenizer_config.json", R"({"model_max_length": 1})"), "model_max_length is 1; [CLS]"));
  CHECK(contains(with("tokenizer_config.json", R"({"model_max_length": 1e999})"),
                 "a number that is too large"));
  fs::remove(copy.scratch.path / "tokenizer_config.json");
  fs::remove(copy.scratch.path / "sentence_bert_config.json");
  CHECK(contains(with("modules.json", "[{\"type\": \"a.models.Dense\"}]"), "module 'a.models.Dense'"));
}

TEST_CASE("bert: wrong inputs are named") {
  const Bert model = load_pretrained(folder("lm")).model;
  const auto error = [&](const bert::Input& input) {
    return error_of([&] { model.encoder.forward(input); });
  };
  CHECK(contains(error({zeros({2, 41}, DType::i32)}), "41 tokens are more than the model's 40"));
  CHECK(contains(error({zeros({2, 4})}), "i32 [B,L]"));
  CHECK(contains(error({zeros({2, 4}, DType::i32), ones({2, 3}, DType::u8)}), "(2,4) as the ids are"));
  CHECK(contains(error({full({1, 1}, 547, DType::i32)}), "547"));
  Generator random(1);
  CHECK(contains(error_of([&] { Bert({.heads = 7}, random); }), "heads 7 must divide hidden 768"));
  CHECK(contains(error_of([&] { Bert({.layers = 0}, random); }), "layers is 0"));
}

TEST_CASE("bert: BERT's initial values and size" * doctest::test_suite("long")) {
  Generator random(3);
  Bert model({.layers = 1, .head = false}, random);
  // Devlin et al.'s 110 million, of which 11 layers of 7,087,872 are left out here.
  CHECK(parameter_count(model) + 11 * 7087872 == 109482240);
  const Tensor w = model.encoder.layers[0].intermediate.weight;
  CHECK(std::sqrt(var(w).item<float>()) == doctest::Approx(0.02 * 0.8796).epsilon(0.01));  // after the cut
  CHECK(max(w).item<float>() <= 0.04f);
  CHECK(difference(model.encoder.layers[0].output_norm.weight, ones({768})) == 0);
}

}  // namespace fovea::tests
