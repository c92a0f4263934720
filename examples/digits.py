"""Tune a net on handwritten digits: Hyperband with Bayes over a scikit-learn pipeline.

Nets of one shape are trained as one, and most candidates for a few epochs only. Prints
a line as candidates come in, the best of them, and the score of the refitted net on
data that the search never saw; saves a picture of how they did from rung to rung.
"""

from pathlib import Path

import torch
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from sktune import HyperbandSearchCV
from sktune.inspection import best_candidates, plot_rungs


class Net(torch.nn.Module):
    """One hidden layer, with dropout."""

    def __init__(self, hidden=32, dropout=0.0):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(64, hidden),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(hidden, 10),
        )

    def forward(self, X):
        return self.layers(X)


def main():
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X.astype("float32"), y, test_size=0.2, stratify=y, random_state=0
    )
    net = NeuralNetClassifier(
        Net,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        max_epochs=27,
        iterator_train__shuffle=True,
        train_split=None,  # the search holds data out, the net need not
        verbose=0,
    )
    search = HyperbandSearchCV(
        Pipeline([("scale", StandardScaler()), ("net", net)]),
        {
            "net__lr": loguniform(1e-4, 1e-1),
            "net__batch_size": [64, 128, 256],
            "net__module__hidden": [32, 64, 128, 256],
            "net__module__dropout": uniform(0, 0.6),
            "net__optimizer__weight_decay": loguniform(1e-4, 1e0),
        },
        strategy="bayes",
        stacked=True,
        cv=5,
        n_jobs=2,
        random_state=0,
        verbose=1,
    )
    search.fit(X_train, y_train)

    print("\nThe best candidates:")
    print(best_candidates(search))
    print("\nThe best params:")
    for name, value in search.best_params_.items():
        print(f"  {name} = {value}")
    print(f"\nCross-validated accuracy {search.best_score_:.4f}")
    print(f"Test accuracy            {search.score(X_test, y_test):.4f}")

    picture = Path("rungs.png").resolve()
    plot_rungs(search).figure.savefig(picture, dpi=150)
    print(f"Saved {picture}")


if __name__ == "__main__":
    main()
