"""Decision trees in skops files: types that skops leaves to its user, because compiled code follows what they hold without looking.

Making one runs no code of the file. So a file that needs no other types is read without trust, and every estimator that predicts by trees is
looked over before anybody can ask it: a training makes trees in which each node but the first is below exactly one before it, no path is
longer than the tree says, and no node asks for a feature that the estimator's input need not have; and sums of trees have a place for each.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree import BaseDecisionTree
from sklearn.tree._tree import Tree

from drupe.errors import InvalidModelFolder

__all__ = ["TREES", "check_trees"]

TREES = frozenset(f"{kind.__module__}.{kind.__name__}" for kind in (Tree, TreePredictor))
"""The types, as skops names them."""

_LEAF = -1
_NOT_OF_THE_FILE = (type, ModuleType, FunctionType, BuiltinFunctionType)


def check_trees(model: Any) -> None:
    """Look over everything in a model that predicts by trees. Raises InvalidModelFolder for what no training makes, or nobody can look over."""
    summed: set[int] = set()
    loose: set[int] = set()
    for one in _everything_in(model):
        if isinstance(one, BaseDecisionTree):
            fault = _fault_of_tree(vars(one).get("tree_"), vars(one).get("n_features_in_"))
        elif isinstance(one, BaseGradientBoosting):
            fault = _fault_of_stages(one)
        elif isinstance(one, BaseHistGradientBoosting):
            predictors = list(_everything_in(vars(one).get("_predictors"), TreePredictor))
            summed.update(map(id, predictors))
            fault = next(filter(None, (_fault_of_predictor(each, vars(one).get("n_features_in_")) for each in predictors)), None)
        elif isinstance(one, Tree):
            fault = _fault_of_tree(one, one.n_features)
        else:
            fault = None
        if isinstance(one, TreePredictor):
            loose.add(id(one))
        if fault is not None:
            what = "" if one is model else f"the {type(one).__name__} in "
            raise InvalidModelFolder(f"{what}this {type(model).__name__} cannot have been trained: {fault}")
    if loose - summed:
        raise InvalidModelFolder(f"this {type(model).__name__} holds trees that no estimator of scikit-learn predicts by")


def _everything_in(model: Any, kind: type = object) -> Iterator[Any]:
    """Each object of that kind that a model leads to, once; the garbage collector knows all ways but those through numpy's arrays."""
    waiting, seen = [model], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, _NOT_OF_THE_FILE):
            continue
        seen.add(id(one))
        if isinstance(one, kind):
            yield one
        if isinstance(one, np.ndarray) and one.dtype == object:
            waiting += one.ravel().tolist()
        waiting += gc.get_referents(one)


def _fault_of_tree(tree: Any, features: Any) -> str | None:
    if tree is None:
        return None  # it was never fitted
    if not isinstance(tree, Tree) or not isinstance(features, int | np.integer):
        return "its tree or its number of features is something else"
    if not 0 < tree.node_count <= tree.capacity:
        return f"it tells of {tree.node_count} nodes and has room for {tree.capacity}"
    left, right = tree.children_left, tree.children_right
    return _fault_of_nodes(left, right, left == _LEAF, tree.feature, min(int(features), tree.n_features), tree.max_depth)


def _fault_of_stages(model: BaseGradientBoosting) -> str | None:
    """Compiled code adds the trees of a stage to as many columns as the stage has, in a table that the first guess has made."""
    held = vars(model)
    stages, features, first = held.get("estimators_"), held.get("n_features_in_"), held.get("init_")
    if stages is None:
        return None
    if not (isinstance(stages, np.ndarray) and stages.ndim == 2 and stages.size and isinstance(features, int | np.integer)):
        return "its stages are no table of trees"
    trees = [vars(each).get("tree_") if isinstance(each, BaseDecisionTree) else None for each in stages.flat]
    if not all(isinstance(tree, Tree) and tree.n_outputs == tree.max_n_classes == 1 for tree in trees):
        return "its stages hold something else than trees of one number"
    if not (isinstance(first, str) or type(first) in (DummyClassifier, DummyRegressor)):
        return f"its first guess is by {type(first).__name__}, which cannot be looked over"
    try:
        guess = model._raw_predict_init(np.zeros((1, int(features)), dtype=np.float32))
    except Exception as fault:  # scikit-learn's own code, with whatever the file holds
        return f"it has no first guess ({type(fault).__name__})"
    if guess.shape != (1, stages.shape[1]) or guess.dtype != np.float64:
        return f"its first guess has the shape {guess.shape}, its stages {stages.shape[1]} trees"
    return next(filter(None, (_fault_of_tree(tree, features) for tree in trees)), None)


def _fault_of_predictor(predictor: TreePredictor, features: Any) -> str | None:
    nodes = getattr(predictor, "nodes", None)
    if not isinstance(nodes, np.ndarray) or not {"left", "right", "is_leaf", "feature_idx", "is_categorical"} <= set(
        nodes.dtype.names or ()
    ):
        return "its nodes are no table of nodes"
    if not isinstance(features, int | np.integer):
        return "its number of features is something else"
    leaves = nodes["is_leaf"].astype(bool)
    if nodes["is_categorical"][~leaves].any():
        return "it splits by categories, which cannot be looked over"
    left, right = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
    return _fault_of_nodes(left, right, leaves, nodes["feature_idx"].astype(np.int64), int(features), None)


def _fault_of_nodes(left: Any, right: Any, leaves: Any, asked: Any, features: int, most_deep: int | None) -> str | None:
    count = len(left)
    if count == 0:
        return "it has no nodes"
    inner = np.flatnonzero(~leaves)
    children = np.concatenate([left[inner], right[inner]])
    if len(children) != count - 1 or len(np.unique(children)) != count - 1:
        return "its nodes do not form a tree"
    if len(inner) and (children.max() >= count or (children <= np.concatenate([inner, inner])).any()):
        return "a node leads to one that is not below it"
    if len(inner) and (asked[inner].min() < 0 or asked[inner].max() >= features):
        return f"a node asks for a feature that the {features} features of its model do not have"
    if most_deep is not None and _depth(left, right, leaves) > most_deep:
        return f"a path is longer than the {most_deep} steps that it tells of"
    return None


def _depth(left: Any, right: Any, leaves: Any) -> int:
    level, depth = np.zeros(1, dtype=np.int64), 0
    while len(inner := level[~leaves[level]]):
        level, depth = np.concatenate([left[inner], right[inner]]), depth + 1
    return depth
