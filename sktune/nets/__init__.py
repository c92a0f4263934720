"""Parts of a training that skorch and torch lack."""

from sktune.nets._param_groups_optimizer import ParamGroups

__all__ = ["ParamGroups"]
