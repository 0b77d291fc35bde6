"""Known mistakes of the kinds that random ones showed to pass: the learner's tests see each.

What a mutant is stands in mutants.py, and how a learner's test is run on one in learners.py. The
kinds: dropout, options that reach nobody, adding up, schedules, training, choosing, files. Those
of pictures stand in test_mutations_pictures.py, those of programs in test_mutations_trained.py.
"""

import pytest
from learners import seen_by
from mutants import trials

pytestmark = pytest.mark.author


def of(module):
    return lambda *names: seen_by(f"test_{module}", *(f"test_{name}" for name in names))


# --- dropout

dropout = of("dropout")
stream = dropout("where_all_falls_a_layer_gives_back_what_it_got")
way_in = dropout("where_all_falls_a_model_tells_nothing_of_its_ids")
encoder_drops = dropout("the_encoder_of_a_decoder_drops_too")
draws = dropout("each_place_draws_for_itself")
grows = dropout("a_branch_that_is_kept_grows_before_it_is_added")
grows_in = dropout("what_is_kept_on_the_way_in_grows")
each_number = dropout("each_number_falls_by_itself")
way_back = dropout("the_gradient_knows_what_fell")
evaluation = dropout("without_an_rng_a_model_is_as_one_without_dropout")

T = "transformer"
ENCODER_ATTENDS = (
    "x, attention_cache = self.attention.forward(x, mask, kv_cache, ablated_heads, rng=rng)"
)
DECODER_ATTENDS = (
    "x, attention_cache = self.attention.forward(x, mask, own, ablated_heads, rng=rng)"
)
ENCODER_THINKS = "y, feed_forward_cache = self.feed_forward.forward(x, rng=rng)\n        return y, EncoderLayerCache"
DECODER_THINKS = "y, feed_forward_cache = self.feed_forward.forward(x, rng=rng)\n        return y, DecoderLayerCache"


def without_rng(line):
    return line.replace(", rng=rng)", ")")


DROPOUT = [
    ("dropout: none in any branch", T, "y, dropout_cache = self.dropout.forward(y, rng)", "y, dropout_cache = self.dropout.forward(y)", stream),
    ("dropout: none after a decoder's self-attention", T, DECODER_ATTENDS, without_rng(DECODER_ATTENDS), stream),
    ("dropout: none after feed-forward", T, ENCODER_THINKS, without_rng(ENCODER_THINKS), stream),
    ("dropout: none after a decoder's feed-forward", T, DECODER_THINKS, without_rng(DECODER_THINKS), stream),
    ("dropout: the encoder is not told", T, "self.encode(source, source_lengths, source_mask, rng)", "self.encode(source, source_lengths, source_mask)", encoder_drops),
    ("dropout: none in the layers", T, "layer.forward(x, *given, kv_cache, ablated, rng)", "layer.forward(x, *given, kv_cache, ablated)", draws),
    ("dropout: none in the model", T, "dict(ablated_heads=ablated_heads, rng=rng)", "dict(ablated_heads=ablated_heads)", draws),
    ("dropout: half the rate in the branches", T, "Dropout(config.dropout)", "Dropout(config.dropout / 2)", stream),
    ("dropout: half the rate on the embeddings", T, "Dropout(c.dropout)", "Dropout(c.dropout / 2)", way_in),
    ("dropout: what goes around falls too", T, "        y, dropout_cache = self.dropout.forward(y, rng)\n        y = x + y  # (..., D)\n", "        y, dropout_cache = self.dropout.forward(x + y, rng)\n", stream),
    ("dropout: before the layer, not after", T, "y, layer_cache = self.layer.forward(inside, *given)", "y, layer_cache = self.layer.forward(self.dropout.forward(inside, rng)[0], *given)", draws),
    ("dropout: twice on the way in", T, "        for i, layer in enumerate(self.layers):\n            kv", "        x, _ = self.dropout.forward(x, rng)\n        for i, layer in enumerate(self.layers):\n            kv", draws),
    ("dropout: before the positions are added", T, "        if self.positions:\n            x, positions_cache", "        x, dropout_cache = self.dropout.forward(x, rng)\n        rng = None\n        if self.positions:\n            x, positions_cache", way_in),
    ("dropout: what is kept does not grow", "layers", "x.dtype.type(1 / (1 - self.rate))", "x.dtype.type(1)", grows),
    ("dropout: grows by 1 / rate", "layers", "x.dtype.type(1 / (1 - self.rate))", "x.dtype.type(1 / self.rate)", grows_in),
    ("dropout: keeps what it should drop", "layers", "np.float32) >= self.rate", "np.float32) < self.rate", grows),
    ("dropout: whole positions fall", "layers", "rng.random(x.shape, np.float32)", "rng.random((*x.shape[:-1], 1), np.float32)", each_number),
    ("dropout: the same columns everywhere", "layers", "rng.random(x.shape, np.float32)", "rng.random(x.shape[-1:], np.float32)", each_number),
    ("dropout: post-norm goes around it", T, "            y, norm_cache = self.norm.forward(y)\n", "            y, norm_cache = self.norm.forward(y if rng is None else x)\n", way_back),
    ("dropout: at work without an rng", "layers", "        if rng is None or self.rate == 0:\n", "        rng = rng or np.random.default_rng(1)\n        if self.rate == 0:\n", evaluation),
]  # fmt: skip

