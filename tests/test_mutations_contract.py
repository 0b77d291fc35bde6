"""Mistakes in what the contract promises: each is convicted by a test that the learner runs.

Options that reach nobody, ablated heads, what is frozen, what a file holds, the door.
"""

import numpy as np
import pytest
from mutants import by, trials

pytestmark = pytest.mark.author


def option(name):
    return by(
        "test_config", "test_an_option_shows_in_every_layer_that_has_it_and_in_no_other", name=name
    )


def odd(name):
    return by(
        "test_config", "test_an_odd_value_is_refused_in_one_line_that_names_the_field", name=name
    )


def file(name):
    return by(
        "test_config", "test_what_is_no_file_of_a_transformer_is_refused_in_one_line", name=name
    )


def architecture(name):
    return by(
        "test_checkpoint_files",
        "test_another_architecture_is_refused_by_the_setting_s_name",
        name=name,
    )


def frozen(name):
    return by(
        "test_freeze", "test_a_frozen_layer_has_no_gradients_and_hands_on_the_same", name=name
    )


def keeps_nothing(name):
    return by("test_contract", "test_a_run_leaves_nothing_on_a_layer_but_gradients", name=name)


def reading(name):
    return by(
        "test_contract", "test_reading_on_is_reading_the_whole_text", name=name, cuts=[4, 1, 3, 1]
    )


def heads(test, **given):
    return by("test_ablated_heads", test, **given)


def dropping(kind):
    return by(
        "test_config", "test_in_training_every_dropout_drops_and_without_an_rng_none", kind=kind
    )


def rebuilt(dtype, style=None):
    return by(
        "test_config",
        "test_a_file_is_enough_to_build_the_model_again",
        style=style or {},
        dtype=dtype,
    )


def shown(kind):
    return by(
        "test_transformer", "test_a_model_s_cache_shows_the_weights_of_every_layer", kind=kind
    )


SIZES = dict(B=2, T=3, S=5, D=8)
X, MEMORY = (
    np.random.default_rng(1).normal(size=(2, 3, 8)),
    np.random.default_rng(2).normal(size=(2, 5, 8)),
)
WIDE, WIDE_MEMORY = (
    np.random.default_rng(1).normal(size=(2, 3, 12)),
    np.random.default_rng(2).normal(size=(2, 5, 12)),
)

one_door = by(
    "test_contract",
    "test_what_was_looked_at_at_the_door_is_trusted_inside",
    where="rotary",
    activation="relu",
)
shut = by("test_contract", "test_a_refused_or_broken_call_leaves_the_door_shut")
activation = by("test_contract", "test_an_activation_of_the_table_reaches_every_feed_forward")
no_way_back = by("test_transformer", "test_no_way_back_after_writing", x=X, memory=MEMORY)
causal = by("test_transformer", "test_causal_masks")
spread = by("test_config", "test_what_the_layers_read_starts_at_spread_1", tied=True)
copies = by("test_freeze", "test_copies_stay_frozen")
saved_frozen = by("test_freeze", "test_saved_and_loaded_frozen_or_not", frozen_first=True)
no_memory = by("test_freeze", "test_gradients_take_no_memory")
moved = by("test_freeze", "test_an_optimizer_moves_what_is_not_frozen_alone")
shared = by("test_freeze", "test_a_table_under_two_names_is_frozen_where_it_is_shared")
others = by(
    "test_freeze", "test_the_other_gradients_are_those_of_the_whole", part="its queries", tied=True
)
is_derivative = heads("test_backward_is_the_derivative", heads=(0,), x=WIDE, memory=WIDE_MEMORY)
counts_as_0 = heads(
    "test_what_an_ablated_head_found_counts_as_0", heads=[1, 3], x=WIDE, memory=WIDE_MEMORY
)
named_layers = heads(
    "test_a_model_ablates_the_heads_of_the_layers_that_are_named",
    ablated={1: (0, 2)},
    kind="decoder",
)
dropped_is_free = by(
    "test_checkpoint_files", "test_what_is_dropped_ablated_or_was_looked_at_is_no_architecture"
)

