"""Mistakes in today's block, each convicted by a test that the learner runs.

What a mutant is stands in mutants.py. Most of these leave every shape as it was, and some even
the derivative right: then PyTorch's recorded numbers convict.
"""

import pytest
from mutants import by, trials
from test_parity import recorded

pytestmark = pytest.mark.author


def pick(case):
    """PyTorch's arrays of this case."""
    arrays = recorded("torch_today").items()
    return {k.split("/")[1]: v for k, v in arrays if k.split("/")[0] == case}


def torch_says(name):
    return by("test_parity_today", "test_layers", name=name, case=pick)


def as_torch(name):
    return by("test_parity_today", "test_whole_models", name=name, case=pick)


def option(name):
    return by(
        "test_config", "test_an_option_shows_in_every_layer_that_has_it_and_in_no_other", name=name
    )


def today(test, **given):
    return by("test_today", test, **given)


silu = by("test_parity_today", "test_silu", case=pick)
rms, rms_large = torch_says("rms_norm"), torch_says("rms_norm_large_epsilon")
swiglu, grouped, rotary = (torch_says(name) for name in ("swiglu", "grouped_attention", "rotary"))
smollm2, minilm = as_torch("today"), as_torch("encoder")
derivative = today(
    "test_the_gradient_of_every_parameter_with_all_options_on",
    kind="encoder-decoder", tied=True, pre_norm=True,
)  # fmt: skip
shared = today("test_shared_keys_are_keys_of_equal_weights", turns=False)
kept = today("test_the_kv_cache_holds_the_key_heads_alone", cuts=(4, 1, 1))
older = today("test_an_older_file_is_read_as_it_was_meant")
other_style = today("test_an_older_file_is_no_file_of_todays")
unfilled = today("test_nothing_is_drawn_for_weights_that_are_filled_later")
undrawn = today("test_a_model_is_loaded_without_a_draw")
not_divided = today("test_key_heads_that_do_not_divide_the_heads")
too_large = today("test_a_vector_too_large_for_its_square_is_refused")

