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


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    moses()
    bleu()
    bpe()
