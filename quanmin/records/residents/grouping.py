"""From accepted pairs to groups: connected components, with the knots among them undone the same way in whatever order records came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

# An identity without a number that fits two people almost equally well (within these bits) belongs to neither until somebody decides.
AMBIGUITY_BITS = 3.0


@dataclass(frozen=True)
class Edge:
    """One accepted pair of a knot. `tier` 0 a person's decision, 1 exact, 2 the model; `names` the two identity ids, to break ties."""

    l: int  # noqa: E741 - left and right, as everywhere in this package
    r: int
    tier: int
    weight: float
    names: tuple[str, str]

    @property
    def rank(self) -> tuple[Any, ...]:
        """Sort key: the surest first, ties by identity ids."""
        return (self.tier, -self.weight, self.names)


def components(count: int, left: Numbers, right: Numbers) -> Numbers:
    """The smallest row number reachable from each of `count` rows over the edges (min-label propagation with pointer jumping)."""
    labels = np.arange(count, dtype=np.int64)
    while len(left):
        l_label, r_label = labels[left], labels[right]
        differ = l_label != r_label
        if not differ.any():
            break
        left, right = left[differ], right[differ]
        high, low = np.maximum(l_label, r_label)[differ], np.minimum(l_label, r_label)[differ]
        np.minimum.at(labels, high, low)
        while True:
            jumped = labels[labels]
            if (jumped == labels).all():
                break
            labels = jumped
    return labels


class _Forest:
    """Groups growing by union, each knowing its valid numbers and the members that must stay apart."""

    def __init__(self, nodes: Iterable[int], anchors: dict[int, str], apart: Iterable[tuple[int, int]]) -> None:
        self.parent = {node: node for node in nodes}
        self.members = {node: [node] for node in self.parent}
        self.anchors: dict[int, set[str]] = {node: {anchors[node]} if node in anchors else set() for node in self.parent}
        self.apart: dict[int, set[int]] = defaultdict(set)
        for one, other in apart:
            self.apart[one].add(other)
            self.apart[other].add(one)

    def find(self, node: int) -> int:
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def refuses(self, one: int, other: int, by_person: bool) -> str:
        """Why two groups may not become one: "apart" by decision, "number" for different valid numbers, or ""."""
        inside = set(self.members[other])
        if any(self.apart[member] & inside for member in self.members[one] if member in self.apart):
            return "apart"
        mine, theirs = self.anchors[one], self.anchors[other]
        return "number" if mine and theirs and not mine & theirs and not by_person else ""

    def join(self, one: int, other: int) -> None:
        self.parent[other] = one
        self.members[one] += self.members.pop(other)
        self.anchors[one] |= self.anchors.pop(other)


def _strength(node: int, tree: dict[int, list[tuple[int, int]]], edges: Sequence[Edge], anchors: dict[int, str]) -> tuple[float, int]:
    """How surely `node` hangs on an identity with a number: weight and index of the weakest model edge on the best way there.

    Infinite and -1 where it holds a number itself or only exact edges lie between.
    """
    best, seen, todo = (-1.0, -1), {node}, [(node, float("inf"), -1)]
    while todo:
        at, weakest, index = todo.pop()
        if at in anchors and (weakest, -index) > (best[0], -best[1]):
            best = (weakest, index)
        for neighbour, edge in tree[at]:
            if neighbour not in seen:
                seen.add(neighbour)
                weight = edges[edge].weight if edges[edge].tier == 2 else float("inf")
                todo.append((neighbour, *((weight, edge) if weight < weakest else (weakest, index))))
    return best


def untangle(nodes: Sequence[int], edges: Sequence[Edge], anchors: dict[int, str], apart: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Split one knot: node → smallest node of its group.

    The surest edges join first; an edge that would put two different valid numbers together, or two identities that a person set apart,
    joins nothing. Where a refused edge is nearly as strong as what holds its end to its number, that hold is cut too: the end stays alone.
    """
    edges = sorted(edges, key=lambda edge: edge.rank)
    forest = _Forest(nodes, anchors, apart)
    tree: dict[int, list[tuple[int, int]]] = defaultdict(list)
    refused = []
    for index, edge in enumerate(edges):
        one, other = forest.find(edge.l), forest.find(edge.r)
        if one == other:
            continue
        why = forest.refuses(one, other, edge.tier == 0)
        if not why:
            forest.join(one, other)
            tree[edge.l].append((edge.r, index))
            tree[edge.r].append((edge.l, index))
        elif why == "number":
            refused.append(edge)
    cut = set()
    for edge in refused:
        weakest, index = min(_strength(end, tree, edges, anchors) for end in (edge.l, edge.r))
        if index >= 0 and weakest - edge.weight < AMBIGUITY_BITS:
            cut.add(index)
    left = np.array([node for node in tree for _, index in tree[node] if index not in cut], dtype=np.int64)
    right = np.array([to for node in tree for to, index in tree[node] if index not in cut], dtype=np.int64)
    order = sorted(nodes)
    place = {node: position for position, node in enumerate(order)}
    labels = components(len(order), np.array([place[n] for n in left.tolist()], dtype=np.int64),
                        np.array([place[n] for n in right.tolist()], dtype=np.int64))
    return {node: order[labels[position]] for position, node in enumerate(order)}