# --- options that reach nobody

options = of("options")
network = options("a_network_is_its_rnn_and_its_output")
classifier = options("a_classifier_reads_each_sequence_to_its_length")
source_masks = options("a_masked_place_of_a_source_is_not_attended_to")
masks = options("a_transformer_attends_to_nothing_that_a_mask_forbids")
translated = options("what_is_masked_is_not_translated")
defaults = options("defaults")
choices = options("each_way_to_choose_the_likeliest_reaches_the_writing")
config = of("config")
reached = config("an_option_shows_in_every_layer_that_has_it_and_in_no_other")
starts = config("what_the_layers_read_starts_at_spread_1")
gates = of("gates")
forget = gates("the_forget_bias_is_the_forget_gates_alone")
paper = of("training")("defaults_are_those_of_the_paper")
smoothed = of("generation")("label_smoothing_is_the_cross_entropy_with_a_softened_target")

NETWORK, S2S = "recurrent_network", "sequence_to_sequence"
FEED_FORWARD = "FeedForward(c.d_model, c.d_ff, rng, dtype, c.activation, c.bias)"
AFTER_CROSS = "        self.cross_attention = Residual(cross, c, dtype)\n"

OPTIONS = [
    ("a network ignores lengths", NETWORK, "self.rnn.forward(x, state, lengths)", "self.rnn.forward(x, state)", network),
    ("a network ignores its state", NETWORK, "self.rnn.forward(x, state, lengths)", "self.rnn.forward(x, None, lengths)", network),
    ("a network ignores truncate", NETWORK, "cache.rnn, dfinal, truncate)", "cache.rnn, dfinal)", network),
    ("a network ignores dfinal", NETWORK, "cache.rnn, dfinal, truncate)", "cache.rnn, None, truncate)", network),
    ("a classifier ignores lengths", NETWORK, "self.rnn.forward(x, lengths=lengths)", "self.rnn.forward(x)", classifier),
    ("seq2seq ignores its mask", S2S, "real if mask is None else real & mask", "real", source_masks),
    ("seq2seq: a mask in place of the lengths", S2S, "real if mask is None else real & mask", "real if mask is None else mask", source_masks),
    ("a mask of one's own is ignored", T, "together(mask, causal, padded)", "together(causal, padded)", masks),
    ("the lengths of ids are ignored", T, "together(mask, causal, padded)", "together(mask, causal)", masks),
    ("source_mask is ignored", T, "mask = together(padding(source_lengths, source), source_mask)", "mask = padding(source_lengths, source)", masks),
    ("source_lengths are ignored in the encoder", T, "mask = together(padding(source_lengths, source), source_mask)", "mask = source_mask", masks),
    ("cross_mask is ignored", T, "together(cross_mask, padding(source_lengths, source))", "padding(source_lengths, source)", masks),
    ("source_lengths are ignored in cross-attention", T, "            cross_mask = together(cross_mask, padding(source_lengths, source))\n", "", masks),
    ("translate ignores source_mask", T, "memory, _ = self.encode(source, source_lengths, source_mask)", "memory, _ = self.encode(source, source_lengths)", translated),
    ("translate ignores cross_mask", T, "np.broadcast_to(True if cross_mask is None else cross_mask,", "np.broadcast_to(True,", translated),
    ("a tied table √D too small", T, "self.embedding.W /= self.scale\n", "self.embedding.W /= self.scale**2\n", starts),
    ("vectors √D too small", T, "        x *= self.scale\n", "", grows_in),
    ("sample ignores top_k", "generation", "next_probabilities(logits[-1], temperature, top_k, top_p)", "next_probabilities(logits[-1], temperature, None, top_p)", choices),
    ("sample ignores top_p", "generation", "next_probabilities(logits[-1], temperature, top_k, top_p)", "next_probabilities(logits[-1], temperature, top_k)", choices),
    ("sample ignores temperature", "generation", "next_probabilities(logits[-1], temperature, top_k, top_p)", "next_probabilities(logits[-1], 1.0, top_k, top_p)", choices),
    ("a norm with another epsilon", "layers", "epsilon=1e-5):\n        super()", "epsilon=1e-3):\n        super()", defaults),
    ("SGD with momentum", "optim", "learning_rate, momentum=0.0)", "learning_rate, momentum=0.9)", defaults),
    ("Adam: another rate", "optim", "learning_rate=1e-3, betas", "learning_rate=3e-3, betas", defaults),
    ("Adam: another beta", "optim", "betas=(0.9, 0.999)", "betas=(0.9, 0.99)", defaults),
    ("Adam: another epsilon", "optim", "epsilon=1e-8)", "epsilon=1e-6)", defaults),
    ("Adam: another epsilon than it was given", "optim", 'self.epsilon = guard.positive("epsilon", epsilon)', "self.epsilon = 1e-7", paper),
    ("forget gates closed", "recurrent", "forget_bias=1.0)", "forget_bias=0.0)", defaults),
    ("forget gates: the bias on the input gate", "recurrent", "self.b_h[hidden_size : 2 * hidden_size] = guard", "self.b_h[:hidden_size] = guard", forget),
    ("smoothing ignored in the loss", "functional", "    if smoothing:\n", "    if False:\n", smoothed),
    ("smoothing ignored in its gradient", "functional", "count, smoothing = cache\n", "count, _ = cache\n    smoothing = 0.0\n", smoothed),
    ("the feed-forward keeps relu", T, FEED_FORWARD, FEED_FORWARD.replace("c.activation", '"relu"'), reached),
    ("the decoder of an encoder-decoder keeps relu", T, AFTER_CROSS, AFTER_CROSS + '        self.feed_forward.layer.activation = "relu"\n', reached),
    ("self-attention keeps its biases", T, "c.bias, c.rotary(), c.key_heads)", "True, c.rotary(), c.key_heads)", reached),
    ("cross-attention has one head", T, "MultiHeadAttention(c.d_model, c.heads, rng, dtype, c.bias, None, c.key_heads)", "MultiHeadAttention(c.d_model, 1, rng, dtype, c.bias)", reached),
    ("rotary positions ignore the base they are given", "positions", 'self.base = guard.positive("base", base)\n\n    def check_forward(self, x, start=0):\n        guard.float_array("x", x, "... T K"', 'self.base = 10000.0\n\n    def check_forward(self, x, start=0):\n        guard.float_array("x", x, "... T K"', reached),
    ("rotary positions in the cross-attention", T, "c.bias, None, c.key_heads)", "c.bias, c.rotary(), c.key_heads)", reached),
]  # fmt: skip

