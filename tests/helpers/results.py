"""Comparing `cv_results_` column for column and value for value."""

import numpy as np


def assert_same_results(a: dict, b: dict) -> None:
    assert list(a) == list(b)
    for key in a:
        if key.endswith("_time"):
            assert np.shape(a[key]) == np.shape(b[key])
        elif key == "params":
            assert [list(p.items()) for p in a[key]] == [
                list(p.items()) for p in b[key]
            ]
        else:
            assert a[key].dtype == b[key].dtype, key
            np.testing.assert_array_equal(
                np.ma.getmaskarray(a[key]), np.ma.getmaskarray(b[key]), err_msg=key
            )
            np.testing.assert_array_equal(a[key], b[key], err_msg=key)


def assert_same_search(a, b) -> None:
    assert_same_results(a.cv_results_, b.cv_results_)
    for name in ("best_index_", "best_score_", "multimetric_", "n_splits_"):
        assert hasattr(a, name) == hasattr(b, name), name
        if hasattr(a, name):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), name)
    assert getattr(a, "best_params_", None) == getattr(b, "best_params_", None)
    assert hasattr(a, "best_estimator_") == hasattr(b, "best_estimator_")
