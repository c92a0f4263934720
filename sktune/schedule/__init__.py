"""How far each candidate goes: ids and scores in, decisions out."""

from sktune.schedule._flat import Flat

__all__ = ["Flat"]
