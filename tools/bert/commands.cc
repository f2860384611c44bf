#include "tools/commands.h"

#ifdef FOVEA_TEXT

#include <cmath>
#include <cstdio>
#include <iostream>
#include <optional>
#include <utility>

#include "fovea/core/npy.h"
#include "fovea/core/utf8.h"
#include "fovea/models/bert/sentences.h"
#include "fovea/models/text/word_piece.h"
#include "tools/bert/guesses.h"
#include "tools/bert/train.h"
#include "tools/options.h"

namespace fovea::tools {
namespace {

namespace fs = std::filesystem;
using bert::Pooling;
using bert::SentenceOptions;
using Ids = std::vector<std::int32_t>;

/// A folder in Hugging Face's layout: its model and its tokenizer.
struct Loaded {
  bert::Bert model;
  WordPiece tokenizer;

  Loaded(const fs::path& folder, const Device& device)
      : model(bert::load_pretrained(folder).model), tokenizer(WordPiece::load(folder)) {
    const auto tokens = static_cast<Index>(tokenizer.size());
    require(tokens <= model.options.vocabulary, "bert", folder.string(), ": the tokenizer has ", tokens,
            " tokens, but the model only ", model.options.vocabulary);
    move_to(model, device);
  }
};

/// What the commands that make vectors share.
struct Encoding {
  CommonOptions common;
  fs::path folder;
  std::string pooling;
  bool normalize = false;

  void add_to(Command command, const std::vector<std::string>& poolings) {
    command.option("--model", folder, "Folder in Hugging Face's layout").required().folder();
    command
        .option("--pooling", pooling,
                "What becomes of the tokens' vectors: " + listed(poolings) +
                    " (default: what the folder asks for, its normalization included)")
        .one_of(poolings);
    command.flag("--normalize", normalize, "Give vectors a length of 1");
    common.add_to(command);
  }

  SentenceOptions options(const Loaded& loaded) const {
    SentenceOptions o = bert::read_sentence_options(folder, loaded.model.options.positions);
    if (!pooling.empty()) {
      o.pooling = pooling == "mean" ? Pooling::mean : pooling == "cls" ? Pooling::cls : Pooling::none;
      o.normalize = false;
    }
    o.normalize = o.normalize || normalize;
    return o;
  }
};

/// Cuts what is too long, [SEP] kept. Whether there was anything to cut.
bool cut(Ids& ids, Index longest) {
  const auto most = static_cast<std::size_t>(longest);
  if (ids.size() <= most) return false;
  ids[most - 1] = ids.back();
  ids.resize(most);
  return true;
}

/// "1 line", "2 lines".
std::string counted(std::size_t n, const char* what) { return cat(n, " ", what, n == 1 ? "" : "s"); }

/// Sentences of a stream, a line each.
class Lines {
 public:
  /// `loss` is what an error in a line begins with.
  Lines(std::istream& in, const WordPiece& tokenizer, Index longest, std::string loss)
      : in_(in), tokenizer_(tokenizer), longest_(longest), loss_(std::move(loss)) {}

  /// The tokens of the next lines; empty at the end. Throws at a line that is not UTF-8.
  std::vector<Ids> next() {
    constexpr std::size_t most = 4096;  // enough to sort by length, and little memory
    std::vector<Ids> out;
    for (std::string line; wrong_.empty() && out.size() < most && std::getline(in_, line);) {
      ++count_;
      if (line.ends_with('\r')) line.pop_back();
      if (valid_utf8_length(line) < line.size()) {  // what stands before it comes first
        wrong_ = line;
        break;
      }
      empty_ += line.empty();
      out.push_back(tokenizer_.encode(line).ids);
      cut_ += cut(out.back(), longest_);
    }
    if (out.empty()) require_utf8(wrong_, "encode", cat(loss_, "line ", count_));
    require(!in_.bad(), "encode", "cannot read on after line ", count_);
    return out;
  }

  void warn() const {
    if (empty_ > 0) std::cerr << counted(empty_, "empty line") << ", encoded as texts without words\n";
    if (cut_ > 0)
      std::cerr << counted(cut_, "line") << " of more than " << longest_ << " tokens, cut off at the end\n";
  }

 private:
  std::istream& in_;
  const WordPiece& tokenizer_;
  Index longest_;
  std::string loss_, wrong_;
  std::size_t count_ = 0, empty_ = 0, cut_ = 0;
};

void print_rows(const Tensor& rows) {
  const Index E = rows.size(1);
  std::string line;
  for (Index i = 0; i < rows.size(0); ++i) {
    line.clear();
    for (Index j = 0; j < E; ++j) {
      char number[32];
      std::snprintf(number, sizeof number, "%s%.9g", j > 0 ? " " : "",
                    static_cast<double>(rows.data<float>()[i * E + j]));
      line += number;
    }
    std::cout << line << '\n';
  }
}

Tensor lengths_of(const std::vector<Ids>& sentences) {
  Tensor out = Tensor::empty({static_cast<Index>(sentences.size())}, DType::i32);
  for (std::size_t i = 0; i < sentences.size(); ++i)
    out.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(sentences[i].size());
  return out;
}

struct Encode : Encoding {
  fs::path output;

