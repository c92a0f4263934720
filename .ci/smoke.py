"""What an installed sktune must do, outside of its checkout."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from scipy.stats import loguniform
from skorch import NeuralNetClassifier

import sktune

assert "site-packages" in sktune.__file__, sktune.__file__
assert files("sktune").joinpath("py.typed").is_file()
net = NeuralNetClassifier(
    torch.nn.Linear,
    module__in_features=4,
    module__out_features=2,
    criterion=torch.nn.CrossEntropyLoss,
    train_split=None,
    max_epochs=3,
    verbose=0,
)
X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
y = (X[:, 0] > 0).astype(np.int64)
space = {"lr": loguniform(1e-2, 1.0)}
for search in (
    sktune.BayesSearchCV(net, space, n_iter=3, cv=2, random_state=0),
    sktune.HyperbandSearchCV(net, space, cv=2, random_state=0, stacked=True),
):
    assert search.fit(X, y).best_score_ > 0.5
sktune.show_versions()
command = Path(sys.executable).with_name("sktune")
told = subprocess.check_output([command, "--version"], text=True)
assert told == f"sktune {sktune.__version__}\n", told
with TemporaryDirectory() as folder:
    journal, page = Path(folder, "search.jsonl"), Path(folder, "search.html")
    search = sktune.GridSearchCV(net, {"lr": [0.1]}, cv=2, journal=journal).fit(X, y)
    search.to_html(page)
    first = page.read_text(encoding="utf-8")
    subprocess.run([command, "report", journal, "-o", page], check=True)
    for text in (first, page.read_text(encoding="utf-8")):
        assert "prefers-color-scheme" in text and "aria-sort" in text
sys.exit(0)