SUM = "dx.reshape(B, key_heads, -1, S, K).sum(axis=2)"
REPEAT = "x[:, np.arange(heads) // (heads // x.shape[1])]"
MUTANTS = [
    ("shared keys: the mean over the queries, not the sum", "attention", SUM, SUM.replace("sum", "mean"), shared),
    ("shared keys: one query alone is heard", "attention", SUM, "dx.reshape(B, key_heads, -1, S, K)[:, :, 0]", grouped),
    ("shared keys: summed over the wrong queries", "attention", SUM, "dx.reshape(B, -1, key_heads, S, K).sum(axis=1)", grouped),
    ("shared keys: tiled, not repeated", "attention", REPEAT, "x[:, np.arange(heads) % x.shape[1]]", grouped),
    ("shared keys: tiled there and back: the derivative is right", "attention", f"{REPEAT}\n\n\ndef summed", "x[:, np.arange(heads) % x.shape[1]]\n\n\ndef summed", shared),
    ("shared keys: the cache keeps a copy for each query", "attention", "kv_cache.extend(key, value)\n", "kv_cache.extend(repeated(key, self.heads), repeated(value, self.heads))\n", kept),
    ("shared keys: not those of the memory", "transformer", "c.bias, None, c.key_heads)", "c.bias)", option("key_heads")),
    ("shared keys: not in self-attention", "transformer", "c.bias, c.rotary(), c.key_heads)", "c.bias, c.rotary())", option("key_heads")),
    ("shared keys: any number will do", "guard", "fits = heads % whole_number(", "fits = heads * 0 * whole_number(", not_divided),
    ("reading on keeps every cache", "transformer", "None, None, None, None, state, last, keep=False)", "None, None, None, None, state, last)", today("test_what_is_read_to_be_written_on_keeps_no_caches")),
    ("silu: the slope is the share alone", "functional", "return dy * share * (1 + z * (1 - share))", "return dy * share", silu),
    ("silu: the slope of sigmoid", "functional", "return dy * share * (1 + z * (1 - share))", "return dy * share * (1 - share)", silu),
    ("silu: sigmoid alone", "functional", "return z * share, (z, share)", "return share, (z, share)", silu),
    ("rms: its gain forgotten", "layers", "return normal * self.gamma, (normal, scale)", "return normal, (normal, scale)", rms),
    ("rms: its gain forgotten on the way back", "layers", "dx = dy * self.gamma  # (..., D)\n        dx -= normal * mean", "dx = dy.copy()\n        dx -= normal * mean", rms),
    ("rms: the gain comes after the mean", "layers", "dx -= normal * mean(dx * normal)", "dx -= normal * mean(dy * normal)", rms),
    ("rms: nothing through the scale", "layers", "        dx -= normal * mean(dx * normal)  # every x moved the scale of its whole vector\n", "", rms),
    ("rms: dgamma of x before it was normed", "layers", "self.dgamma += column_sums(dy * normal)", "self.dgamma += column_sums(dy * normal / scale)", rms),
    ("rms: epsilon added to the root", "layers", "/ x.shape[-1] + epsilon) ** -0.5", "/ x.shape[-1]) ** -0.5 / (1 + epsilon)", rms_large),
    ("rms: epsilon in the sum, not in the mean", "layers", "(np.vecdot(x, x)[..., None] / x.shape[-1] + epsilon)", "((np.vecdot(x, x)[..., None] + epsilon) / x.shape[-1])", rms_large),
    ("rms: the sum of squares, not the mean", "layers", "/ x.shape[-1] + epsilon)", "+ epsilon)", rms),
    ("rms: a mean is taken away", "layers", "        scale = one_over_rms(x, self.epsilon)", "        x = x - mean(x)\n        scale = one_over_rms(x, self.epsilon)", rms),
    ("rms: a square beyond all numbers is taken for one", "layers", "if np.count_nonzero(scale) < scale.size:", "if False:", too_large),
    ("gate: the other half is bent", "layers", "opened, silu_cache = silu(z)", "opened, silu_cache = silu(up)\n        up = z", swiglu),
    ("gate: its own way back forgotten", "layers", "dx = self.gate.backward(dz, cache.gate)", "dx = 0 * self.gate.backward(dz, cache.gate)", swiglu),
    ("gate: what it lets through is not heard of", "layers", "dx += self.inner.backward(dhidden * cache.opened, cache.inner)", "dx += 0 * self.inner.backward(dhidden * cache.opened, cache.inner)", swiglu),
    ("gate: its gradient without what it was multiplied by", "layers", "silu_backward(dhidden * cache.up, cache.silu)", "silu_backward(dhidden, cache.silu)", swiglu),
    ("gate: with biases, whatever was asked", "transformer", "SwiGLU(c.d_model, c.d_ff, rng, dtype, c.bias)", "SwiGLU(c.d_model, c.d_ff, rng, dtype)", option("bias")),
    ("rotary: the base is not read", "positions", "look_up(x.shape[-2], self.width, self.base, start, x.dtype)", "look_up(x.shape[-2], self.width, 10000.0, start, x.dtype)", rotary),
    ("rotary: the base does not reach the heads", "transformer", "RotaryPositions(self.d_model // self.heads, self.rotary_base)", "RotaryPositions(self.d_model // self.heads)", smollm2),
    ("norms: LayerNorm, whatever was asked", "transformer", "NORMS[self.norm](", "NORMS['layer'](", smollm2),
    ("the embedding is scaled, whatever was asked", "transformer", "c.tied if c.scaled is None else c.scaled", "c.tied", smollm2),
    ("the embedding's norm is skipped", "transformer", "            x, first_cache = self.embedding_norm.forward(x)", "            pass", minilm),
    ("the embedding's norm is skipped on the way back", "transformer", "            dx = self.embedding_norm.backward(dx, cache.embedding_norm)", "            pass", derivative),
    ("the embedding's norm comes before the positions", "transformer", "        if self.positions:\n            x, positions_cache = self.positions.forward(x, start)\n        if self.embedding_norm:\n            x, first_cache = self.embedding_norm.forward(x)\n", "        if self.embedding_norm:\n            x, first_cache = self.embedding_norm.forward(x)\n        if self.positions:\n            x, positions_cache = self.positions.forward(x, start)\n", minilm),
    ("files: an older one is refused", "saving", "                saved.setdefault(setting.name, setting.default)\n", "                pass\n", older),
    ("files: any older one will do", "saving", "saved.setdefault(setting.name, setting.default)", "saved.setdefault(setting.name, getattr(model.config, setting.name))", other_style),
    ("files: the key heads stand among the settings", "attention", 'switches = (*Layer.switches, "key_heads")', "switches = Layer.switches", older),
    ("files: the switches of the whole model are asked", "layers", "*layer.switches", "*self.switches", older),
    ("files: a model is drawn before it is read", "transformer", "model = cls(config, UNFILLED, dtype)", "model = cls(config, np.random.default_rng(0), dtype)", undrawn),
    ("unfilled: drawn all the same", "layers", "        return np.zeros(shape, dtype)\n", "        rng = np.random.default_rng(0)\n", unfilled),
]  # fmt: skip
test_the_code_as_it_is_passes, test_convicted = trials(MUTANTS)