# --- adding up

adding = of("adding_up")
twice = adding("two_backwards_are_the_sum_of_two")
both_get = adding("a_place_that_is_read_twice_gets_both")
tied = adding("a_tied_table_gets_what_goes_in_and_what_comes_out")

ADDING = [
    ("= for +=: a Linear's W", "layers", "self.dW += as_rows(x).T @ as_rows(dy)", "self.dW[...] = as_rows(x).T @ as_rows(dy)", twice),
    ("= for +=: a Linear's b", "layers", "self.db += column_sums(dy)", "self.db[...] = column_sums(dy)", twice),
    ("= for +=: an embedding", "layers", "        np.add.at(self.dW.reshape", "        self.dW.fill(0)\n        np.add.at(self.dW.reshape", twice),
    ("= for +=: the tied table", "layers", "self.dW += as_rows(dlogits).T @ as_rows(x)", "self.dW[...] = as_rows(dlogits).T @ as_rows(x)", twice),
    ("the tied table gets nothing of the logits", "layers", "self.dW += as_rows(dlogits).T @ as_rows(x)", "pass", tied),
    ("= for +=: gamma", "layers", "self.dgamma += column_sums(product)", "self.dgamma[...] = column_sums(product)", twice),
    ("= for +=: beta", "layers", "self.dbeta += column_sums(dy)", "self.dbeta[...] = column_sums(dy)", twice),
    ("= for +=: learned positions", "positions", "self.dW[read] += dy", "self.dW[read] = dy", twice),
    ("= for +=: learned positions, a start each", "positions", "            np.add.at(self.dW, np.broadcast", "            self.dW.fill(0)\n            np.add.at(self.dW, np.broadcast", twice),
    ("learned positions: one of two that start alike", "positions", "np.add.at(self.dW, np.broadcast_to(read, shape[:-1]), dy)", "self.dW[np.broadcast_to(read, shape[:-1])] += dy", both_get),
    ("= for +=: additive attention's v", "attention", "self.dv += dscores", "self.dv[...] = dscores", twice),
    ("= for +=: additive attention's W_q", "attention", "self.dW_q += as_rows", "self.dW_q[...] = as_rows", twice),
    ("= for +=: additive attention's W_k", "attention", "self.dW_k += as_rows", "self.dW_k[...] = as_rows", twice),
    ("= for +=: additive attention's b", "attention", "self.db += column_sums(doffered)", "self.db[...] = column_sums(doffered)", twice),
    ("= for +=: a cell's W_xh", "recurrent", "self.dW_xh += as_rows", "self.dW_xh[...] = as_rows", twice),
    ("= for +=: a cell's W_hh", "recurrent", "self.dW_hh += as_rows", "self.dW_hh[...] = as_rows", twice),
    ("= for +=: a cell's b_h", "recurrent", "self.db_h += column_sums", "self.db_h[...] = column_sums", twice),
    ("= for +=: a GRU's b_n", "recurrent", "self.db_n += dremembered", "self.db_n[...] = dremembered", twice),
]  # fmt: skip

