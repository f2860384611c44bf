#!/usr/bin/env python3
"""Writes tests/golden/text/: what the tokenizers and BLEU are held against.

Made with sacremoses 0.2.0, sacrebleu 2.6.0, subword-nmt 0.3.8, tokenizers 0.23.3, transformers 5.23.0.
"""
import gzip
import io
import json
import pathlib
import random
import shutil

import sacrebleu.metrics
from sacremoses import MosesPunctNormalizer, MosesTokenizer
from subword_nmt.apply_bpe import BPE
from subword_nmt.learn_bpe import learn_bpe
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
OUT = HERE / "text"
NOVEL = gzip.open(HERE.parent.parent / "models/data/thursday/text.gz", "rt").read().split("\n")

# ---- Words -------------------------------------------------------------------------------------------

MOSES = {
    "en": [
        "Two young, White males are outside near many bushes.",
        "The man's dog -- a \"Labrador\" -- can't swim; it won't!",
        "She paid $3,500.50 (about 3 000 €) in the 1990's, i.e. long ago.",
        "A sign reads “Don’t stop”, he said… and left at 5:30 p.m. on U.S. soil.",
        "Rock-n-roll ‘singers’ of the ’80s, at 100% volume & more...",
        "A,B,C and 1,2,3 , or x,1 and 1,x ; http://example.org/a_b?c=d#e",
        "  Tabs\tand   spaces  . The end . ",
        "No. 5 is alive. No. It is not. E. T. phones Mr. Smith.",
        "He said,\"yes\". She said \"no.\" They said \"perhaps\",maybe.",
        "quotes `` like '' these, `this' and",
        "naïve café, Ærøskøbing, ĲSSELMEER, ÉCOLE, ΑΒΓ, ДОМ",
        "dots .. here.... and there.and here .5 and 5. and a.b.c.",
    ],
    "de": [
        "Zwei junge weiße Männer sind im Freien in der Nähe vieler Büsche.",
        "Ein Mann, z.B. Fred, schläft. Eine Frau (ca. 30) nicht.",
        "„Das ist's“, sagte er – und ging um 10.30 Uhr, d.h. früh.",
        "Am 3. Mai kosteten 1.234,50 € etwa 20 % mehr.",
        "Straßen-Café »Zur Post« in ÖSTERREICH; GROẞ geschrieben!",
        "Sie hat ein \"Schild.\" Und er sagt,\"nein\".",
        "Ein Kind mit Hut...und Mantel… steht da.",
    ],
    "fr": [
        "Deux jeunes hommes blancs sont dehors près d'une haie.",
        "L'homme qu’on voit aujourd'hui n'est pas là : « où est-il ? »",
        "Il est 10 h 30, c.-à-d. tôt ; l'été dernier, 12 500 personnes.",
        "Elle dit « oui », puis\u00A0: « non\u00A0» !",
        "M. Dupont et Mme. Durand, p. 5.",
    ],
}


def moses():
    lines = []
    for language, sentences in MOSES.items():
        tokenizer, normalizer = MosesTokenizer(lang=language), MosesPunctNormalizer(lang=language)
        for sentence in sentences:
            # Not at a line's ends: the Perl script's rules see a space there, the port's see nothing.
            text = normalizer.normalize(sentence.lower())
            lines.append([language, sentence, " ".join(tokenizer.tokenize(text, escape=False))])
    (OUT / "moses.json").write_text(json.dumps(lines, ensure_ascii=False, indent=0) + "\n")


# ---- BLEU --------------------------------------------------------------------------------------------


def bleu():
    rng = random.Random(7)
    cases = []
    for vocabulary, lines, references in [(5, 4, 1), (8, 30, 1), (12, 20, 3), (4, 6, 2), (40, 3, 1), (6, 1, 2)]:
        words = [f"w{i}" for i in range(vocabulary)]
        def sentence():
            return " ".join(rng.choice(words) for _ in range(rng.randrange(1, 15)))
        refs = [[sentence() for _ in range(lines)] for _ in range(references)]
        candidates = []
        for i in range(lines):  # references with words left out, put in or changed
            tokens = [t if rng.random() < 0.8 else rng.choice(words) for t in refs[0][i].split() if rng.random() < 0.9]
            candidates.append(" ".join(tokens) or words[0])
        score = sacrebleu.metrics.BLEU(tokenize="none", smooth_method="none", force=True).corpus_score(candidates, refs)
        cases.append({"candidates": candidates, "references": refs, "score": score.score, "precisions": score.precisions,
                      "brevity_penalty": score.bp, "candidate_length": score.sys_len, "reference_length": score.ref_len})
    (OUT / "bleu.json").write_text(json.dumps(cases, indent=0) + "\n")


