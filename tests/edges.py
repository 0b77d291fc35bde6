"""Who hands which array to whom: the edges of a traced run, to be compared with a diagram's.

An array belongs to the innermost call that made it, and goes to the innermost call that is given
it. What no call made is a sum of arrays that are known, or a multiple of one; a sum is a thing of
its own, named by the layer whose result is added, and " +". Nothing is taken from the diagram but
the names of its things.
"""

import re

import numpy as np


class Reader:
    """Reads the calls of one direction of a run; drawn: the names of the things of a diagram.

    named: {name: array} for what comes in, goes out or is pointed at, with a name of its own.
    back: these are the gradients. A fork adds them, and a plus hands on what it gets.
    """

    def __init__(self, calls, drawn, named, back=False):
        self.drawn, self.back, self.edges = {*drawn}, back, set()
        self.names = {id(array): name for name, array in named.items()}
        # What backward is given second is the cache, though it may be a bare array.
        calls = [call._replace(given=call.given[:1]) if back else call for call in calls]
        self.calls = [call for call in calls if self.shows(call)]
        self.origin = {key: {name} for key, name in self.names.items() if not self.made(key)}
        self.sums, self.used = {}, set()
        for place, call in enumerate(self.calls):
            self.read(place, call)

    def shows(self, call):
        """Whether a call is of a thing, or of what things stand in; what is inside one is not."""
        if thing := self.thing(call.path):
            return thing == folded(call.path)
        return not relays(call)

    def made(self, key):
        """Whether a call makes the array of this id, and was not given it."""
        made = (call for call in self.calls if any(id(x) == key for x in call.made))
        return any(all(id(x) != key for x in call.given) for call in made)

    def read(self, place, call):
        """What one call is given comes from somewhere, what it gives is its own."""
        thing = self.thing(call.path)
        leaf = not any(inside(other, call) for other in self.calls[:place])
        for array in floating(call.given, self.origin) if leaf else ():
            assert thing, f"{call.path} is not drawn"
            self.consume(place, array, thing)
        given = {id(array) for array in call.given}
        for array in floating(call.made):
            if leaf and (relays(call) or id(array) not in given):
                self.begin(array, {thing})
            elif not leaf and id(array) not in self.origin:
                self.resolve(array, call, place)

    def consume(self, place, array, thing):
        """An array arrives at a thing: on the way back through its plus, where one is drawn."""
        if id(array) not in self.origin:
            self.resolve(array, self.holder(place, array), place)
        plus, origin = f"{thing} +", self.origin[id(array)]
        if self.back and plus in self.drawn and self.first(thing) is array:
            self.join(origin, plus)
            origin = self.origin[id(array)] = {plus}
        self.join(origin, thing)

    def first(self, path):
        """What the layer of this path was given first."""
        return next(call for call in self.calls if call.path == path).given[0]

    def begin(self, array, origin):
        """From here on this array comes from there; one with a name passes through its name."""
        if name := self.names.get(id(array)):
            self.join(origin, name)
            origin = {name}
        self.origin[id(array)] = origin

    def join(self, origin, thing):
        self.edges |= {(start, thing) for start in origin if start != thing}

    def resolve(self, array, call, place):
        """An array that a call made by itself, of what it was given and its parts have made."""
        loose, known = self.at_hand(array.shape, call, place)
        for more in [(), *((x,) for x in known)]:
            terms = [x for x, _ in loose] + list(more)
            if len(terms) > 1 and np.allclose(sum(terms), array, rtol=1e-12, atol=1e-14):
                return self.add(array, terms, loose[-1][1], call)
        for x in [x for x, _ in loose] + known:
            if np.allclose(x * (array.flat[0] / x.flat[0]), array, rtol=1e-12, atol=1e-14):
                return self.begin(array, self.origin[id(x)])
        raise AssertionError(f"{call.path}: nobody made an array of shape {array.shape}")

    def at_hand(self, shape, call, place):
        """Arrays of this shape: those that wait to be added, with who made them, and all others."""
        made, loose = {}, {}
        for n, part in enumerate(self.calls[:place]):
            if self.parent(n) is call:  # what it is given waits no longer, what it makes does
                given = {id(x) for x in part.given}
                loose = {key: pair for key, pair in loose.items() if key not in given}
                loose |= {id(x): (x, part.path) for x in floating(part.made)}
                made |= loose
        forks = [x for key, (x, _) in made.items() if key not in loose]
        known = [*floating(call.given), *self.sums.get(call.path, ()), *forks]
        waiting = [pair for key, pair in loose.items() if key not in self.used]
        of_shape = [pair for pair in waiting if pair[0].shape == shape]
        return of_shape, [x for x in known if x.shape == shape]

    def add(self, array, terms, path, call):
        """A sum: forward a thing of its own, back only what comes from all of its terms."""
        origin = set().union(*(self.origin[id(term)] for term in terms))
        if not self.back:
            thing = self.thing(path)
            plus = f"{thing} +" if f"{thing} +" in self.drawn else thing
            self.join(origin, plus)
            origin = {plus}
        self.used |= {id(term) for term in terms}
        self.sums.setdefault(call.path, []).append(array)
        self.begin(array, origin)

    def holder(self, place, array):
        """The innermost call round this one that was not given the array."""
        for call in self.calls[place + 1 :]:
            given = any(x is array for x in call.given)
            if inside(self.calls[place], call) and not given:
                return call
        raise AssertionError(f"{self.calls[place].path} is given an array that nobody made")

    def parent(self, place):
        """The innermost call round this one; None round the whole run."""
        around = (call for call in self.calls[place + 1 :] if inside(self.calls[place], call))
        return next(around, None)

    def thing(self, path):
        """The thing of the diagram that shows this layer: itself, what it is in, or a frame."""
        if path in self.drawn:
            return path
        path = folded(path)
        while path and path not in self.drawn:
            path = path.rpartition(".")[0]
        return path or None