# --- schedules, training, choosing

training = of("training")
own_steps = training("the_loop_takes_the_optimizer_s_own_steps")
scheduled = training("the_schedule_sees_the_step_it_is_for_and_goes_on_with_the_history")
norms = training("norms_are_of_the_gradients_before_they_are_clipped")
ends = training("batches_that_end_are_no_error")
torn = training("a_step_that_fails_half_way_is_taken_back")
only_batches = training("only_the_batches_end_a_run")
no_backward = training("a_loss_that_never_ran_backward_is_refused_at_the_first_step")
far_norms = training("the_norm_is_right_between_the_ends_of_the_dtype")
noam = of("generation")("the_warm_up_rises_in_a_line_and_falls_as_a_root")
loop = of("runs")
told = loop("what_a_run_tells")
stopped = loop("a_run_that_is_interrupted_says_so_and_keeps_its_steps")
clipped = loop("steps_are_taken_with_clipped_gradients")
looked = loop("a_validation_is_asked_after_its_step")
keep = of("keep")
phases = keep("phases_follow_one_another")
best = keep("the_model_ends_with_its_best_parameters")
looks = keep("a_look_tells_its_step_the_mean_loss_since_the_last_and_what_it_saw")
splits = loop("three_parts_share_nothing_and_miss_nothing")
shuffled = loop("the_parts_are_shuffled_and_each_from_everywhere")
taken = loop("losses_are_those_of_steps_that_were_taken")