# ---- BPE ---------------------------------------------------------------------------------------------


def bpe():
    tokenizer = MosesTokenizer(lang="en")
    words = [" ".join(tokenizer.tokenize(line.lower(), escape=False)) for line in NOVEL[300:600]]
    words += ["größer grösser größte ää äää ääää aaaa aaaaa abababab", "x", "unaffable zzzz 漢字漢 😀😀"]
    text = "\n".join(words) + "\n"
    codes = io.StringIO()
    learn_bpe(io.StringIO(text), codes, 400)
    applied = BPE(io.StringIO(codes.getvalue()))
    pieces = "".join(applied.process_line(line + "\n") for line in words)
    (OUT / "bpe_words.txt").write_text(text)
    (OUT / "bpe_codes.txt").write_text(codes.getvalue())
    (OUT / "bpe_pieces.txt").write_text(pieces)


# ---- WordPiece and byte-level BPE --------------------------------------------------------------------

LINES = [
    "", " ", "Hello, World!", "The man who was Thursday.", "  leading and trailing  ", "don't can't I'll we've they're he'd I'm",
    "DON'T 'S 'Tis it 's", "naïve café résumé Ångström ŒUVRE ﬁne ĳ İstanbul ıi ß ẞ ǅ", "e\u0301 a\u0300\u0323 \u0323a q\u0307\u0323",
    "Ελληνικά ΣΊΣΥΦΟΣ Москва Ёлка عَرَبِيّ עִבְרִית हिन्दी ไทย", "漢字とかなカナ 한국어 한글 㐀 \U00020000 豈 ｆｕｌｌ　ｗｉｄｔｈ １２３", "日本語text混ざりabc",
    "😀 👍🏽 👨\u200d👩\u200d👧 🇩🇪 ☺\ufe0f❤", "tab\there\nnew line\r\nreturn\x0bvt\x0cff", "nul\x00 bell\x07 esc\x1b del\x7f c1\x80\x85\x9f end",
    "soft\u00adhyphen zero\u200bwidth bom\ufeff rlm\u200f word\u2060joiner \ufffd replaced", "spaces:\u00a0\u1680\u2003\u2009\u202f\u205f\u3000|\u2028|\u2029.",
    "a" * 99, "a" * 100, "a" * 101, "é" * 100, "é" * 101, "漢" * 120, "supercalifragilisticexpialidocious" * 4, "x" * 3000,
    "[CLS] he said [SEP] [MASK] [PAD] [UNK] [mask] [ MASK ]", "no[MASK]space[MASK][MASK] [SEP]end", "<|endoftext|> start <|endoftext|><|endoftext|>x <|end",
    "price: $3.50, 100% #hashtag @user a_b c-d e/f (g) [h] {i} ~`^|\\<>=+*&", "…—–“quoted”‘q’ «g» ¿qué? ¡ya! §±×÷€£¥", "1234567890 3.14 ½ ² Ⅷ ① ٣٤٥ 1st",
    "   three   spaces   inside   ", "\n\n\n", "\t\tx", "a\u00a0\u00a0b  \u00a0c", "trailing space ", "##ing ##s # # the##re", "\U0010ffff\ue000 private \ufdd0",
    "Syme said that he was not a poet; the anarchist smiled.", "I must ask you to forgive me all these formalities, said Gregory.", "unaffable", "Ünaffable ÜNAFFABLE",
]


