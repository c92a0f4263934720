"""What is told of a search as it goes: trackers, and listeners of your own."""

from sktune._protocols import Listener
from sktune._types import SearchInfo
from sktune.listeners._mlflow import MLflow
from sktune.listeners._tensorboard import TensorBoard
from sktune.listeners._weights_and_biases import WeightsAndBiases

__all__ = ["Listener", "MLflow", "SearchInfo", "TensorBoard", "WeightsAndBiases"]