OPTIM, KEEP = "optim", "trained.keep"
TRAIN = [
    ("the schedule one step ahead", "training", '"schedule(step)", schedule(step))', '"schedule(step)", schedule(step + 1))', scheduled),
    ("the schedule one step behind", "training", "step = len(history.losses) + 1", "step = len(history.losses)", scheduled),
    ("the schedule begins anew", "training", "step = len(history.losses) + 1", "step = step + 1", scheduled),
    ("the schedule is asked and not heard", "training", "optimizer.learning_rate = guard.positive", "_ = guard.positive", scheduled),
    ("Noam: warm-up a step early", OPTIM, "step * warm_up_steps**-1.5)", "(step + 1) * warm_up_steps**-1.5)", noam),
    ("Noam: the higher of the two", OPTIM, "min(step**-0.5, step", "max(step**-0.5, step", noam),
    ("Noam: without the width", OPTIM, "return d_model**-0.5 * min", "return min", noam),
    ("Noam: falls as 1 / step", OPTIM, "min(step**-0.5, step", "min(step**-1.0, step", noam),
    ("phases: a step early", KEEP, "pairs[np.searchsorted(ends, step)][0]", 'pairs[np.searchsorted(ends, step, "right")][0]', phases),
    ("phases: each as long as the first", KEEP, "np.cumsum([steps for _, steps in pairs])", "np.cumsum([pairs[0][1] for _ in pairs])", phases),
    ("gradient norms that are losses", "training", "history.gradient_norms.append(norm)", "history.gradient_norms.append(loss)", norms),
    ("norms after clipping", OPTIM, "            gradient *= max_norm / norm\n    return norm", "            gradient *= max_norm / norm\n    return min(norm, max_norm)", norms),
    ("clipping that never clips", "training", "clip_by_global_norm(optimizer.parameters, max_norm)", "clip_by_global_norm(optimizer.parameters, 1e9)", clipped),
    ("clipping that stretches", OPTIM, "    if norm > max_norm:\n", "    if norm:\n", clipped),
    ("gradients of all steps so far", "training", "        gradient.fill(0)\n", "        pass\n", own_steps),
    ("the losses of steps that failed", "training", "        undo.remember()\n", "        undo.remember()\n        history.losses.append(loss)\n", taken),
    ("an interrupt is swallowed", "training", '_end(history, report, "interrupt", f', '_end(history, report, "", f', stopped),
    ("an interrupt passes", "training", "    except KeyboardInterrupt:\n", "    except ZeroDivisionError:\n", stopped),
    ("an interrupt that says a step too many", "training", 'interrupted after step {len(history.losses)}', 'interrupted after step {step}', stopped),
    ("a run that ran away is an end of the batches", "training", '"ran away", f"stopped', '"no more batches", f"stopped', taken),
    ("a step that led to NaN is kept", "training", "            undo.lay_in(undo.good)\n", "", torn),
    ("an optimizer's memory is not taken back", "training", "        self.live += optimizer.arrays.values()\n", "", torn),
    ("a run starts at what was good before", "training", "        undo.remember()\n", "", taken),
    ("the cause of an end stays from the run before", "training", '    history.ended = history.cause = ""\n', "", told),
    ("a loss alone is taken for learning", "training", "    if not undo.moved and loss != 0 and norm == 0:\n", "    if False:\n", no_backward),
    ("StopIteration of anybody ends a run", "training", "            _step(batch, loss_and_gradients, optimizer, max_norm, undo, history)\n", "            try:\n                _step(batch, loss_and_gradients, optimizer, max_norm, undo, history)\n            except StopIteration:\n                break\n", only_batches),
    ("batches that end say nothing", "training", '                _end(history, report, "no more batches", f"the batches ended after step {step - 1}")\n', "", ends),
    ("batches end a step late", "training", "the batches ended after step {step - 1}", "the batches ended after step {step}", ends),
    ("a validation before its step", "training", "history.validation.append((step, undo", "history.validation.append((step - 1, undo", looked),
    ("a validation every step", "training", "if step % every == 0:", "if True:", looked),
    ("a validation late by one", "training", "if step % every == 0:", "if step % every == 1:", looked),
    ("a report of all losses so far", "training", "np.mean(history.losses[-every:])", "np.mean(history.losses)", told),
    ("a report of the last loss alone", "training", "np.mean(history.losses[-every:])", "np.mean(history.losses[-1:])", told),
    ("a norm that overflows", OPTIM, "    if SMALLEST <= squares < np.inf:\n", "    if SMALLEST <= squares:\n", far_norms),
    ("a norm that is lost in float32", OPTIM, "    if SMALLEST <= squares < np.inf:\n", "    if squares < np.inf:\n", far_norms),
    ("of equal losses the later", KEEP, "else operator.lt", "else operator.le", best),
    ("a look without its last loss", KEEP, "history.losses[step - every : step]", "history.losses[step - every : step - 1]", looks),
    ("validation among what is trained on", "data.batches", "return order[2 * held :], order", "return order[held:], order", splits),
    ("the test among what is trained on", "data.batches", "return order[2 * held :], order[held : 2 * held]", "return np.concatenate([order[2 * held :], order[:held]]), order[held : 2 * held]", splits),
    ("validation that is the test", "data.batches", "order[held : 2 * held], order[:held]", "order[held : 2 * held], order[held : 2 * held]", splits),
    ("parts that are not shuffled", "data.batches", '.permutation(count)', '.permutation(1) + np.arange(count)', shuffled),
    ("a test of twice its share", "data.batches", "order[held : 2 * held], order[:held]", "order[held : 2 * held], order[: 2 * held]", splits),
]  # fmt: skip