def random_lines(count):
    """Of code points that Unicode has had since 3.2, so that no library's tables differ."""
    import unicodedata
    rng = random.Random(11)
    known = [c for c in range(0x30000) if unicodedata.ucd_3_2_0.category(chr(c)) not in ("Cn", "Cs")]
    common = "abcdefghijklmnopqrstuvwxyz THE  .,'\n"
    lines = []
    for _ in range(count):
        line = ""
        while rng.random() < 0.97:
            kind = rng.random()
            if kind < 0.5:
                line += rng.choice(common)
            elif kind < 0.8:
                line += chr(rng.choice(known))
            elif kind < 0.9:
                line += chr(rng.choice([rng.randrange(0x20, 0x250), rng.randrange(0x300, 0x340), rng.randrange(0xAC00, 0xAD00)]))
            elif kind < 0.97:
                line += rng.choice(["'s", "'ll", " the", " and", "  ", "\t", "\u3000", " '", "ing"])
            else:
                line += rng.choice(["[MASK]", "[SEP]", "<|endoftext|>"])
        lines.append(line)
    return lines


def word_piece(lines):
    from transformers import BertTokenizerFast
    trainer = trainers.WordPieceTrainer(vocab_size=500, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False)
    base = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    base.normalizer = normalizers.BertNormalizer()
    base.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    base.train_from_iterator(NOVEL, trainer)
    vocabulary = [t for t, _ in sorted(base.get_vocab().items(), key=lambda x: x[1])]
    extra = "漢 字 ##字 日 本 語 한 ᄒ ##ᅡ ##ᆫ ##국 é ##é ß ##ß α ##α ω м ##о ##с # $ % @ & / ( ) [ ] { } « » “ ” … — 😀 👍 ☺ ½ ² 1 ##1 2 ##2 3 0 A T ##H The"
    vocabulary += [t for t in extra.split() if t not in vocabulary]
    folder = OUT / "bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text("".join(t + "\n" for t in vocabulary))

    tokenizers = {"uncased": BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=True).backend_tokenizer}
    cased = Tokenizer(models.WordPiece({t: i for i, t in enumerate(vocabulary)}, unk_token="[UNK]", max_input_chars_per_word=50))
    cased.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=False)
    cased.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    cased.add_special_tokens([AddedToken(t, normalized=False) for t in special])
    cased.add_special_tokens([AddedToken("[MASK]", lstrip=True, rstrip=True, normalized=False)])
    cased.add_tokens([AddedToken("poet", single_word=True, normalized=False), AddedToken("<|endoftext|>", normalized=False)])
    cased.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[(t, cased.token_to_id(t)) for t in ("[CLS]", "[SEP]")])
    cased.decoder = decoders.WordPiece()
    cased.save(str(folder / "cased.json"), pretty=False)
    tokenizers["cased"] = cased
    tokenizers["uncased"].save(str(folder / "tokenizer.json"), pretty=False)

    golden = {"lines": lines}
    for name, tokenizer in tokenizers.items():
        tokenizer.no_truncation()
        tokenizer.no_padding()
        golden[name] = [tokenizer.encode(line).ids for line in lines]
    pairs = []
    for most in (0, 3, 4, 5, 8, 9, 20, 21, 40):
        if most:
            tokenizers["uncased"].enable_truncation(most)
        for a, b in [(3, 2), (2, 3), (3, 3), (0, 2), (2, 0), (28, 29), (29, 2), (2, 29)]:
            e = tokenizers["uncased"].encode(lines[a], lines[b])
            pairs.append([a, b, most, e.ids, e.type_ids])
        if most:
            pairs.append([28, -1, most, tokenizers["uncased"].encode(lines[28]).ids, []])
    golden["pairs"] = pairs
    golden["decoded"] = [tokenizers["uncased"].decode(ids) for ids in golden["uncased"][3:5]]
    (OUT / "bert.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


def byte_bpe(lines):
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  show_progress=False)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(NOVEL + LINES, trainer)
    folder = OUT / "gpt2"
    folder.mkdir()
    tokenizer.model.save(str(folder))
    spaced = Tokenizer.from_str(tokenizer.to_str())
    spaced.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    spaced.add_special_tokens([AddedToken("[MASK]", lstrip=True)])  # beyond the model's own ids
    spaced.save(str(folder / "spaced.json"), pretty=False)
    ids = [tokenizer.encode(line).ids for line in lines]
    assert [tokenizer.decode(i, skip_special_tokens=False) for i in ids] == lines
    golden = {"plain": ids, "spaced": [spaced.encode(line).ids for line in lines]}
    (OUT / "gpt2.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    moses()
    bleu()
    bpe()
    all_lines = LINES + random_lines(150)
    word_piece(all_lines)
    byte_bpe(all_lines)