MUTANTS = [
    # options that reach nobody
    ("cross-attention keeps its biases", "transformer", "c.bias, None, c.key_heads)", "True, None, c.key_heads)", option("bias")),
    ("the feed-forward keeps its biases", "transformer", "c.activation, c.bias)", "c.activation)", option("bias")),
    ("the output keeps its bias", "transformer", "Linear(c.d_model, width, rng, dtype, c.bias)", "Linear(c.d_model, width, rng, dtype)", option("bias")),
    ("attention's own output keeps its bias", "attention", "self.output = linears\n", "self.output = linears\n        self.output = Linear(d_model, d_model, rng, dtype)\n", option("bias")),
    ("relu where gelu was asked for", "transformer", "rng, dtype, c.activation, c.bias)", "rng, dtype, 'relu', c.bias)", option("activation")),
    ("rotary positions ignore their base", "transformer", "self.d_model // self.heads, self.rotary_base)", "self.d_model // self.heads)", option("rotary_base")),
    ("rotary positions for nobody", "transformer", "c.bias, c.rotary(), c.key_heads)", "c.bias, None, c.key_heads)", option("positions")),
    ("norms ignore epsilon", "transformer", "(self.d_model, dtype, self.epsilon)", "(self.d_model, dtype)", option("epsilon")),
    ("no dropout in any branch", "transformer", "config.new_norm(dtype), Dropout(config.dropout)", "config.new_norm(dtype), Dropout(0.0)", option("dropout")),
    ("no dropout after the embedding", "transformer", "self.dropout = Dropout(c.dropout)", "self.dropout = Dropout(0.0)", option("dropout")),
    ("pre-norm whatever was asked for", "transformer", "layer, config.pre_norm", "layer, True", option("pre_norm")),
    ("a last norm under post-norm", "transformer", "c.new_norm(dtype) if c.pre_norm else None", "c.new_norm(dtype)", option("pre_norm")),
    ("the encoder reads with the decoder's vocabulary", "transformer", "Stack(EncoderLayer, c.source_size,", "Stack(EncoderLayer, c.vocabulary_size,", option("source_size")),
    ("as many outputs as ids, always", "transformer", "c.output_size or c.vocabulary_size", "c.vocabulary_size", option("output_size")),
    ("512 learned positions, always", "transformer", "LearnedPositions(c.context_length,", "LearnedPositions(512,", option("context_length")),
    ("a layer too few", "transformer", "for _ in range(c.layers)", "for _ in range(max(1, c.layers - 1))", option("layers")),
    ("a table of its own is multiplied too", "transformer", "** 0.5 if scaled else 1.0", "** 0.5", option("tied")),
    ("the tied table starts √D too large", "transformer", "        self.embedding.W /= self.scale\n", "", spread),
    ("the encoder's dropout never drops", "transformer", "self.encoder.forward(source, mask, rng=rng)", "self.encoder.forward(source, mask)", dropping("encoder-decoder")),
    ("cross-attention's dropout never drops", "transformer", "cross_mask, of_memory, rng=rng)", "cross_mask, of_memory)", dropping("encoder-decoder")),
    ("self-attention's dropout never drops", "transformer", "self.attention.forward(x, mask, kv_cache, ablated_heads, rng=rng)", "self.attention.forward(x, mask, kv_cache, ablated_heads)", dropping("decoder")),
    ("the embedding's dropout never drops", "transformer", "x, dropout_cache = self.dropout.forward(x, rng)", "x, dropout_cache = self.dropout.forward(x)", dropping("encoder")),
    ("dropped branches get a gradient", "transformer", "dinside = self.dropout.backward(dy, cache.dropout)", "dinside = dy", dropping("encoder")),
    ("what was dropped at the embedding gets a gradient", "transformer", "        dx = self.dropout.backward(dx, cache.dropout)\n", "", dropping("encoder")),
    ("the table of activations is not read", "layers", "activate, _ = ACTIVATIONS[self.activation]", "activate, _ = ACTIVATIONS['relu']", activation),
    ("its way back is not read", "layers", "_, activate_backward = ACTIVATIONS[self.activation]", "_, activate_backward = ACTIVATIONS['relu']", activation),
    # the config
    ("a config can be changed", "transformer", "@dataclass(frozen=True)", "@dataclass(unsafe_hash=True)", by("test_config", "test_a_config_cannot_be_changed", name="heads")),
    ("sizes may be anything", "transformer", "guard.whole_number(name, getattr(self, name))", "pass", odd("layers")),
    ("truths may be anything", "transformer", "guard.truth(name, getattr(self, name))", "pass", odd("tied")),
    ("heads need not divide the width", "transformer", "guard.heads(self.d_model, self.heads), self", "self.heads, self", odd("heads")),
    ("dropout may be anything", "transformer", '        guard.fraction("dropout", self.dropout)\n', "", odd("dropout")),
    ("a base may be anything", "transformer", "guard.positive(name, getattr(self, name))", "pass", odd("rotary_base")),
    ("positions may be anything", "transformer", '        guard.one_of("positions", self.positions, POSITIONS)\n', "", odd("positions")),
    ("a source nobody reads", "transformer", 'guard.absent("source_size", self.source_size, f"kind is {self.kind!r}")', "pass", by("test_silent", "test_what_nobody_would_read_is_refused", kind="decoder", name="source")),
    ("a width that cannot be turned", "transformer", "            guard.optional(guard.whole_number, \"output_size\", self.output_size)\n        self.rotary()\n", "            guard.optional(guard.whole_number, \"output_size\", self.output_size)\n", by("test_config", "test_what_does_not_go_together_is_refused", options=dict(positions="rotary", heads=8), message="width=1: an even number of columns, turned in pairs, was expected")),
    # files
    ("the config is not saved", "saving", 'about["config"] = asdict(model.config)', "pass", rebuilt(np.float32)),
    ("always loaded in float64", "saving", "key=lambda dtype: dtype.itemsize)", "key=lambda dtype: dtype.itemsize) and np.dtype(np.float64)", rebuilt(np.float32)),
    ("always loaded in float32", "saving", "key=lambda dtype: dtype.itemsize)", "key=lambda dtype: -dtype.itemsize)", rebuilt(np.float64)),
    ("loaded, and its numbers forgotten", "transformer", "        saving.load(path, model)\n        return model", "        return model", rebuilt(np.float32)),
    ("configs are not compared", "saving", 'if hasattr(model, "config") and "config" in about:', "if False:", architecture("layers")),
    ("dropout is compared", "saving", 'dict(about["config"]), {"dropout": None}', 'dict(about["config"]), {}', dropped_is_free),
    ("settings are not compared", "saving", '        _compare("model", about["model"], dict(model.settings()))\n', "", architecture("stack.layers.0.attention.layer.heads")),
    ("the file is not named", "transformer", "except (TypeError, ValueError) as error:", "except TypeError as error:", file("an odd setting")),
    ("an unknown setting in Python's words", "transformer", "except (TypeError, ValueError) as error:", "except ValueError as error:", file("an unknown setting")),
    # ablated heads
    ("an ablated head is heard", "attention", "context = without(context, ablated_heads)", "pass", counts_as_0),
    ("the first head instead", "attention", "x[:, list(ablated_heads)] = 0", "x[:, :len(ablated_heads)] = 0", counts_as_0),
    ("its queries are silenced, not its context", "attention", "x[:, list(ablated_heads)] = 0", "x[:, :, list(ablated_heads)] = 0", heads("test_a_model_ablates_the_heads_of_the_layers_that_are_named", ablated={1: (0, 2)}, kind="decoder")),
    ("the way back hears an ablated head", "attention", "dcontext = without(dcontext, cache.ablated_heads)", "pass", is_derivative),
    ("the cache forgets who was ablated", "attention", "MultiHeadCache(*parts, ablated_heads)", "MultiHeadCache(*parts, ())", is_derivative),
    ("ablated in the next layer", "transformer", ".get(i, ())", ".get(i + 1, ())", named_layers),
    ("ablated in none", "transformer", ".get(i, ())", ".get(None, ())", named_layers),
    ("a decoder layer ablates none", "transformer", "self.attention.forward(x, mask, own, ablated_heads, rng=rng)", "self.attention.forward(x, mask, own, (), rng=rng)", heads("test_a_model_ablates_the_heads_of_the_layers_that_are_named", ablated={1: (0, 2)}, kind="encoder-decoder")),
    ("writing ablates none", "transformer", "dict(ablated_heads=ablated_heads, rng=rng)", "dict(ablated_heads=None if kv_caches else ablated_heads, rng=rng)", heads("test_a_model_that_writes_ablates_too")),
    ("heads that are none are taken", "attention", 'check_heads("ablated_heads", ablated_heads, self.heads)', "pass", heads("test_heads_are_heads", heads=(4,), message="ablated_heads[0]=4: an id from 0 to 3 was expected", x=WIDE, memory=WIDE_MEMORY)),
    ("layers that are none are taken", "transformer", 'guard.one_id(f"{name}: a layer", number, self.config.layers)', "pass", heads("test_layers_are_layers", ablated={3: [0]}, message="ablated_heads: a layer=3: an id from 0 to 2 was expected")),
    # nothing is kept
    ("weights kept on the layer", "attention", "        y, output_cache = self.output.forward(merge(context))", "        self.kept = attention_cache.weights\n        y, output_cache = self.output.forward(merge(context))", keeps_nothing("Transformer")),
    ("a model counts its runs", "transformer", "        memory, encoder_cache = None, None\n", "        memory, encoder_cache, self.runs = None, None, getattr(self, 'runs', 0) + 1\n", keeps_nothing("Transformer")),
    ("the last ids kept in the table", "layers", "return self.W[ids], ids", "return self.W[ids], vars(self).setdefault('last', ids)", keeps_nothing("Embedding")),
    ("the cache shows the weights turned", "attention", "return self.attention.weights", "return self.attention.weights.swapaxes(-1, -2)", shown("decoder")),
    ("cross weights are those of self-attention", "transformer", "[layer.cross_attention.layer.weights for", "[layer.attention.layer.weights for", shown("encoder-decoder")),
    ("weights of the first layer for all", "transformer", "[layer.attention.layer.weights for layer in self.stack.layers]", "[self.stack.layers[0].attention.layer.weights for layer in self.stack.layers]", shown("decoder")),
    ("the causal mask is one too wide", "attention", "np.tri(T, S, S - T,", "np.tri(T, S, S - T + 1,", causal),
    # both read alike
    ("an LSTM reads from its start each time", "recurrent_network", "logits, state, _ = self.forward(ids, state)", "logits, state, _ = self.forward(ids)", reading("LSTM")),
    ("a Transformer reads from its start each time", "transformer", "self.new_kv_caches() if state is None else state", "self.new_kv_caches()", reading("learned")),
    ("the place of the next id is forgotten", "transformer", "read.length, read.real = held + T, real", "read.length, read.real = held, real", reading("sinusoidal")),
    ("the way back after writing is not refused", "attention", "if cache.key is None:", "if False:", no_way_back),
    ("a model's way back after writing is not refused", "transformer", "if cache.kv_caches is not None:", "if False:", no_way_back),
    # the door
    ("looked at again in every layer", "guard", "if INSIDE.get():", "if False:", one_door),
    ("never looked at", "guard", "        look(*at, **options)\n", "", shut),
    ("the door stays open", "guard", "contextvars.copy_context().run(_inside, run, given, options)", "_inside(run, given, options)", shut),
    # frozen
    ("frozen: gradients only emptied", "layers", 'setattr(layer, "d" + name, None)', 'getattr(layer, "d" + name).fill(0)', frozen("Linear")),
    ("frozen: a linear layer does not know", "layers", "        if self.dW is not None:\n            self.dW += as_rows(x).T @ as_rows(dy)", "        self.dW += as_rows(x).T @ as_rows(dy)", frozen("FeedForward")),
    ("frozen: its bias does not know", "layers", "if self.db is not None:\n            self.db +=", "if self.b is not None:\n            self.db +=", frozen("Linear")),
    ("frozen: a norm does not know", "layers", "if self.dgamma is not None:\n            self.dgamma += column_sums(product)", "if True:\n            self.dgamma += column_sums(product)", frozen("LayerNorm")),
    ("frozen: a norm without beta does not know", "layers", "if self.dgamma is not None:\n            self.dgamma += column_sums(dy * normal)", "if True:\n            self.dgamma += column_sums(dy * normal)", frozen("RMSNorm")),
    ("frozen: a table does not know", "layers", "        if self.dW is None:\n            return\n", "", frozen("Embedding")),
    ("frozen: a tied output does not know", "layers", "        if self.dW is not None:\n            self.dW += as_rows(dlogits)", "        if True:\n            self.dW += as_rows(dlogits)", shared),
    ("frozen: additive attention does not know", "attention", "if self.dv is not None:", "if True:", frozen("AdditiveAttention")),
    ("frozen: learned positions do not know", "positions", "        if self.dW is None:\n            return dy\n", "", frozen("LearnedPositions")),
    ("frozen: a cell's way in does not know", "recurrent", "if self.dW_xh is not None:", "if True:", frozen("LSTMCell")),
    ("frozen: a cell's own weights do not know", "recurrent", "if self.dW_hh is not None:", "if True:", frozen("RNN")),
    ("frozen: the candidate's bias does not know", "recurrent", "if self.db_n is not None:", "if True:", frozen("SequenceToSequence")),
    ("frozen: nothing goes through it", "layers", "            self.db += column_sums(dy)\n        return matmul(dy, self.W.T)", "            self.db += column_sums(dy)\n        return matmul(dy, self.W.T) if self.dW is not None else 0 * matmul(dy, self.W.T)", others),
    ("frozen: not counted", "layers", "sum(value.size for _, value, _ in self.arrays())", "sum(value.size for _, value, _ in self.parameters())", frozen("Linear")),
    ("frozen: thawed by astype", "layers", "        return copy.deepcopy(self, made)\n", "        new = copy.deepcopy(self, made)\n        for _, layer in new.all_layers():\n            layer.add_parameters(**{name: getattr(layer, name) for name in layer.learned})\n        return new\n", copies),
    ("frozen: a replica has values of its own", "layers", "{id(value): value for _, value, _ in self.arrays()}", "{id(value): value for _, value, _ in self.parameters()}", copies),
    ("frozen: left out of the file", "saving", "{name: value for name, value, _ in model.arrays()}", "{name: value for name, value, _ in model.parameters()}", saved_frozen),
    ("frozen: learned all the same", "layers", "if triple[2] is not None)", "if True)", moved),
    ("frozen: a gradient is kept elsewhere", "layers", 'setattr(layer, "d" + name, None)', 'vars(layer).update({"old_d" + name: vars(layer)["d" + name], "d" + name: None})', no_memory),
]  # fmt: skip
test_the_code_as_it_is_passes, test_convicted = trials(MUTANTS)