# --- files

half = loop("half_precision_is_half_precision_in_the_file")
more = loop("a_file_with_more_or_less_than_the_model_is_refused")
whole_file = loop("a_run_goes_on_from_its_file")

FILES = [
    ("a file with more than the model", "saving", "for name in sorted(names ^ set(expected)):", "for name in sorted(set(expected) - names):", more),
    ("a file with less than the model", "saving", "for name in sorted(names ^ set(expected)):", "for name in sorted(names - set(expected)):", more),
    ("float16 not written", "saving", "    if dtype is not None:\n        arrays |=", "    if False:\n        arrays |=", half),
    ("the optimizer rounded too", "saving", "arrays |= {name: _rounded(name, value, dtype) for name, value, _ in model.arrays()}", "arrays = {name: _rounded(name, value, dtype) for name, value in arrays.items()}", half),
    ("the history is not filled", "saving", "            *_history_changes(about, history),\n", "", whole_file),
    ("the generator is not set", "saving", "            *_generator_changes(about, rng),\n", "", whole_file),
    ("the optimizer's memory is not written", "saving", "    if optimizer is not None:  # no attribute has a slash in its name\n        arrays", "    if False:  # no attribute has a slash in its name\n        arrays", whole_file),
    ("the learning rate is not set", "saving", '    return [(setattr, optimizer, "learning_rate", rate)]\n', "    return []\n", whole_file),
    ("the batches begin anew", "saving", "            *_batches_changes(about, archive, batches),\n", "", whole_file),
]  # fmt: skip

MUTANTS = [*DROPOUT, *OPTIONS, *ADDING, *TRAIN, *FILES]
test_the_code_as_it_is_passes, test_convicted = trials(MUTANTS)