def folded(path):
    """All layers but the lowest stand in the second one's frame."""
    return re.sub(r"layers\.[1-9]\d*", "layers.1", path)


def relays(call):
    """Whether it gives nothing but what it was given, as dropout does where nothing is dropped."""
    given = {id(array) for array in call.given}
    return bool(call.made) and all(id(array) in given for array in call.made)


def inside(call, other):
    """Whether the one layer stands in the other; the two ends of a tied table do not."""
    layer = call.path.removesuffix(".logits")
    return layer != other.path and (not other.path or layer.startswith(f"{other.path}."))


def floating(arrays, known=()):
    """Those of real numbers, and those that are known: no masks, no lengths."""
    return [x for x in arrays if x.dtype.kind == "f" or id(x) in known]


def hand_overs(diagram, run, named, dnamed, prefix=""):
    """The edges, forward and back, of a run among the things of a diagram.

    prefix: of the paths of that part of the diagram that this run is of.
    """
    drawn = [name for name in diagram.nodes if name.startswith(prefix)]
    forward = Reader(of_part(run[0], prefix), drawn, named).edges
    return forward, Reader(of_part(run[1], prefix), drawn, dnamed, back=True).edges


def faults(diagram, hand_overs, prefix=""):
    """{what is wrong: pairs} where a diagram's lines are not the hand-overs; empty if all are."""
    flows, gradients = (
        {(merged(a), merged(b)) for a, b in pairs if a.startswith(prefix)}
        for pairs in (diagram.flows, diagram.gradients)
    )
    forward, backward = hand_overs
    wrong = {
        "missing": forward - flows,
        "false": flows - forward,
        "missing gradients": backward - gradients,
        "false gradients": gradients - backward,
    }
    return {what: pairs for what, pairs in wrong.items() if pairs}


def merged(name):
    """The sum of a memory's gradients stands for the memory."""
    return "memory" if name == "memory +" else name


def of_part(calls, prefix):
    """The calls of this part of a run."""
    return [call for call in calls if f"{call.path}.".startswith(prefix)]