  int operator()() {
    common.apply();
    watch_interrupts();
    std::ios::sync_with_stdio(false);
    const Loaded loaded(folder, common.chosen_device());
    const SentenceOptions o = options(loaded);
    require(o.pooling != Pooling::none || !output.empty(), "encode",
            "--pooling none gives a row for every token; say with --output where they go");
    std::optional<NpyRows> rows, lengths;
    if (!output.empty()) rows.emplace(output);
    if (o.pooling == Pooling::none) lengths.emplace(fs::path(output).replace_extension(".lengths.npy"));

    Lines lines(std::cin, loaded.tokenizer, o.longest,
                output.empty() ? "" : cat("nothing is written to ", output.string(), ": "));
    std::vector<Ids> sentences;
    do {
      sentences = lines.next();
      const Tensor vectors = embed(loaded.model.encoder, sentences, o);
      if (rows)
        rows->write(vectors);
      else
        print_rows(vectors);
      if (lengths) lengths->write(lengths_of(sentences));
      if (interrupted) return interrupted_status;
    } while (!sentences.empty());
    if (lengths) lengths->commit();
    if (rows) rows->commit();
    std::cout.flush();
    require(std::cout.good(), "encode", "cannot write to the standard output");
    if (!common.quiet) lines.warn();
    return 0;
  }
};

struct Similarity : Encoding {
  std::string a, b;

  int operator()() {
    common.apply();
    const Loaded loaded(folder, common.chosen_device());
    SentenceOptions o = options(loaded);
    o.normalize = true;
    std::vector<Ids> sentences;
    for (const std::string& text : {a, b}) {
      require_utf8(text, "similarity", text == a ? "the first text" : "the second text");
      sentences.push_back(loaded.tokenizer.encode(text).ids);
      const bool is_cut = cut(sentences.back(), o.longest);
      if (common.quiet) continue;
      if (text.empty()) std::cerr << "an empty text, encoded as one without words\n";
      if (is_cut) std::cerr << "a text of more than " << o.longest << " tokens, cut off at the end\n";
    }
    const Tensor vectors = embed(loaded.model.encoder, sentences, o);
    double cosine = 0;
    for (Index i = 0; i < vectors.size(1); ++i) cosine += vectors.at({0, i}) * vectors.at({1, i});
    std::printf("%.6f\n", cosine);
    return 0;
  }
};

struct FillMask {
  CommonOptions common;
  fs::path folder, figure;
  std::string text;
  Index count = 5;

  int operator()() {
    common.apply();
    const Loaded loaded(folder, common.chosen_device());
    const auto guesses = guess_masked(loaded.model, loaded.tokenizer, text, count);
    for (std::size_t i = 0; i < guesses.size(); ++i) {
      if (guesses.size() > 1) std::printf("%s[MASK] %zu\n", i > 0 ? "\n" : "", i + 1);
      for (const Guess& g : guesses[i]) std::printf("%.6f  %s\n", g.probability, g.token.c_str());
    }
    if (!figure.empty()) {
      draw_guesses(text, guesses).save(figure);
      std::cerr << figure.string() << '\n';
    }
    return 0;
  }
};

}  // namespace

void add_bert(Commands& commands) {
  Command encode = commands.root.add("encode", "Vectors of sentences, one a line, by a BERT-type encoder");
  Encode& e = encode.calls<Encode>();
  e.add_to(encode, {"mean", "cls", "none"});
  encode
      .option("--output", e.output,
              "A .npy file for them, f32 [sentences,E]; otherwise they are printed. With --pooling none "
              "it has a row for every token, and NAME.lengths.npy beside it says how many of each")
      .check([](const std::string& name) {
        return fs::path(name).extension() == ".npy" ? "" : cat("'", name, "' does not end in .npy");
      });

  Command similarity =
      commands.root.add("similarity", "The cosine of two sentences' vectors by a BERT-type encoder");
  Similarity& s = similarity.calls<Similarity>();
  s.add_to(similarity, {"mean", "cls"});
  similarity.option("first", s.a, "A text").required();
  similarity.option("second", s.b, "Another").required();

  Command fill = commands.root.add("fill-mask", "What a BERT puts in the place of [MASK]");
  FillMask& f = fill.calls<FillMask>();
  fill.option("--model", f.folder, "Folder in Hugging Face's layout").required().folder();
  fill.option("text", f.text, "A text with [MASK] in it").required();
  fill.option("--count", f.count, "How many guesses").with_default().positive();
  fill.option("--figure", f.figure, "Draw bars into this .png or .svg");
  f.common.add_to(fill);

  add_bert_training(commands);
}

}  // namespace fovea::tools

#else

namespace fovea::tools {
void add_bert(Commands&) {}  // built without utf8proc
}  // namespace fovea::tools

#endif
