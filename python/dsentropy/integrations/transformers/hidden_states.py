"""Hidden states of a model of transformers as modules that hooks can take: ``layer_00``, the embeddings, and so on.

A model with an encoder and a decoder has ``encoder_layer_00`` and ``decoder_layer_00``. The states are asked for by
``output_hidden_states=True``, and become rows with the mask of their own tokens.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

import torch

from dsentropy._checks.printing import printed
from dsentropy.integrations.name_pattern import matching
from dsentropy.integrations.pool import Pool
from dsentropy.integrations.torch import untouched
from dsentropy.integrations.torch.masks import GivenMask, mask_of
from dsentropy.integrations.torch.named_layers import unwrapped
from dsentropy.integrations.torch.pooling import rows_of
from dsentropy.integrations.torch.structure import LABELS, on_device

_STATES = {
    "hidden_states": "layer",
    "encoder_hidden_states": "encoder_layer",
    "decoder_hidden_states": "decoder_layer",
}
"""Names of layers by the names of outputs."""

_IGNORED = -100
"""The label of a token that does not count."""


class HiddenStates(torch.nn.Module):
    """A model, called with whole batches, whose hidden states pass through modules without parameters.

    Parameters
    ----------
    model : torch.nn.Module
        A model that takes ``output_hidden_states``.
    pool : str or callable
        How states become rows, see :func:`pooled`.
    mask : str, callable or None
        The mask of a batch, see :class:`LayerMonitor`; not that of a decoder.
    label_names : collection of str
        Keys of a batch that the model is not given.
    """

    def __init__(self, model: Any, pool: Pool, mask: GivenMask, label_names: Collection[str]) -> None:
        super().__init__()
        self.model, self._pool, self._mask = model, pool, mask
        self._label_names = {*LABELS, *label_names}
        self._first = 0

    def name_states(self, batch: Any) -> list[str]:
        """Run one batch, and return the names of its hidden states, none where the model has none to give.

        A module is made for each.
        """
        known = parameters_of(self.model)
        if "output_hidden_states" not in known and not any(one.kind is one.VAR_KEYWORD for one in known.values()):
            return []
        with untouched(self):
            names = [*self._states(on_device(batch, next(self.parameters()).device))]
        for name in names:
            self.add_module(name, torch.nn.Identity())
        return names

    def forward(self, batch: Any) -> None:
        """Run a batch, and pass the rows of each hidden state through its module."""
        for name, (state, mask) in self._states(batch).items():
            getattr(self, name)(rows_of(state, self._pool, mask, name, first=self._first))
        self._first += _n_items(batch)  # put back after the pass, as all plain attributes

    def run(self, batch: Any, **options: Any) -> tuple[Any, Any]:
        """Return the output of the model for a batch, without its labels, and the mask of the decoder's tokens."""
        if not isinstance(batch, Mapping):
            raise TypeError(f"probe must have batches that are mappings, as of a tokenizer, got {printed(batch)}")
        inputs = {name: entry for name, entry in batch.items() if name not in self._label_names}
        decoder_mask = inputs.get("decoder_attention_mask")
        is_encoder_decoder = getattr(getattr(unwrapped(self.model), "config", None), "is_encoder_decoder", False)
        if is_encoder_decoder and not {"decoder_input_ids", "decoder_inputs_embeds"} & set(inputs):
            inputs["decoder_input_ids"], decoder_mask = self._decoder_inputs(batch)
        return self.model(**inputs, **options), decoder_mask

    def _states(self, batch: Any) -> dict[str, tuple[torch.Tensor, Any]]:
        """Return the hidden states of a batch by name, each with the mask of its tokens."""
        options = {"use_cache": False} if "use_cache" in parameters_of(self.model) else {}
        output, decoder_mask = self.run(batch, output_hidden_states=True, return_dict=True, **options)
        mask = mask_of(batch, self._mask)
        masks = {"hidden_states": mask, "encoder_hidden_states": mask, "decoder_hidden_states": decoder_mask}
        return {
            f"{layer}_{i:02d}": (state, masks[name])
            for name, layer in _STATES.items()
            for i, state in enumerate(output.get(name) or ())
        }

    def _decoder_inputs(self, batch: Mapping[str, Any]) -> tuple[torch.Tensor, Any]:
        """Return the decoder's inputs that labels make, with their mask; without labels the token that starts."""
        labels, model = batch.get("labels"), unwrapped(self.model)
        if isinstance(labels, torch.Tensor) and labels.ndim == 2:
            made = model.prepare_decoder_input_ids_from_labels(labels=labels)
            # The input of a token is the label before it.
            return made, torch.nn.functional.pad(labels[:, :-1] != _IGNORED, (1, 0), value=True)
        configs = [model.config, getattr(model, "generation_config", None)]
        starts = [getattr(config, "decoder_start_token_id", None) for config in configs]
        start = next((one for one in starts if one is not None), None)
        if start is None:
            raise ValueError(
                "probe must have 'decoder_input_ids' or 'labels' of tokens in each batch, got none, and the model "
                "has no decoder_start_token_id"
            )
        return torch.full((_n_items(batch), 1), start, device=next(self.parameters()).device), None


def _n_items(batch: Mapping[str, Any]) -> int:
    return len(next(iter(batch.values())))


def parameters_of(model: Any) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a model's ``forward``; of one with adapters, those of the model within."""
    inner = unwrapped(model)
    inner = inner.get_base_model() if hasattr(inner, "get_base_model") else inner
    return inspect.signature(type(inner).forward).parameters


def chosen_states(layers: Any, names: list[str]) -> list[str] | None:
    """Return the hidden states that ``layers`` asks for; None where it asks for modules.

    Parameters
    ----------
    layers : None, int, str, or iterable of them
        All; numbers, which count from 0, the embeddings, or from the end where they are negative; names; or patterns.
    names : list of str
        The names of all hidden states.
    """
    if layers is None:
        return names
    given = [layers] if isinstance(layers, (str, int, torch.nn.Module)) else list(layers)
    found = [_matches(one, names) for one in given]
    if not any(found):
        return None
    if not all(found):
        raise ValueError(
            f"layers must be hidden states, {printed(names)}, or modules, not both, got "
            f"{printed(given[found.index([])])} among hidden states"
        )
    return [name for name in names if any(name in one for one in found)]


def _matches(one: Any, names: list[str]) -> list[str]:
    if isinstance(one, int) and not isinstance(one, bool):
        if not -len(names) <= one < len(names):
            raise ValueError(f"layers must be numbers of hidden states, 0 to {len(names) - 1}, got {one}")
        return [names[one]]
    if isinstance(one, str):
        return [one] if one in names else matching(one, names, ".")
    return []
